import HDBSCAN
import Testing
import Vectors

@testable import HDBSCAN

@Suite struct SpanningTreeInvarianceTests {
  @Test(arguments: Geometry.allCases)
  func threadsChangeNothing(geometry: Geometry) throws {
    let points = Points.float32(floatMatrix(geometry.rows(1600, 17, seed: 21)))
    let one = try computedTree(points, minSamples: 3, threads: 1)
    for threads in [2, 3, 8] {
      let more = try computedTree(points, minSamples: 3, threads: threads)
      #expect(more.coreDistances == one.coreDistances)
      #expect(more.edges == one.edges)
    }
  }

  @Test(arguments: Geometry.allCases)
  func permutationMovesPointsOnly(geometry: Geometry) throws {
    let rows = geometry.rows(1100, 9, seed: 22)
    var random = SplitMix64(state: 23)
    let order = rows.indices.shuffled(using: &random)
    let straight = try computedTree(.float32(floatMatrix(rows)), minSamples: 4)
    let shuffled = try computedTree(.float32(floatMatrix(order.map { rows[$0] })), minSamples: 4)
    #expect(shuffled.coreDistances == order.map { straight.coreDistances[$0] })
    #expect(shuffled.edges.map(\.weight) == straight.edges.map(\.weight))
  }

  /// Improving the tree on the way is for many rows and poor trees; here it happens in every round.
  @Test(arguments: Geometry.allCases, [0, 5000])
  func thinningChangesNothing(geometry: Geometry, mostPairs: Int) throws {
    let points = Points.float32(floatMatrix(geometry.rows(2300, 12, seed: 27)))
    let expected = try computedTree(points, minSamples: 3)
    let thinned = try computedTree(points, minSamples: 3, mostPairs: mostPairs)
    #expect(thinned.coreDistances == expected.coreDistances)
    #expect(thinned.edges.map(\.weight) == expected.edges.map(\.weight))
  }

  @Test func copiesAndWeightsAgree() throws {
    let rows = Geometry.clustered.rows(300, 8, seed: 24)
    let weights = rows.indices.map { 1 + $0 % 4 }
    let copies = rows.indices.flatMap { [[Double]](repeating: rows[$0], count: weights[$0]) }
    let weighted = try computedTree(.float32(floatMatrix(rows)), minSamples: 5, weights: weights)
    let copied = try computedTree(.float32(floatMatrix(copies)), minSamples: 5)
    let expanded = rows.indices.flatMap {
      [Double](repeating: weighted.coreDistances[$0], count: weights[$0])
    }
    #expect(copied.coreDistances == expanded)
    // Copies add edges that weigh a core distance; between distinct rows the trees weigh the same.
    let starts = rows.indices.map { weights[..<$0].reduce(0, +) }
    let firsts = Set(starts)
    let between = copied.edges.filter { firsts.contains($0.a) && firsts.contains($0.b) }
    #expect(between.map(\.weight) == weighted.edges.map(\.weight))
  }

  @Test(.timeLimit(.minutes(1)))
  func thousandsOfCopiesCostNothing() throws {
    var rows = Geometry.clustered.rows(400, 64, seed: 25)
    rows += [[Double]](repeating: rows[7], count: 5000)
    let tree = try computedTree(.float32(floatMatrix(rows)), minSamples: 3)
    #expect(tree.edges.count == 5399)
    #expect(tree.edges.prefix(5000).allSatisfy { $0.weight == 0 && $0.a == 7 })
    #expect(tree.edges[5000].weight > 0)
  }

  @Test func negativeZeroIsZero() throws {
    let tree = try computedTree(.float32(Matrix([[0, 1], [-0.0, 1], [5, 5]])), minSamples: 1)
    #expect(tree.edges.first == WeightedEdge(0, 1, weight: 0))
  }

  @Test(arguments: [Geometry.uniform, .clustered, .integerGrid, .duplicated])
  func aMatrixOfDistancesGivesTheSame(geometry: Geometry) throws {
    let matrix = Matrix(geometry.rows(300, 6, seed: 26))
    let distances = Matrix(
      (0..<300).map { a in (0..<300).map { matrix.squaredDistance(a, $0).squareRoot() } })
    for (minSamples, alpha) in [(1, 1.0), (4, 0.5), (900, 1.0)] {
      let direct = try computedTree(.float64(matrix), minSamples: minSamples, alpha: alpha)
      let given = try computedTree(.distances(distances), minSamples: minSamples, alpha: alpha)
      #expect(given.coreDistances == direct.coreDistances)
      #expect(given.edges.map(\.weight) == direct.edges.map(\.weight))
    }
    let weights = (0..<300).map { 1 + $0 % 3 }
    #expect(
      try computedTree(.distances(distances), minSamples: 6, weights: weights).coreDistances
        == computedTree(.float64(matrix), minSamples: 6, weights: weights).coreDistances)
  }
}
