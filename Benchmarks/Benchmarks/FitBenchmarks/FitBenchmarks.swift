import Benchmark
import HDBSCAN
import SyntheticFaces
import Vectors

/// Fits, beside the time that sgemm needs for all n² inner products on one core (`T_gemm`).
let benchmarks: @Sendable () -> Void = {
  Benchmark.defaultConfiguration = .init(
    metrics: [.wallClock, .peakMemoryResident], warmupIterations: 0, maxDuration: .seconds(120),
    maxIterations: 3)

  for size in BenchmarkSize.all {
    Benchmark("T_gemm \(size.name)") { benchmark in
      let faces = SyntheticFaces(count: size.count, dimensions: size.dimensions)
      benchmark.startMeasurement()
      blackHole(allProducts(faces.embeddings))
      benchmark.stopMeasurement()
    }
    for threads in Set([1, availableThreads]).sorted() {
      Benchmark("fit \(size.name), threads \(threads)") { benchmark in
        let faces = SyntheticFaces(count: size.count, dimensions: size.dimensions)
        var parameters = Parameters()
        parameters.minClusterSize = 3
        parameters.minSamples = 2
        benchmark.startMeasurement()
        let clustering = try fit(
          .float32(faces.embeddings), parameters: parameters, threads: threads)
        benchmark.stopMeasurement()
        blackHole(clustering.labels)
      }
    }
  }
}

/// Every inner product of the rows once, in blocks that stay in the cache; nothing is kept.
///
/// - Returns: a value that depends on the last block, so that nothing can be left out.
private func allProducts(_ rows: Matrix<Float>) -> Float {
  let side = 1024
  let products = UnsafeMutablePointer<Float>.allocate(capacity: side * side)
  defer { products.deallocate() }
  for first in stride(from: 0, to: rows.rows, by: side) {
    for second in stride(from: 0, to: rows.rows, by: side) {
      BlockProducts.multiply(
        rows, rows: first..<min(first + side, rows.rows), by: rows,
        columns: second..<min(second + side, rows.rows), into: products, stride: side)
    }
  }
  return products[0]
}
