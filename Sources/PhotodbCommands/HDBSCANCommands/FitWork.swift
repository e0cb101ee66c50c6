internal import HDBSCAN
internal import TensorFiles

extension FitCommand {
  /// Fits the rows on a thread of its own, with progress on a terminal.
  func fit(
    _ rows: InputRows, _ parameters: Parameters, _ steering: Steering
  ) async throws -> Clustering {
    let bar = output.progressBar()
    defer { bar.finish() }
    return try await offPool { [file, threads] in
      try naming(file, rows: rows) {
        try HDBSCAN.fit(
          rows.points, parameters: parameters, weights: steering.weights,
          constraints: steering.constraints, threads: threads.count
        ) { progress in
          bar.update(phase: progress.phase.title, fraction: progress.fraction)
          return true
        }
      }
    }
  }
}

extension FitProgress.Phase {
  /// What the progress line calls it.
  fileprivate var title: String {
    switch self {
    case .preparation: "fit: preparation"
    case .neighbours: "fit: neighbours"
    case .spanningTree: "fit: spanning tree"
    case .hierarchy: "fit: hierarchy"
    }
  }
}

extension InputRows {
  /// Refuses a fit that would need more memory than the machine has, before it begins.
  ///
  /// A matrix of distances is in memory already and needs little beside itself.
  func checkMemory(parameters: Parameters, path: String) throws {
    guard parameters.metric != .precomputed else { return }
    let minSamples = parameters.minSamples ?? parameters.minClusterSize
    // What is below 1 the fit refuses, by its name.
    let working = estimatedFitMemory(
      points: points.count, dimensions: dimensions,
      minSamples: max(min(minSamples, points.count), 1))
    let needed = working + points.count * dimensions * MemoryLayout<Double>.stride
    guard needed <= ReadLimit.physicalMemory else {
      throw CommandFailure(
        "\(path): a fit of \(points.count) × \(dimensions) needs about "
          + "\(Formatting.bytes(needed)), but there are "
          + "\(Formatting.bytes(ReadLimit.physicalMemory)); fit fewer rows")
    }
  }
}
