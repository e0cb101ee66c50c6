import PostgresClient
import Testing

@Suite struct RetryTests {
  /// SplitMix64 (Steele, Lea, Flood 2014, doi:10.1145/2660193.2660195) with a fixed seed.
  private struct Seeded: RandomNumberGenerator {
    private var state: UInt64 = 42

    mutating func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var mixed = state
      mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
      return mixed ^ (mixed >> 31)
    }
  }

  private let rule = PostgresRetry(
    maximumAttempts: 5, firstPause: .milliseconds(10), longestPause: .milliseconds(50))

  @Test(arguments: zip(1...4, [10.0, 20, 40, 50]))
  func pausesDoubleUpToTheLongest(_ attempt: Int, _ limit: Double) throws {
    var generator = Seeded()
    for (code, least) in [(PostgresError.Code.deadlockDetected, 0), (.connectionUnavailable, 0.5)] {
      let pauses = try (0..<1000).map { _ in
        try #require(
          rule.pause(afterAttempt: attempt, error: PostgresError(code, ""), using: &generator))
          / .milliseconds(1)
      }
      // Spread over the whole of the range, and never outside.
      let (shortest, longest) = (pauses.min() ?? .nan, pauses.max() ?? .nan)
      #expect(shortest >= limit * least && shortest < limit * (least + 0.05))
      #expect(longest <= limit && longest > limit * 0.95)
    }
  }

  @Test func attemptsEnd() {
    var generator = Seeded()
    let deadlock = PostgresError(.deadlockDetected, "")
    #expect(rule.pause(afterAttempt: 5, error: deadlock, using: &generator) == nil)
  }

  @Test func onlyWhatMaySucceedIsTriedAgain() {
    let again: [PostgresError.Code] = [
      .serializationFailure, .deadlockDetected, .connectionFailure, .connectionUnavailable,
      .cannotConnectNow, .adminShutdown, .crashShutdown, .tooManyConnections,
    ]
    for code in again { #expect(PostgresError(code, "").isTransient, "\(code.rawValue)") }
    let never: [PostgresError.Code] = [
      .transactionResolutionUnknown, .uniqueViolation, .syntaxError, .queryCanceled,
      .lockNotAvailable, .protocolViolation, .misuse, .undefinedDatabase,
    ]
    for code in never { #expect(!PostgresError(code, "").isTransient, "\(code.rawValue)") }
    var generator = Seeded()
    #expect(
      rule.pause(afterAttempt: 1, error: CancellationError(), using: &generator) == nil)
  }
}
