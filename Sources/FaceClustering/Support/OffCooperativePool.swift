internal import Dispatch
internal import Synchronization

/// Runs blocking numeric work on a thread of its own, so that tasks that serve others go on.
///
/// - Parameter work: is told, when it asks, whether the task was cancelled meanwhile.
func offCooperativePool<Value: Sendable>(
  _ work: @escaping @Sendable (_ isCancelled: @escaping @Sendable () -> Bool) throws -> Value
) async throws -> Value {
  let flag = CancellationFlag()
  return try await withTaskCancellationHandler {
    try await withCheckedThrowingContinuation { continuation in
      // Not of the default class, whose threads serve tasks.
      DispatchQueue.global(qos: .utility).async {
        continuation.resume(with: Result { try work { flag.isRaised } })
      }
    }
  } onCancel: {
    flag.raise()
  }
}

private final class CancellationFlag: Sendable {
  private let value = Atomic(false)
  var isRaised: Bool { value.load(ordering: .relaxed) }
  func raise() { value.store(true, ordering: .relaxed) }
}
