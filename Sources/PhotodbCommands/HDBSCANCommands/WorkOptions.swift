internal import ArgumentParser
internal import Dispatch
internal import TensorFiles
internal import Vectors

/// Where a result goes.
struct ResultDestination: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "The .safetensors file to write; one that exists is replaced only by a whole new one.",
      valueName: "FILE"))
  var out: String

  mutating func validate() throws {
    guard fileExtension(of: out) == "safetensors" else {
      throw ValidationError("--out \(out): results are written as .safetensors files.")
    }
  }

  /// Refuses a destination that cannot be written, before the work is done.
  func check() throws { try AtomicFile.checkDestination(out) }
}

/// How many threads work.
struct ThreadOptions: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "Threads to use; the result does not depend on it. Default: all cores.", valueName: "N"))
  var threads: Int?

  mutating func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads must be 1…1024, not \(threads).")
    }
  }

  /// Threads to use.
  var count: Int { threads ?? availableThreads }
}

/// Runs long computations on a thread of their own: Swift's cooperative threads must not be blocked.
func offPool<Result: Sendable>(
  _ work: @escaping @Sendable () throws -> Result
) async throws -> Result {
  try await withCheckedThrowingContinuation { continuation in
    DispatchQueue.global(qos: .userInitiated).async {
      continuation.resume(with: Swift.Result { try work() })
    }
  }
}

/// Seconds of the phases of a command, by their names.
struct PhaseSeconds {
  private(set) var seconds: [String: Double] = [:]
  private let start = ContinuousClock.now

  /// Runs one phase and notes its seconds.
  mutating func measure<Result>(
    _ name: String, _ work: () async throws -> Result
  ) async rethrows -> Result {
    let begin = ContinuousClock.now
    let result = try await work()
    seconds[name, default: 0] += (ContinuousClock.now - begin) / .seconds(1)
    return result
  }

  /// The phases, and `total` since the value was made.
  var all: [String: Double] {
    seconds.merging(["total": (ContinuousClock.now - start) / .seconds(1)]) { _, new in new }
  }
}
