import HDBSCAN
import Synchronization
import Testing
import Vectors

@Suite struct SpanningTreeFitTests {
  private func parameters(_ change: (inout Parameters) -> Void) -> Parameters {
    var parameters = Parameters()
    change(&parameters)
    return parameters
  }

  @Test func cosineIsEuclideanOfNormalisedRows() throws {
    let rows = Geometry.clustered.rows(200, 12, seed: 31)
    let matrix = floatMatrix(rows)
    let cosine = try fit(.float32(matrix), parameters: parameters { $0.metric = .cosine })
    let euclidean = try fit(.float32(matrix.normalised()), parameters: Parameters())
    #expect(cosine.labels == euclidean.labels)
    #expect(cosine.spanningTree == euclidean.spanningTree)
    #expect(cosine.parameters.metric == .cosine)
  }

  @Test(arguments: 0...3)
  func fewPointsAreDefined(count: Int) throws {
    let matrix = floatMatrix(Geometry.uniform.rows(count, 2, seed: 32))
    let clustering = try fit(.float32(matrix), parameters: Parameters())
    #expect(clustering.labels == [Int](repeating: -1, count: count))
    #expect(clustering.spanningTree.count == max(count - 1, 0))
    #expect(clustering.coreDistances.count == count)
  }

  @Test func rowsWithoutColumnsAreAllEqual() throws {
    let matrix = Matrix<Float>(rows: 4, columns: 0) { _, _ in }
    let clustering = try fit(.float32(matrix), parameters: Parameters())
    #expect(clustering.coreDistances == [0, 0, 0, 0])
  }

  @Test func parametersOutOfRangeAreRefused() {
    let matrix = floatMatrix(Geometry.uniform.rows(10, 2, seed: 33))
    let cases = [
      ("min_cluster_size", parameters { $0.minClusterSize = 1 }),
      ("min_samples", parameters { $0.minSamples = 0 }),
      ("alpha", parameters { $0.alpha = 0 }),
      ("alpha", parameters { $0.alpha = 1e-151 }),
      ("alpha", parameters { $0.alpha = .nan }),
      ("alpha", parameters { $0.alpha = .infinity }),
      ("cluster_selection_epsilon", parameters { $0.clusterSelectionEpsilon = -1 }),
      ("cluster_selection_epsilon", parameters { $0.clusterSelectionEpsilon = .infinity }),
      ("max_cluster_size", parameters { $0.maxClusterSize = 0 }),
    ]
    for (name, wrong) in cases {
      #expect {
        try fit(.float32(matrix), parameters: wrong)
      } throws: { error in
        guard case HDBSCANError.invalidParameter(let found, _, _) = error else { return false }
        return found == name && !"\(error)".contains("\n")
      }
    }
  }

  @Test func unusableRowsAreNamed() throws {
    let bad = Matrix<Float>([[1, 2], [.nan, 0], [0, 0], [3, .infinity]])
    #expect(throws: HDBSCANError.self) { try fit(.float32(bad), parameters: Parameters()) }
    do {
      _ = try fit(.float32(bad), parameters: parameters { $0.metric = .cosine })
      Issue.record("zero and infinite rows were accepted")
    } catch {
      guard case .unusableRows(let indices, _) = error else {
        Issue.record("wrong error: \(error)")
        return
      }
      #expect(indices == [1, 2, 3])
    }
    #expect(throws: HDBSCANError.self) {
      try fit(.float64(Matrix([[1e200, 0], [0, 1]])), parameters: Parameters())
    }
  }

  @Test(
    arguments: [
      [[0, 1], [2, 0]], [[0, -1], [-1, 0]], [[1, 1], [1, 0]], [[0, .nan], [.nan, 0]], [[0, 1]],
    ] as [[[Double]]])
  func whatIsNoMatrixOfDistancesIsRefused(rows: [[Double]]) {
    #expect {
      try fit(.distances(Matrix(rows)), parameters: parameters { $0.metric = .precomputed })
    } throws: { error in
      if case HDBSCANError.invalidDistances = error { return true }
      return false
    }
  }

  /// No weight of the tree is infinite.
  @Test func distancesThatAlphaMakesInfiniteAreRefused() throws {
    let far = Points.distances(Matrix([[0, 1e308], [1e308, 0]]))
    #expect(throws: HDBSCANError.self) {
      try fit(
        far,
        parameters: parameters {
          $0.metric = .precomputed
          $0.alpha = 0.5
        })
    }
    let fitted = try fit(far, parameters: parameters { $0.metric = .precomputed })
    #expect(fitted.spanningTree.map(\.weight) == [1e308])
    let vectors = Points.float64(Matrix([[1e150, 1e150], [-1e150, -1e150]]))
    let least = try fit(vectors, parameters: parameters { $0.alpha = 1e-150 })
    #expect(least.spanningTree.map(\.weight).max()?.isFinite == true)
  }

  @Test func metricAndInputMustAgree() {
    let matrix = Matrix([[0, 1], [1, 0]])
    #expect(throws: HDBSCANError.self) { try fit(.distances(matrix), parameters: Parameters()) }
    #expect(throws: HDBSCANError.self) {
      try fit(.float64(matrix), parameters: parameters { $0.metric = .precomputed })
    }
    #expect(throws: HDBSCANError.self) {
      try fit(.float64(matrix), parameters: Parameters(), weights: [1])
    }
    #expect(throws: HDBSCANError.self) {
      try fit(.float64(matrix), parameters: Parameters(), weights: [1, 0])
    }
    #expect(throws: HDBSCANError.self) {
      try fit(.float64(matrix), parameters: Parameters(), threads: 0)
    }
  }

  @Test func progressRisesThroughThePhases() throws {
    let seen = Mutex<[FitProgress]>([])
    let matrix = floatMatrix(Geometry.clustered.rows(1500, 8, seed: 34))
    _ = try fit(.float32(matrix), parameters: Parameters(), threads: 2) { progress in
      seen.withLock { $0.append(progress) }
      return true
    }
    let reports = seen.withLock { $0 }
    let phases = FitProgress.Phase.allCases
    let places = reports.compactMap { report in
      phases.firstIndex(of: report.phase).map { Double($0) + report.fraction / 2 }
    }
    #expect(places == places.sorted())
    #expect(Set(reports.map(\.phase)).count == phases.count)
    #expect(reports.last == FitProgress(phase: .hierarchy, fraction: 1))
  }

  @Test(arguments: FitProgress.Phase.allCases)
  func cancellationStopsTheFit(phase: FitProgress.Phase) {
    let matrix = floatMatrix(Geometry.clustered.rows(1500, 8, seed: 35))
    #expect(throws: HDBSCANError.cancelled) {
      try fit(.float32(matrix), parameters: Parameters(), threads: 2) { $0.phase != phase }
    }
  }

  @Test func memoryEstimateGrowsWithTheWork() {
    let small = estimatedFitMemory(points: 10_000, dimensions: 128, minSamples: 2)
    #expect(small > 2 * 10_000 * 128 * 4)
    #expect(estimatedFitMemory(points: 20_000, dimensions: 128, minSamples: 2) > small)
    #expect(estimatedFitMemory(points: 10_000, dimensions: 512, minSamples: 2) > small)
  }
}
