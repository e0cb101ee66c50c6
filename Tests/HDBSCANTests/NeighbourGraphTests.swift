import Testing
import Vectors

@testable import HDBSCAN

@Suite struct NeighbourGraphTests {
  private func points(_ count: Int) -> Matrix<Float> {
    var state: UInt64 = 42
    func next() -> Float {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Float(state >> 40) / Float(1 << 24) - 0.5
    }
    return Matrix((0..<count).map { _ in (0..<9).map { _ in next() } })
  }

  @Test func neighboursAreTheNearest() throws {
    let matrix = points(150)
    let graph = try nearestNeighbours(of: matrix, count: 5)
    #expect(graph.perPoint == 5)
    for point in 0..<150 {
      let nearest = (0..<150).filter { $0 != point }
        .sorted { matrix.squaredDistance(point, $0) < matrix.squaredDistance(point, $1) }
        .prefix(5)
      #expect(graph.indices[5 * point..<5 * point + 5].map(Int.init) == Array(nearest))
    }
  }

  @Test func aFitHandsItsNeighboursOut() throws {
    let matrix = points(80)
    var parameters = Parameters()
    parameters.minSamples = 2
    let clustering = try fit(.float32(matrix), parameters: parameters)
    let graph = try #require(clustering.neighbours)
    #expect(graph == (try nearestNeighbours(of: matrix, count: graph.perPoint)))
    #expect(try reextract(clustering, parameters: parameters).neighbours == graph)
  }

  @Test func copiesHangOnTheirFirst() throws {
    let matrix = points(20).selecting(rows: Array(0..<20) + [3, 3])
    let graph = try nearestNeighbours(of: matrix, count: 2)
    #expect(graph.indices.suffix(4).allSatisfy { $0 == -1 })
    #expect(!graph.indices.contains { $0 >= 20 })
    #expect(throws: HDBSCANError.self) { try nearestNeighbours(of: matrix, count: 0) }
  }

  /// Copies tie, and then the smaller row is nearer, whoever looks first.
  @Test(arguments: [1, 2]) func queriesFindTheirNearestRows(threads: Int) throws {
    let asked = Array(400..<430) + Array(1_495..<1_500) + [7, 7, 1_499]
    let both = points(1_500).selecting(rows: asked + Array(30..<1_500) + [7, 7, 1_499])
    let (queries, matrix) = (both.rows(0..<asked.count), both.rows(asked.count..<both.rows))
    let graph = try nearestNeighbours(of: queries, among: matrix, count: 5, threads: threads)
    #expect(graph.perPoint == 5)
    for query in 0..<queries.rows {
      let nearest = (0..<matrix.rows).map {
        (distance: both.squaredDistance(query, queries.rows + $0), row: $0)
      }.sorted { ($0.distance, $0.row) < ($1.distance, $1.row) }.prefix(5)
      #expect(
        graph.indices[5 * query..<5 * query + 5].map(Int.init) == nearest.map(\.row),
        "query \(query)")
    }
  }

  @Test func queriesThatCannotBeAnsweredAreRefused() throws {
    let matrix = points(20)
    #expect(throws: HDBSCANError.self) {
      try nearestNeighbours(of: matrix, among: matrix, count: 0)
    }
    let narrow = Matrix<Float>([[1, 0]])
    #expect(throws: HDBSCANError.self) {
      try nearestNeighbours(of: narrow, among: matrix, count: 1)
    }
    #expect(throws: HDBSCANError.cancelled) {
      try nearestNeighbours(of: matrix, among: matrix, count: 1, isCancelled: { true })
    }
    #expect(try nearestNeighbours(of: matrix, among: matrix, count: 99).perPoint == 20)
    #expect(try nearestNeighbours(of: matrix.rows(0..<0), among: matrix, count: 3).indices.isEmpty)
  }
}
