internal import PostgresClient
internal import Store

/// When something that is remembered was last compared with the database as a whole.
struct RememberedSince: Sendable {
  private let activity: TableActivity
  private let moment: ContinuousClock.Instant

  static func now(on connection: isolated PostgresConnection) throws -> RememberedSince {
    RememberedSince(activity: try TableActivity.now(on: connection), moment: .now)
  }

  /// Whether it should be compared again: the server counted changes, or it was long ago.
  func isOld(_ now: RememberedSince, after limit: Duration) -> Bool {
    activity != now.activity || moment + limit <= now.moment
  }
}
