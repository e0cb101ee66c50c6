internal import Dispatch

/// Runs blocking numeric work on a thread of its own, so that tasks that serve others go on.
func offCooperativePool<Value: Sendable>(
  _ work: @escaping @Sendable () throws -> Value
) async throws -> Value {
  try await withCheckedThrowingContinuation { continuation in
    DispatchQueue.global().async {
      continuation.resume(with: Result { try work() })
    }
  }
}
