internal import ArgumentParser
internal import Dispatch
internal import Synchronization
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
    name: .long, parsing: .unconditional,
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
///
/// A task that is cancelled goes on at once, and a computation that nobody waits for ends with the
/// process.
///
/// - Parameter isAbandonable: false for work that must come to its own end, such as writing a file.
/// - Throws: `CancellationError`; what `work` throws.
func offPool<Result: Sendable>(
  isAbandonable: Bool = true, _ work: @escaping @Sendable () throws -> Result
) async throws -> Result {
  let waiting = Waiting<Result>()
  return try await withTaskCancellationHandler {
    try await withCheckedThrowingContinuation { continuation in
      waiting.begin(continuation)
      DispatchQueue.global(qos: .userInitiated).async {
        waiting.end(with: Swift.Result { try work() })
      }
    }
  } onCancel: {
    if isAbandonable { waiting.end(with: .failure(CancellationError())) }
  }
}

/// A continuation that is resumed by the first of two who want to.
private final class Waiting<Value: Sendable>: Sendable {
  private struct State {
    var continuation: CheckedContinuation<Value, any Error>?
    var early: Result<Value, any Error>?
  }

  private let state = Mutex(State())

  func begin(_ continuation: CheckedContinuation<Value, any Error>) {
    let early = state.withLock { state in
      if state.early == nil { state.continuation = continuation }
      return state.early
    }
    if let early { continuation.resume(with: early) }
  }

  func end(with result: Result<Value, any Error>) {
    let continuation = state.withLock { state in
      defer { state.continuation = nil }
      if state.early == nil { state.early = result }
      return state.continuation
    }
    continuation?.resume(with: result)
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
