import HDBSCAN
import Testing
import Vectors

@testable import PersonGrouping

@Suite struct PairEvidenceTests {
  private let faces: Matrix<Float>
  private let hierarchy: SingleLinkage

  init() throws {
    let demo = try DemoPeople(every: 4)
    faces = demo.embeddings.selecting(rows: Array(0..<60))
    hierarchy = SingleLinkage(
      edges: try DemoPeople.fit(faces).spanningTree, pointCount: 60)
  }

  /// The evidence of a set of faces, pair by pair.
  private func evidence(_ set: some Collection<Int>, _ threshold: Double) -> Double {
    let members = Array(set)
    var total = 0.0
    for (position, first) in members.enumerated() {
      for second in members.dropFirst(position + 1) {
        total += faces.dotProduct(first, second) - threshold
      }
    }
    return total - 0.15 * PairEvidence.singleFaces(Double(members.count))
  }

  @Test(arguments: [0.2, 0.36, 0.5])
  func theAntichainHasTheGreatestEvidence(threshold: Double) throws {
    let root = try #require(hierarchy.root)
    let extraction = PairEvidence(
      faces: CentredFaces(plain: faces), hierarchy: hierarchy,
      votes: [Double](repeating: 1, count: 60),
      forbidden: [Bool](repeating: false, count: root + 1))
    let groups = extraction.extract(threshold: threshold, penalty: 0.15)
    let found = Set(groups).filter { $0 >= 60 }.reduce(0) {
      $0 + evidence(hierarchy.points(below: $1), threshold)
    }
    var best = [Double](repeating: 0, count: root + 1)
    for node in 60...root {
      best[node] = max(
        evidence(hierarchy.points(below: node), threshold),
        hierarchy.children(of: node).reduce(0) { $0 + best[$1] })
    }
    #expect(abs(found - best[root]) < 1e-6 * max(1, best[root]))
    for (face, node) in groups.enumerated() {
      #expect(hierarchy.points(below: node).contains(face))
    }
  }

  @Test func sumsOfNodes() throws {
    NodeSums(
      faces: CentredFaces(plain: faces), votes: [Double](repeating: 1, count: 60)
    ).visit(hierarchy) {
      node, norm in
      var direct = 0.0
      for first in hierarchy.points(below: node) {
        for second in hierarchy.points(below: node) { direct += faces.dotProduct(first, second) }
      }
      #expect(abs(norm - direct) < 1e-6 * max(1, direct))
    }
  }

  @Test func growingFaceByFaceCostsTheSumOfRoots() {
    var sum = 0.0
    for weight in 1...200 {
      #expect(abs(PairEvidence.singleFaces(Double(weight)) - sum) < 0.05)
      sum += Double(weight).squareRoot()
    }
  }

  @Test func theBestMergeComesFirst() {
    var queue = MergeQueue()
    var values: [Double] = []
    for index in 0..<500 {
      let value = Double(index * 7919 % 97)
      values.append(value)
      queue.insert(
        PossibleMerge(
          evidence: value, first: Int32(index % 13), second: Int32(index), firstVersion: 0,
          secondVersion: 0))
    }
    var taken: [PossibleMerge] = []
    while let best = queue.best {
      taken.append(best)
      queue.removeBest()
    }
    #expect(taken.map(\.evidence) == values.sorted(by: >))
    for (first, second) in zip(taken, taken.dropFirst()) { #expect(!second.precedes(first)) }
  }
}
