internal import PostgresClient
internal import Store

/// When something that is remembered was last compared with the database as a whole.
struct RememberedSince: Sendable, Equatable {
  private let activity: TableActivity
  private let moment: ContinuousClock.Instant
  /// When the server was last asked what it counted.
  private var asked: ContinuousClock.Instant

  static func now(on connection: isolated PostgresConnection) throws -> RememberedSince {
    let moment = ContinuousClock.now
    return RememberedSince(
      activity: try TableActivity.now(on: connection), moment: moment, asked: moment)
  }

  /// Whether it should be compared again: it was long ago, or some time ago and the server counted changes
  /// since.
  ///
  /// - Parameter pause: how long not even changes are a reason; somebody may delete all the time.
  mutating func isOld(
    pause: Duration, limit: Duration, on connection: isolated PostgresConnection
  ) throws -> Bool {
    let now = ContinuousClock.now
    if now - moment >= limit { return true }
    if now - asked < pause { return false }
    asked = now
    return try TableActivity.now(on: connection) != activity
  }
}
