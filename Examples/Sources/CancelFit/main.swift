import Dispatch
import HDBSCAN
import Synchronization
import Vectors

func fitInBackground(_ points: Points, _ parameters: Parameters) async throws -> Clustering {
  let cancelled = Atomic(false)
  return try await withTaskCancellationHandler {
    try await withCheckedThrowingContinuation { continuation in
      DispatchQueue.global().async {
        continuation.resume(
          with: Result {
            try fit(points, parameters: parameters) { progress in
              print("\(progress.phase): \(progress.fraction)")
              return !cancelled.load(ordering: .relaxed)
            }
          })
      }
    }
  } onCancel: {
    cancelled.store(true, ordering: .relaxed)
  }
}

let points = Points.float32(Matrix((0..<1000).map { [Float($0), Float($0 % 7)] }))
let task = Task { try await fitInBackground(points, Parameters()) }
task.cancel()
do {
  print("clusters: \(try await task.value.selection.nodes.count)")
} catch HDBSCANError.cancelled {
  print("the fit was cancelled")
}
