import HDBSCAN
import Testing
import Vectors

@testable import HDBSCAN

/// The screened algorithm against the definitions: core distances and weights equal bit for bit.
@Suite struct SpanningTreeParityTests {
  private func check<Scalar: ExactScalar>(
    _ matrix: Matrix<Scalar>, _ points: Points, minSamples: Int, alpha: Double = 1,
    weights: [Int]? = nil
  ) throws {
    let expected = directGeometry(matrix, minSamples: minSamples, alpha: alpha, weights: weights)
    var trees: [MutualReachabilityTree] = []
    for kernel in availableKernels {
      trees.append(
        try computedTree(
          points, minSamples: minSamples, alpha: alpha, weights: weights, kernel: kernel))
    }
    for tree in trees {
      #expect(tree.coreDistances == trees[0].coreDistances)
      #expect(tree.edges.map(\.weight) == trees[0].edges.map(\.weight))
    }
    let found = trees[trees.count - 1]
    #expect(found.coreDistances == expected.cores)
    #expect(found.edges.map(\.weight) == expected.weights)
    var sets = DisjointSets(count: matrix.rows)
    for edge in found.edges {
      let joins = sets.unite(edge.a, edge.b)
      #expect(joins, "\(edge) closes a cycle")
      let distance = matrix.squaredDistance(edge.a, edge.b).squareRoot() / alpha
      #expect(
        edge.weight == max(found.coreDistances[edge.a], found.coreDistances[edge.b], distance))
    }
  }

  @Test(arguments: Geometry.allCases, [1, 3, 8])
  func severalBlocks(geometry: Geometry, minSamples: Int) throws {
    let matrix = floatMatrix(geometry.rows(1150, 24, seed: 11))
    try check(matrix, .float32(matrix), minSamples: minSamples)
  }

  @Test(arguments: Geometry.allCases)
  func doublePrecision(geometry: Geometry) throws {
    let matrix = Matrix(geometry.rows(600, 10, seed: 12))
    try check(matrix, .float64(matrix), minSamples: 4)
  }

  @Test(arguments: Array(1...70) + [128, 512, 2048])
  func everyLengthOfRow(columns: Int) throws {
    let matrix = floatMatrix(Geometry.clustered.rows(columns > 128 ? 150 : 530, columns, seed: 13))
    try check(matrix, .float32(matrix), minSamples: 2)
  }

  @Test(arguments: [0.25, 0.7, 1.9])
  func alphaScalesDistancesOnly(alpha: Double) throws {
    for geometry in [Geometry.uniform, .clustered, .integerGrid] {
      let matrix = floatMatrix(geometry.rows(560, 5, seed: 14))
      try check(matrix, .float32(matrix), minSamples: 3, alpha: alpha)
    }
  }

  @Test(arguments: [1, 2, 5, 100, 700, 5000])
  func minSamplesOfEverySize(minSamples: Int) throws {
    for geometry in [Geometry.clustered, .duplicated] {
      let matrix = floatMatrix(geometry.rows(640, 6, seed: 15))
      try check(matrix, .float32(matrix), minSamples: minSamples)
    }
  }

  @Test(arguments: [Geometry.uniform, .clustered, .duplicated, .integerGrid])
  func weightsCountAsPoints(geometry: Geometry) throws {
    let matrix = floatMatrix(geometry.rows(570, 3, seed: 16))
    let weights = (0..<570).map { 1 + $0 % 5 * ($0 % 3) }
    for minSamples in [1, 4, 20] {
      try check(matrix, .float32(matrix), minSamples: minSamples, weights: weights)
    }
  }

  @Test(arguments: 1...24)
  func tinyInputs(count: Int) throws {
    for geometry in Geometry.allCases {
      let matrix = floatMatrix(geometry.rows(count, 2, seed: UInt64(count)))
      for minSamples in [1, 2, 30] { try check(matrix, .float32(matrix), minSamples: minSamples) }
    }
  }

  @Test func subnormalAndHugeDoubles() throws {
    for scale in [0x1p-530, 0x1p-700, 0x1p-1060, 0x1p490] {
      let matrix = Matrix(
        Geometry.clustered.rows(530, 4, seed: 17).map { $0.map { $0 * scale } })
      try check(matrix, .float64(matrix), minSamples: 2)
    }
  }
}
