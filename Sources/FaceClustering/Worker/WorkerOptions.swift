internal import Glibc

/// How a worker behaves.
public struct WorkerOptions: Sendable {
  /// Names of the collections that it serves; nil serves all, also those that come later.
  public var collections: [String]?
  /// How long a job stays with a worker that gives no sign of life.
  ///
  /// It is renewed at a third of this.
  public var lease = Duration.seconds(60)
  /// Longest time between two looks for work; announced work is begun at once.
  public var poll = Duration.seconds(30)
  /// How often a job is begun before it is given up.
  public var maximumAttempts = 5
  /// Pause after the first failure of a job; it doubles with every further one.
  public var firstPause = Duration.seconds(1)
  /// Longest pause between two attempts.
  public var longestPause = Duration.seconds(300)
  /// Faces that are decided in one transaction; a worker that is asked to stop finishes those.
  public var batchSize = 1_000
  /// Threads for numeric work; nil takes every processor.
  public var threads: Int?

  /// The defaults.
  public init() {}

  /// The pause before the next attempt, between half of its limit and all of it.
  ///
  /// - Parameter attempt: how many have failed, from 1.
  func pause(
    afterAttempt attempt: Int, using generator: inout some RandomNumberGenerator
  ) -> Duration {
    let limit = min(longestPause, firstPause * (1 << min(max(attempt, 1) - 1, 20)))
    return limit * Double.random(in: 0.5...1, using: &generator)
  }

  /// A name for a worker that no other has: host, process, and something random.
  static func uniqueOwner() -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    let host =
      gethostname(&buffer, buffer.count - 1) == 0
      ? String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
      : "unknown"
    return "\(host):\(getpid()):\(String(UInt32.random(in: .min ... .max), radix: 16))"
  }
}

/// What a worker did.
public struct WorkerReport: Sendable, Codable, Equatable {
  /// Jobs that were done.
  public var jobs = 0
  /// Faces that were decided in them.
  public var faces = 0
  /// Attempts that failed.
  public var failures = 0
  /// Jobs that were given up.
  public var dead = 0
  /// How often the connection to the database was lost.
  public var connectionsLost = 0
  /// Seconds from start to end.
  public var seconds = 0.0

  enum CodingKeys: String, CodingKey {
    case jobs, faces, failures, dead, seconds
    case connectionsLost = "connections_lost"
  }
}
