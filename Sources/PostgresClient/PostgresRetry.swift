/// When and how often work is tried again.
///
/// Tried again are transactions that PostgreSQL asks to repeat (serialisation failures, deadlocks)
/// and those whose connection broke before the commit began. The pause doubles from attempt to
/// attempt and is drawn at random below that limit ("full jitter"), so that workers that
/// collided do not collide again.
public struct PostgresRetry: Sendable, Hashable {
  /// How often the work is tried in all, at least once.
  public var maximumAttempts: Int
  /// Upper limit of the first pause.
  public var firstPause: Duration
  /// Upper limit of every pause.
  public var longestPause: Duration

  /// Makes a rule.
  ///
  /// With its defaults a server that restarts within some ten seconds goes unnoticed.
  public init(
    maximumAttempts: Int = 12, firstPause: Duration = .milliseconds(10),
    longestPause: Duration = .seconds(2)
  ) {
    self.maximumAttempts = max(1, maximumAttempts)
    self.firstPause = firstPause
    self.longestPause = longestPause
  }

  /// The pause after a failed attempt.
  ///
  /// - Parameters:
  ///   - attempt: The number of attempts that have failed, from 1.
  ///   - error: Why; a server that is away needs more patience than a deadlock, so the pause is
  ///     then at least half of its limit.
  ///   - generator: The source of randomness.
  /// - Returns: `nil` when the error is not one to try again, or the attempts are used up.
  public func pause(
    afterAttempt attempt: Int, error: any Error, using generator: inout some RandomNumberGenerator
  ) -> Duration? {
    guard attempt < maximumAttempts, let error = error as? PostgresError, error.isTransient else {
      return nil
    }
    let limit = min(longestPause, firstPause * (1 << min(attempt - 1, 20)))
    let least = error.code.isConnectionProblem || error.isConnectionLost ? 0.5 : 0
    return limit * Double.random(in: least...1, using: &generator)
  }
}

extension PostgresError {
  /// Whether the same transaction may succeed when it is tried again from its beginning, with
  /// nothing of it having happened.
  public var isTransient: Bool {
    switch code {
    case .serializationFailure, .deadlockDetected: true
    case .transactionResolutionUnknown: false
    case _ where code.isRefusedConnection: true
    default: isConnectionLost || code.isConnectionProblem && code != .protocolViolation
    }
  }

  /// Whether a connection that was there went, and with it the work on it.
  var isCutOff: Bool { isConnectionLost && !code.isRefusedConnection }
}
