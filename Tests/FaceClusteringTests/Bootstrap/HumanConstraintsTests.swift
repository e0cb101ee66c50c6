import HDBSCAN
import PostgresClient
import Testing
import Vectors

@testable import FaceClustering
@testable import Store

/// What people said steers the selection, where it is evidence about groups.
@Suite struct HumanConstraintsTests {
  /// Two people of eight faces, 16 degrees apart, whom density takes for one; and a third far away.
  private static let angles =
    Circle.person(at: 0, count: 8) + Circle.person(at: 16, count: 8)
    + Circle.person(at: 120, count: 8)

  private func clustering(_ angles: [Double]) throws -> Clustering {
    var parameters = Parameters()
    parameters.minClusterSize = 3
    parameters.minSamples = 2
    return try fit(.float32(Matrix(angles.map(Circle.vector))), parameters: parameters)
  }

  private func snapshot(manual: [Int: Int64], of count: Int) -> FaceSnapshot {
    FaceSnapshot(
      ids: (0..<count).map { Int64($0 + 1) }, photoIDs: (0..<count).map { _ in nil },
      statuses: (0..<count).map { manual[$0] == nil ? .hdbscan : .manual },
      clusterIDs: (0..<count).map { manual[$0] ?? 100 }, embeddings: Matrix([]))
  }

  @Test func neighboursOfDifferentPeopleAreEnough() throws {
    let fitted = try clustering(Self.angles)
    // Four faces of each of two persons were placed by hand, in any order.
    let manual: [Int: Int64] = [0: 1, 3: 1, 5: 1, 7: 1, 8: 2, 11: 2, 13: 2, 15: 2]
    let said = HumanConstraints(explicit: [], personOf: [1: 10, 2: 20, 100: 30])
    let pairs = said.pairs(among: snapshot(manual: manual, of: fitted.labels.count), in: fitted)
    #expect(!pairs.isEmpty && pairs.count < manual.count)
    #expect(pairs.allSatisfy { $0.kind == .cannotLink && manual[$0.a] != manual[$0.b] })
    let steered = try reextract(fitted, parameters: fitted.parameters, constraints: pairs)
    #expect(pairs.allSatisfy { $0.isSatisfied(by: steered.labels) })
  }

  @Test func oneFaceOrOnePersonIsNoEvidence() throws {
    let fitted = try clustering(Self.angles)
    let said = HumanConstraints(explicit: [], personOf: [1: 10, 2: 20, 3: 10])
    for manual: [Int: Int64] in [
      [0: 1, 3: 1, 5: 1, 8: 2], [0: 1, 3: 1, 5: 1, 8: 3, 9: 3, 10: 3], [:],
    ] {
      #expect(
        said.pairs(among: snapshot(manual: manual, of: fitted.labels.count), in: fitted).isEmpty)
    }
  }

  @Test func pairsOfPeopleThemselvesAreTaken() throws {
    let fitted = try clustering(Self.angles)
    let said = HumanConstraints(
      explicit: [(1, 2, true), (1, 9, false), (1, 4711, false)], personOf: [:])
    let pairs = said.pairs(among: snapshot(manual: [:], of: fitted.labels.count), in: fitted)
    #expect(pairs == [PairConstraint(0, 1, .mustLink), PairConstraint(0, 8, .cannotLink)])
  }

  @Test func aMethodThatCannotHeedPairsGetsNone() throws {
    var fitted = try clustering(Self.angles)
    fitted.parameters.selectionMethod = .leaf
    let said = HumanConstraints(explicit: [(1, 2, true)], personOf: [:])
    #expect(said.pairs(among: snapshot(manual: [:], of: fitted.labels.count), in: fitted).isEmpty)
  }
}
