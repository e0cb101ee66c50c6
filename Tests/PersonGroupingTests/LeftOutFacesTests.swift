import ClusterEvaluation
import HDBSCAN
import PersonGrouping
import Testing
import Vectors

/// Faces that are grouped beside a fit that did not see them.
@Suite struct LeftOutFacesTests {
  /// Faces of which the first are fitted and every `step`th comes after them.
  private static func divided(
    _ demo: DemoPeople, leavingOut step: Int
  ) throws -> (input: GroupingInput, identities: [Int]) {
    let fitted = demo.identities.indices.filter { $0 % step != 0 }
    let beside = demo.identities.indices.filter { $0 % step == 0 }
    let embeddings = demo.embeddings.selecting(rows: fitted + beside)
    var input = GroupingInput(
      embeddings: embeddings,
      clustering: try DemoPeople.fit(embeddings.selecting(rows: Array(fitted.indices))))
    try input.findNeighboursBesideFit()
    return (input, (fitted + beside).map { demo.identities[$0] })
  }

  @Test(arguments: [2, 5]) func theyJoinTheirPeople(step: Int) throws {
    let demo = try DemoPeople(every: 2)
    let (input, identities) = try Self.divided(demo, leavingOut: step)
    let people = try groupPeople(input)
    let found = try ClusterScores(labels: people.personOfFace, truth: identities)
    let whole = try ClusterScores(
      labels: try DemoPeople.group(demo.embeddings).personOfFace, truth: demo.identities)
    // Pairs of which neither was fitted are no cluster, so a half of them costs more than a fifth.
    #expect(found.bcubed.f > whole.bcubed.f - (step == 2 ? 0.03 : 0.008))
    #expect(found.bcubed.precision > whole.bcubed.precision - 0.003)
    for face in input.fittedCount..<identities.count where people.clusterOfFace[face] >= 0 {
      #expect(people.isAdopted[face])
    }
  }

  @Test func threadsChangeNothing() throws {
    let demo = try DemoPeople(every: 4)
    var (one, _) = try Self.divided(demo, leavingOut: 3)
    let two = one
    one.neighbours = nil
    try one.findNeighboursBesideFit(threads: 1)
    let a = try groupPeople(two, threads: 2)
    #expect(try groupPeople(two, threads: 1).clusterOfFace == a.clusterOfFace)
    // Neighbours of the fit are more than the tree's edges; without them nearly nothing changes.
    let b = try groupPeople(one)
    let same = try ClusterScores(labels: b.personOfFace, truth: canonical(a.personOfFace))
    #expect(same.bcubed.f > 0.98)
  }

  /// Bad faces are alike because they are bad: among themselves they are nobody.
  @Test func aGroupNeedsAFittedFace() throws {
    var made = MadePeople(seed: 5)
    for _ in 0..<14 { made.add(photos: 8) }
    let embeddings = made.embeddings
    let known = 12 * 8
    var input = GroupingInput(
      embeddings: embeddings, clustering: try DemoPeople.fit(embeddings.rows(0..<known)))
    try input.findNeighboursBesideFit()
    let found = try groupPeople(input)
    #expect(found.clusterOfFace.dropFirst(known).allSatisfy { $0 == -1 })
    #expect(Set(found.personOfFace.prefix(known)).subtracting([-1]).count == 12)
    // All of them fitted, they are two people.
    #expect(try DemoPeople.group(embeddings).personCount == 14)
  }

  /// The hierarchy ends where the fit does: a person of everybody is no node of those beside it.
  @Test func onePersonAndEverybodyBeside() throws {
    var made = MadePeople(seed: 3)
    made.add(photos: 40)
    let embeddings = made.embeddings
    var input = GroupingInput(
      embeddings: embeddings, clustering: try DemoPeople.fit(embeddings.rows(0..<25)))
    try input.findNeighboursBesideFit()
    let found = try groupPeople(input)
    #expect(Set(found.clusterOfFace) == [0])
    #expect(found.isAdopted.prefix(25).allSatisfy { !$0 })
    #expect(found.isAdopted.suffix(15).allSatisfy { $0 })
    #expect(found.clusters[0].lambdaBirth == 0)
    #expect(throws: GroupingCancelled.self) {
      try input.findNeighboursBesideFit(isCancelled: { true })
    }
  }
}
