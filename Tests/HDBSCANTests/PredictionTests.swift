import Testing
import Vectors

@testable import HDBSCAN

/// Prediction against a direct search over all training points.
@Suite struct PredictionTests {
  /// The prediction by its definition, one query against every training row.
  private func direct(
    _ query: [Double], _ rows: [[Double]], _ fit: Clustering, kept: [Int]? = nil
  ) -> Prediction {
    let kept = kept ?? Array(rows.indices)
    let parameters = fit.parameters
    let tree = fit.tree
    func distance(_ point: Int) -> Double { distanceMatrix([query, rows[point]])[0][1] }
    let labelling = ClusterLabelling(
      tree: tree, nodes: fit.selection.nodes, parameters: parameters)
    let peaks = tree.clusterPeaks
    func place(_ neighbour: Int, _ lambda: Double, _ cluster: Int) -> Prediction {
      let label = labelling.label(cluster: cluster, lambda: lambda)
      return Prediction(
        label: label, probability: labelling.probability(label: label, lambda: lambda),
        lambda: lambda,
        rawOutlierScore: outlierScore(
          lambda: lambda, peak: peaks[tree.pointParents[neighbour] - tree.pointCount]),
        neighbour: neighbour)
    }
    if let same = kept.first(where: { distance($0) == 0 }) {
      return place(same, fit.pointLambdas[same], tree.pointParents[same])
    }
    let needed = min(
      parameters.minSamples ?? parameters.minClusterSize, rows.count - 1, kept.count)
    let core = kept.map(distance).sorted()[max(needed, 1) - 1]
    let best = kept.map { point in
      (
        reach: max(core, fit.coreDistances[point], distance(point) / parameters.alpha),
        distance: distance(point), point: point
      )
    }.min { ($0.reach, $0.distance, $0.point) < ($1.reach, $1.distance, $1.point) }
    guard let best else { return place(0, 0, tree.pointCount) }
    let lambda = 1 / best.reach
    var cluster = tree.pointParents[best.point]
    let births = tree.clusterBirths
    while cluster > tree.pointCount && lambda <= births[cluster - tree.pointCount] {
      cluster = tree.clusterParents[cluster - tree.pointCount]
    }
    return place(best.point, lambda, cluster)
  }

  /// A fit with these core distances; any tree will do to test the search, and this one is a chain.
  private func chain(_ core: [Double], minSamples: Int) -> Clustering {
    let edges = (1..<core.count).map { WeightedEdge($0 - 1, $0, weight: 1 + Double($0)) }
    var parameters = Parameters()
    parameters.minSamples = minSamples
    return extractClusters(
      from: MutualReachabilityTree(coreDistances: core, edges: edges), pointCount: core.count,
      parameters: parameters, weights: nil)
  }

  /// Values that floats hold exactly, so that both precisions see the same data.
  private func rounded(_ rows: [[Double]]) -> [[Double]] {
    rows.map { $0.map { Double(Float($0)) } }
  }

  @Test(arguments: Shape.allCases) func agreesWithADirectSearch(shape: Shape) throws {
    let rows = rounded(shape.rows(count: 90, seed: 31))
    let queries = rounded(
      shape.rows(count: 60, seed: 32).map { $0.map { $0 + 0.05 } } + Array(rows.prefix(9)) + [
        [1e4, -1e4]
      ])
    for parameters in DefinitionParityTests.settings {
      let fit = extract(rows, parameters)
      let expected = queries.map { direct($0, rows, fit) }
      let double = try PredictionModel(points: .float64(Matrix(rows)), clustering: fit)
      #expect(try double.predict(.float64(Matrix(queries))) == expected)
      let floats = Matrix(rows.map { $0.map(Float.init) })
      let single = try PredictionModel(points: .float32(floats), clustering: fit)
      #expect(try single.predict(.float64(Matrix(queries)), threads: 2) == expected)
      // One query at a time takes another path through the products.
      for (query, expected) in zip(queries, expected) {
        #expect(try single.predict(.float64(Matrix([query]))) == [expected])
      }
    }
  }

  @Test func farFromTheOriginAndAtOddScalesItIsStillExact() throws {
    let base = Shape.groups.rows(count: 70, seed: 41)
    for (offset, scale) in [(1e4, 1.0), (0, 1e-25), (0, 1e25), (-3e8, 1e3)] {
      let rows = base.map { $0.map { $0 * scale + offset } }
      let queries = Shape.groups.rows(count: 30, seed: 42).map { $0.map { $0 * scale + offset } }
      var parameters = Parameters()
      parameters.minClusterSize = 4
      let fit = extract(rows, parameters)
      let model = try PredictionModel(points: .float64(Matrix(rows)), clustering: fit)
      #expect(
        try model.predict(.float64(Matrix(queries))) == queries.map { direct($0, rows, fit) })
    }
  }

  @Test func manyTilesAndManyQueries() throws {
    var random = SplitMix64(state: 77)
    // Multiples of 1/64 make every sum of squares exact, in whatever order it is taken.
    func coarse(_ rows: [[Double]]) -> [[Double]] {
      rows.map { $0.map { ($0 * 64).rounded() / 64 } }
    }
    let rows = coarse(
      (0..<2500).map { index in
        (0..<9).map {
          Double(index % 40 == $0 ? 1 : 0) + Double.random(in: -0.3...0.3, using: &random)
        }
      })
    let fit = chain(rows.indices.map { 0.2 + 0.001 * Double($0 % 700) }, minSamples: 7)
    let floats = Matrix(rows.map { $0.map(Float.init) })
    let model = try PredictionModel(points: .float32(floats), clustering: fit)
    let queries = coarse(
      (0..<450).map { index in rows[index * 5].map { $0 + 0.02 * Double(index % 7) } })
    let results = try model.predict(.float64(Matrix(queries)), threads: 2)
    for index in stride(from: 0, to: queries.count, by: 9) {
      #expect(results[index] == direct(queries[index], rows, fit))
    }
    #expect(try model.predict(.float64(Matrix(queries)), threads: 1) == results)
  }

  /// Threads share the training rows where there are fewer queries than threads.
  @Test(arguments: [Shape.groups, .grid, .duplicated])
  func aQueryAloneIsAnsweredByAllThreads(shape: Shape) throws {
    let rows = shape.rows(count: 17_000, seed: 78)
    let fit = chain(rows.indices.map { 0.001 * Double($0 % 70) }, minSamples: 5)
    let queries = shape.rows(count: 12, seed: 79) + [rows[9_000], rows[16_999]]
    for screening in [
      Screening(kernel: .sgemm), Screening(kernel: try .selected(), isForced: true),
    ] {
      let model = try PredictionModel(
        points: .float32(floatMatrix(rows)), coreDistances: fit.coreDistances, tree: fit.tree,
        selection: fit.selection, parameters: fit.parameters, screening: screening)
      let expected = try model.predict(.float64(Matrix(queries)), threads: 1)
      for (query, expected) in zip(queries, expected) {
        #expect(try model.predict(.float64(Matrix([query])), threads: 4) == [expected])
      }
    }
  }

  @Test func trainingVectorsGetTheirOwnLabels() throws {
    for shape in Shape.allCases {
      for parameters in DefinitionParityTests.settings {
        let rows = shape.rows(count: 60, seed: 51)
        let fit = extract(rows, parameters)
        let model = try PredictionModel(points: .float64(Matrix(rows)), clustering: fit)
        let again = try model.predict(.float64(Matrix(rows)))
        #expect(again.map(\.label) == fit.labels)
        #expect(again.map(\.probability) == fit.probabilities)
        #expect(again.map(\.outlierScore) == fit.outlierScores)
        #expect(again.map(\.lambda) == fit.pointLambdas)
      }
    }
  }

  @Test func deletedTrainingRowsAreNoNeighbours() throws {
    let rows = rounded(Shape.groups.rows(count: 50, seed: 61))
    var parameters = Parameters()
    parameters.minClusterSize = 4
    let fit = extract(rows, parameters)
    for kept in [Array(stride(from: 0, to: 50, by: 3)), [7, 9], []] {
      let model = try PredictionModel(
        points: .float64(
          Matrix(rows: kept.count, columns: 2) { storage, stride in
            for (row, point) in kept.enumerated() {
              storage[row * stride] = rows[point][0]
              storage[row * stride + 1] = rows[point][1]
            }
          }), pointOfRow: kept, coreDistances: fit.coreDistances, tree: fit.tree,
        selection: fit.selection, parameters: parameters)
      let results = try model.predict(.float64(Matrix(rows)))
      if kept.isEmpty {
        #expect(results.allSatisfy { $0.label == -1 && $0.neighbour == -1 && $0.outlierScore == 1 })
      } else {
        #expect(results == rows.map { direct($0, rows, fit, kept: kept) })
      }
    }
  }

  @Test func cosineNormalisesBothSides() throws {
    let rows = Shape.groups.rows(count: 40, seed: 71).map { [$0[0] + 9, $0[1], 3] }
    let unit = try Matrix(rows).normalisedInDouble()
    var parameters = Parameters()
    parameters.metric = .cosine
    let fit = extract((0..<40).map { unit.values(ofRow: $0) }, parameters)
    let model = try PredictionModel(points: .float64(Matrix(rows)), clustering: fit)
    let scaled = rows.map { $0.map { $0 * 8 } }
    #expect(try model.predict(.float64(Matrix(scaled))).map(\.label) == fit.labels)
    #expect(throws: HDBSCANError.self) { try model.predict(.float64(Matrix([[0, 0, 0]]))) }
  }

  @Test func whatDoesNotFitIsRefused() throws {
    let rows = Shape.groups.rows(count: 20, seed: 81)
    let fit = extract(rows, Parameters())
    let model = try PredictionModel(points: .float64(Matrix(rows)), clustering: fit)
    #expect(
      throws: HDBSCANError.shapeMismatch(
        "new points have 3 values each, but the model was fitted on 2")
    ) { try model.predict(.float64(Matrix([[1, 2, 3]]))) }
    #expect(
      throws: HDBSCANError.unusableRows(
        indices: [1], reason: "not finite, or zero where the metric is cosine")
    ) { try model.predict(.float64(Matrix([[1, 2], [.nan, 0]]))) }
    #expect(try model.predict(.float64(Matrix(rows: 0, columns: 2) { _, _ in })).isEmpty)
    #expect(throws: HDBSCANError.self) {
      try PredictionModel(points: .float64(Matrix(Array(rows.dropLast()))), clustering: fit)
    }
    var below = fit
    below.selection.nodes = [20, 21]
    #expect(throws: HDBSCANError.self) {
      try PredictionModel(points: .float64(Matrix(rows)), clustering: below)
    }
  }
}
