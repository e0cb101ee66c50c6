internal import Dispatch
internal import Glibc

/// Turns SIGTERM and SIGINT into the cancellation of a task, so that it ends in good order.
///
/// A second signal ends the process at once.
enum StopSignals {
  /// Runs `body` as a task that the signals cancel.
  ///
  /// - Parameter stopping: called at the first signal.
  static func cancelling<Value: Sendable>(
    stopping: @escaping @Sendable () -> Void, _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    let task = Task { try await body() }
    let sources = [SIGTERM, SIGINT].map { number in
      // The default action would end the process before the source hears of the signal.
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        signal(number, SIG_DFL)
        stopping()
        task.cancel()
      }
      source.resume()
      return source
    }
    defer { for source in sources { source.cancel() } }
    return try await task.value
  }
}
