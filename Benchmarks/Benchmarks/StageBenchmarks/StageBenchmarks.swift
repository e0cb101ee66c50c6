import Benchmark
import BenchmarkDatabase
import FaceClustering
import Store
import SyntheticFaces
import Vectors

/// The stage on PostgreSQL: import, bootstrap and assignment.
let benchmarks: @Sendable () -> Void = {
  Benchmark.defaultConfiguration = .init(
    metrics: [.wallClock, .peakMemoryResident], warmupIterations: 0, maxDuration: .seconds(120),
    maxIterations: 3)

  for size in BenchmarkSize.all {
    Benchmark("import \(size.name)") { benchmark in
      try await withStage(size) { stage, faces in
        let file = faceFile(faces, 0..<size.count)
        benchmark.startMeasurement()
        blackHole(try await stage.importFaces(file))
        benchmark.stopMeasurement()
      }
    }
    Benchmark("bootstrap \(size.name)") { benchmark in
      try await withStage(size) { stage, faces in
        _ = try await stage.importFaces(faceFile(faces, 0..<size.count))
        benchmark.startMeasurement()
        blackHole(try await stage.bootstrap())
        benchmark.stopMeasurement()
      }
    }
    for arrivals in [1, 100, 1_000] { assignBenchmark(arrivals, to: size) }
  }
  if BenchmarkSize.isLarge { assignBenchmark(10_000, to: BenchmarkSize(100_000, 128)) }
}

/// Assignment of faces that came after a bootstrap.
private func assignBenchmark(_ arrivals: Int, to size: BenchmarkSize) {
  Benchmark("assign \(arrivals) to \(size.name)") { benchmark in
    try await withStage(BenchmarkSize(size.count + arrivals, size.dimensions)) { stage, faces in
      _ = try await stage.importFaces(faceFile(faces, 0..<size.count))
      _ = try await stage.bootstrap()
      _ = try await stage.importFaces(faceFile(faces, size.count..<size.count + arrivals))
      benchmark.startMeasurement()
      blackHole(try await stage.assign())
      benchmark.stopMeasurement()
    }
  }
}

/// Runs `body` with an empty collection on a server of its own, and synthetic faces.
private func withStage(
  _ size: BenchmarkSize, _ body: (FaceClustering, Matrix<Float>) async throws -> Void
) async throws {
  let database = try await BenchmarkDatabase.start()
  do {
    let stage = try await database.newCollection("benchmark", dimension: size.dimensions)
    try await body(
      stage, SyntheticFaces(count: size.count, dimensions: size.dimensions).embeddings)
  } catch {
    try await database.stop()
    throw error
  }
  try await database.stop()
}

/// Some rows as a file would give them.
private func faceFile(_ faces: Matrix<Float>, _ rows: Range<Int>) -> FaceFile {
  FaceFile(
    faces: rows.map { IncomingFace(externalID: "face-\($0)") }, rows: Array(rows),
    embeddings: faces.selecting(rows: Array(rows)))
}
