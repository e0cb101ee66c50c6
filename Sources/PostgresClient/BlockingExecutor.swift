internal import Dispatch

/// A serial executor on a dispatch queue of its own.
///
/// libpq blocks its thread while it waits for the server. Jobs of a connection therefore run on a
/// Dispatch thread, never on Swift's cooperative pool, whose few threads must not block.
final class BlockingExecutor: SerialExecutor {
  private let queue: DispatchQueue

  init(label: String) {
    queue = DispatchQueue(label: label)
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let unowned = UnownedJob(job)
    queue.async {
      unowned.runSynchronously(on: self.asUnownedSerialExecutor())
    }
  }

  func checkIsolated() {
    dispatchPrecondition(condition: .onQueue(queue))
  }
}
