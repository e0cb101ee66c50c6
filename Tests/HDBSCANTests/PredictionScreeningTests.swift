import Testing
import Vectors

@testable import HDBSCAN

/// However pairs are screened, predictions are the same.
@Suite struct PredictionScreeningTests {
  private func predictions(
    _ points: Points, _ queries: Points, _ clustering: Clustering, _ screening: Screening,
    threads: Int
  ) throws -> [Prediction] {
    try PredictionModel(
      points: points, coreDistances: clustering.coreDistances, tree: clustering.tree,
      selection: clustering.selection, parameters: clustering.parameters, screening: screening
    ).predict(queries, threads: threads)
  }

  /// A query whose squares overflow is compared with every row.
  @Test func aQueryFarBeyondAllRowsIsAnswered() throws {
    let rows = Geometry.clustered.rows(700, 6, seed: 63)
    let points = Points.float64(Matrix(rows))
    var parameters = Parameters()
    parameters.minClusterSize = 4
    let clustering = try fit(points, parameters: parameters)
    let queries = Points.float64(Matrix([[Double](repeating: 1e149, count: 6), rows[5]]))
    let expected = try predictions(
      points, queries, clustering, Screening(kernel: .sgemm), threads: 1)
    for kernel in availableKernels where kernel != .sgemm {
      for projected in [nil, 2, 5] {
        let screening = Screening(kernel: kernel, isForced: true, projectedColumns: projected)
        #expect(
          try predictions(points, queries, clustering, screening, threads: 2) == expected)
      }
    }
  }

  @Test(arguments: Geometry.allCases, [3, 40])
  func everyKernelPredictsTheSame(geometry: Geometry, columns: Int) throws {
    let rows = geometry.rows(1300, columns, seed: 61)
    // New points, training points, points between, and some from far away.
    let queries =
      geometry.rows(210, columns, seed: 62) + Array(rows.suffix(20))
      + zip(rows, rows.dropFirst()).prefix(20).map { zip($0, $1).map { ($0 + $1) / 2 } }
      + rows.prefix(7).map { $0.map { 1e6 * $0 } }
    let points = Points.float32(floatMatrix(rows))
    var parameters = Parameters()
    parameters.minClusterSize = 4
    parameters.minSamples = 3
    let clustering = try fit(points, parameters: parameters)
    let questions = Points.float32(floatMatrix(queries))
    let expected = try predictions(
      points, questions, clustering, Screening(kernel: .sgemm), threads: 1)
    for kernel in availableKernels where kernel != .sgemm {
      for (isForced, projected) in [(true, nil), (false, nil), (true, 3), (true, min(33, columns))]
      {
        let screening = Screening(
          kernel: kernel, isForced: isForced, projectedColumns: projected)
        let found = try predictions(points, questions, clustering, screening, threads: 2)
        #expect(found == expected)
      }
    }
  }
}
