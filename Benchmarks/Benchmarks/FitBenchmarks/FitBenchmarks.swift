import Benchmark
import Glibc
import HDBSCAN
import SyntheticFaces
import Vectors

/// Fits in multiples of `T_gemm`: by size and threads, by kernel, and of hard data.
let benchmarks: @Sendable () -> Void = {
  Benchmark.defaultConfiguration = .init(
    metrics: [.wallClock, .peakMemoryResident], warmupIterations: 0, maxDuration: .seconds(120),
    maxIterations: 3)

  for size in BenchmarkSize.all {
    Benchmark("T_gemm \(size.name)") { benchmark in
      let faces = SyntheticFaces(count: size.count, dimensions: size.dimensions)
      benchmark.startMeasurement()
      blackHole(Yardstick.allProducts(faces.embeddings))
      benchmark.stopMeasurement()
    }
    for threads in Set([1, availableThreads]).sorted() {
      fitBenchmark("fit \(size.name), threads \(threads)", threads: threads) {
        SyntheticFaces(count: size.count, dimensions: size.dimensions).embeddings
      }
    }
    for kernel in ScreeningKernel.allCases where kernel.isAvailable {
      fitBenchmark("kernel \(kernel.rawValue) \(size.name)", kernel: kernel) {
        SyntheticFaces(count: size.count, dimensions: size.dimensions).embeddings
      }
    }
  }
  for hard in HardCase.all { fitBenchmark("hard: \(hard.name)", rows: hard.rows) }
}

/// A fit whose time is also given in multiples of `T_gemm`.
///
/// - Parameter kernel: set by `PHOTODB_KERNEL`, as a user would; nil leaves what is set.
private func fitBenchmark(
  _ name: String, threads: Int = 1, kernel: ScreeningKernel? = nil,
  rows: @escaping @Sendable () -> Matrix<Float>
) {
  let metrics = [.wallClock, .peakMemoryResident, Yardstick.metric]
  Benchmark(name, configuration: .init(metrics: metrics)) { benchmark in
    let rows = rows()
    let yardstick = Yardstick.time(rows)
    var parameters = Parameters()
    parameters.minClusterSize = 3
    parameters.minSamples = 2
    let before = getenv("PHOTODB_KERNEL").map { String(cString: $0) }
    if let kernel { setenv("PHOTODB_KERNEL", kernel.rawValue, 1) }
    defer {
      if let before { setenv("PHOTODB_KERNEL", before, 1) } else { unsetenv("PHOTODB_KERNEL") }
    }
    let start = ContinuousClock.now
    benchmark.startMeasurement()
    let clustering = try fit(.float32(rows), parameters: parameters, threads: threads)
    benchmark.stopMeasurement()
    let time = ContinuousClock.now - start
    benchmark.measurement(Yardstick.metric, Int((1000 * (time / yardstick)).rounded()))
    blackHole(clustering.labels)
  }
}
