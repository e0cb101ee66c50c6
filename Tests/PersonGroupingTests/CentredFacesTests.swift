import HDBSCAN
import Testing
import Vectors

@testable import PersonGrouping

/// What is computed without a centred copy is what a centred copy would give.
@Suite struct CentredFacesTests {
  private let vectors: Matrix<Float>
  private let groups: [[Int]]
  private let votes: [Double]
  private let faces: CentredFaces
  /// The copy: rows (v − c)/|v − c|.
  private let copy: [[Double]]

  init() throws {
    let demo = try DemoPeople(every: 8)
    vectors = withSharedComponent(demo.embeddings, 0.5)
    groups = Dictionary(grouping: demo.identities.indices) { demo.identities[$0] }
      .sorted { $0.key < $1.key }.map(\.value)
    votes = demo.identities.indices.map { $0 % 3 == 0 ? 0.5 : 1 }
    faces = CentredFaces(vectors, groups: groups, threads: 2)
    let middle = faces.centre.values(ofRow: 0).map(Double.init)
    copy = (0..<vectors.rows).map { [vectors] row in
      let moved = zip(vectors.values(ofRow: row), middle).map { Double($0) - $1 }
      let length = moved.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return moved.map { $0 / length }
    }
  }

  private func product(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
  }

  private func sum(_ group: [Int]) -> [Double] {
    group.reduce(into: [Double](repeating: 0, count: vectors.columns)) { sum, face in
      for column in sum.indices { sum[column] += votes[face] * copy[face][column] }
    }
  }

  @Test func productsOfFaces() {
    #expect(faces.centreSquare > 0.1)
    for face in 1..<vectors.rows {
      #expect(abs(faces.dotProduct(face - 1, face) - product(copy[face - 1], copy[face])) < 1e-5)
    }
  }

  /// Groups of one face count with their vote, too.
  @Test func productsOfGroups() {
    let sums = GroupVectors(faces, groups: groups, votes: votes, threads: 2)
    var expected = groups.map { sum($0) }
    for group in groups.indices.dropFirst() {
      let plain = product(expected[group - 1], expected[group])
      #expect(abs(sums.product(group - 1, group) - plain) < 1e-4)
    }
    for group in stride(from: 1, to: groups.count, by: 2) {
      sums.merge(group - 1, into: group)
      for column in expected[group].indices {
        expected[group][column] += expected[group - 1][column]
      }
    }
    for group in stride(from: 3, to: groups.count, by: 2) {
      let plain = product(expected[group - 2], expected[group])
      #expect(abs(sums.product(group - 2, group) - plain) < 1e-4)
    }
    for group in groups.indices {
      let plain = sum(groups[group])
      #expect(zip(faces.sum(groups[group], votes: votes), plain).allSatisfy { abs($0 - $1) < 1e-5 })
    }
  }

  @Test func normsOfNodes() throws {
    let hierarchy = GroupingInput(
      embeddings: vectors, clustering: try DemoPeople.fit(vectors)
    ).hierarchy
    var nodes = 0
    NodeSums(faces: faces, votes: votes).visit(hierarchy) { node, norm in
      let below = Array(hierarchy.points(below: node))
      if below.count > 100 { return }
      nodes += 1
      let plain = sum(below)
      #expect(abs(norm - product(plain, plain)) < 1e-3)
    }
    #expect(nodes > 50)
  }
}
