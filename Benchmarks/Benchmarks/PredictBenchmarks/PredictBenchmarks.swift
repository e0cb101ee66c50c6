import Benchmark
import HDBSCAN
import SyntheticFaces
import Vectors

/// Predictions of one, a hundred and ten thousand new faces by a model of 10,000 × 128.
let benchmarks: @Sendable () -> Void = {
  Benchmark.defaultConfiguration = .init(
    metrics: [.wallClock, .throughput, .peakMemoryResident], warmupIterations: 1,
    maxDuration: .seconds(10), maxIterations: 1_000)

  for count in [1, 100, 10_000] {
    Benchmark("predict \(count)") { benchmark, prepared in
      benchmark.startMeasurement()
      blackHole(try prepared.model.predict(prepared.queries))
      benchmark.stopMeasurement()
    } setup: {
      try Prepared(queryCount: count)
    }
  }
}

/// A model, and queries of the same people that it was not fitted with.
private struct Prepared: Sendable {
  let model: PredictionModel
  let queries: Points

  init(queryCount: Int) throws {
    let fitted = 10_000
    let faces = SyntheticFaces(count: fitted + queryCount, dimensions: 128).embeddings
    let training = Points.float32(faces.selecting(rows: Array(0..<fitted)))
    var parameters = Parameters()
    parameters.minClusterSize = 3
    parameters.minSamples = 2
    model = try PredictionModel(
      points: training, clustering: try fit(training, parameters: parameters))
    queries = .float32(faces.selecting(rows: Array(fitted..<fitted + queryCount)))
  }
}
