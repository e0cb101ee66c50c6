import Testing
import Vectors

@testable import HDBSCAN

/// Inputs that are too small, too equal or too odd to have clusters.
@Suite struct EdgeCaseTests {
  private func parameters(_ minClusterSize: Int = 3, single: Bool = false) -> Parameters {
    var parameters = Parameters()
    parameters.minClusterSize = minClusterSize
    parameters.minSamples = 2
    parameters.allowSingleCluster = single
    return parameters
  }

  /// Rows whose squares overflow, but none of those that bytes are tried on.
  @Test func rowsFarBeyondTheOthersAreFitted() throws {
    let count = 5_120
    let sampled = Set((0..<256).map { $0 * count / 255 } + (0..<512).map { $0 * count / 512 })
    var random = SplitMix64(state: 81)
    let rows = (0..<count).map { row in
      let isFar = (row % 10 == 5 || row % 10 == 6) && !sampled.contains(row)
      return (0..<4).map { _ in
        (isFar ? 1e149 : 1e-8) * Double.random(in: -1...1, using: &random)
      }
    }
    let points = Points.float64(Matrix(rows))
    var parameters = Parameters()
    parameters.minClusterSize = 5
    let expected = try computedTree(points, minSamples: 5, kernel: .sgemm, isForced: false)
    for kernel in availableKernels {
      let tree = try computedTree(points, minSamples: 5, kernel: kernel, isForced: true)
      #expect(tree.coreDistances == expected.coreDistances)
      #expect(tree.edges.map(\.weight) == expected.edges.map(\.weight))
    }
    #expect(try fit(points, parameters: parameters).labels.count == count)
  }

  @Test(arguments: [false, true]) func noPoints(single: Bool) {
    let result = extract([], parameters(single: single))
    #expect(result.labels.isEmpty)
    #expect(result.tree.rowCount == 0)
    #expect(result.tree.clusterCount == 0)
    #expect(result.tree.root == nil)
    #expect(result.selection.nodes.isEmpty)
  }

  @Test(arguments: [false, true]) func onePointIsNoise(single: Bool) {
    let result = extract([[1, 2]], parameters(single: single))
    #expect(result.labels == [-1])
    #expect(result.probabilities == [0])
    #expect(result.outlierScores == [0])
    #expect(result.pointLambdas == [0])
    #expect(result.tree.parents == [1])
    #expect(result.tree.children == [0])
  }

  @Test func twoPointsAreNoiseUnlessTheRootMayBeACluster() {
    let rows: [[Double]] = [[0, 0], [0, 2]]
    #expect(extract(rows, parameters()).labels == [-1, -1])
    let alone = extract(rows, parameters(single: true))
    #expect(alone.labels == [0, 0])
    #expect(alone.probabilities == [1, 1])
    #expect(alone.pointLambdas == [0.5, 0.5])
  }

  @Test func identicalPointsHaveInfiniteLambdaAndFiniteScores() {
    let rows = [[Double]](repeating: [3, 4], count: 7)
    let noise = extract(rows, parameters())
    #expect(noise.labels == Array(repeating: -1, count: 7))
    #expect(noise.pointLambdas.allSatisfy { $0 == .infinity })
    #expect(noise.outlierScores == Array(repeating: 0, count: 7))
    let alone = extract(rows, parameters(single: true))
    #expect(alone.labels == Array(repeating: 0, count: 7))
    #expect(alone.probabilities == Array(repeating: 1, count: 7))
    #expect(alone.selection.persistences == [1])
    #expect(alone.selection.stabilities == [.infinity])
    #expect(alone.exemplars == [Array(0..<7)])
  }

  @Test func fewerPointsThanACluster() {
    let rows: [[Double]] = [[0, 0], [0, 1], [5, 5]]
    let result = extract(rows, parameters(10))
    #expect(result.labels == [-1, -1, -1])
    #expect(result.tree.clusterCount == 1)
  }

  @Test func threeCopiesBesideAGroupStayFinite() {
    let rows: [[Double]] = [
      [0, 0], [0, 0], [0, 0], [0.1, 0], [0, 0.1], [8, 8], [8.1, 8], [8, 8.1], [8.1, 8.1],
    ]
    let result = extract(rows, parameters())
    #expect(result.labels == [0, 0, 0, 0, 0, 1, 1, 1, 1])
    for value in result.probabilities + result.outlierScores + result.selection.persistences {
      #expect(value >= 0 && value <= 1)
    }
    // The copies end their cluster at infinity, which makes its other members full members too.
    #expect(Array(result.probabilities[0..<5]) == Array(repeating: 1, count: 5))
    #expect(Array(result.outlierScores[0..<5]) == [0, 0, 0, 1, 1])
  }

  @Test func aDeepTreeNeedsNoStack() {
    // Every gap is longer than the one before: one chain of 200,000 merges.
    let count = 200_000
    let edges = (1..<count).map { WeightedEdge($0 - 1, $0, weight: Double($0)) }
    let tree = MutualReachabilityTree(
      coreDistances: (0..<count).map { Double(max($0, 1)) }, edges: edges)
    let result = extractClusters(
      from: tree, pointCount: count, parameters: parameters(2, single: true), weights: nil)
    #expect(result.tree.clusterCount == 1)
    #expect(result.labels.filter { $0 == 0 }.count == 2)
  }
}
