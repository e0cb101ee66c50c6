internal import PostgresClient
internal import Store

/// When something that is remembered was last compared with the database as a whole.
struct RememberedSince: Sendable {
  private let activity: TableActivity
  private let moment: ContinuousClock.Instant

  static func now(on connection: isolated PostgresConnection) throws -> RememberedSince {
    RememberedSince(activity: try TableActivity.now(on: connection), moment: .now)
  }

  /// Whether it should be compared again: it was long ago, or some time ago and the server counted changes
  /// since.
  ///
  /// - Parameter pause: how long not even changes are a reason; somebody may delete all the time.
  func isOld(
    pause: Duration, limit: Duration, on connection: isolated PostgresConnection
  ) throws -> Bool {
    let age = ContinuousClock.now - moment
    if age >= limit { return true }
    return try age >= pause && TableActivity.now(on: connection) != activity
  }
}
