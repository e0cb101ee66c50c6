import ClusterEvaluation
import Testing
import Vectors

@testable import PersonGrouping

/// Collections that are unlike those that the constants were chosen on.
@Suite struct RobustnessTests {
  private func scores(_ made: MadePeople, sharing share: Float = 0) throws -> ClusterScores {
    let people = try DemoPeople.group(withSharedComponent(made.embeddings, share))
    return try ClusterScores(labels: people.personOfFace, truth: made.identities)
  }

  /// Photos that spread little more than strangers do, under a model that nobody knows the strangers of.
  @Test(arguments: 1...3 as ClosedRange<UInt64>)
  func onePersonUnderAModelWithASharedComponent(seed: UInt64) throws {
    var made = MadePeople(seed: seed, spread: 0.08)
    made.add(photos: 60)
    #expect(try scores(made, sharing: 0.7).pairwise.f > 0.95)
  }

  /// Ten pairs say nothing about a spread.
  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func fiveStrangersAreNotOnePerson(seed: UInt64) throws {
    var made = MadePeople(seed: seed)
    for _ in 0..<5 { made.add(photos: 1) }
    #expect(try scores(made, sharing: 0.84).clusters == 0)
  }

  /// Two relatives and strangers: no single width holds both kinds of different people.
  @Test func twoRelativesAmongStrangers() throws {
    var made = MadePeople(seed: 1, columns: 512, spread: 0)
    let family = made.direction()
    for _ in 0..<2 { made.add(photos: 100, of: made.relative(of: family, share: 0.31)) }
    for _ in 0..<20 { made.add(photos: 1) }
    #expect(try scores(made).pairwise.f > 0.99)
  }

  /// One person's hard photos hide the gap to the few photos of others.
  @Test(arguments: 1...2 as ClosedRange<UInt64>)
  func onePersonAndAFewOthers(seed: UInt64) throws {
    var made = MadePeople(seed: seed, similarity: 0.42, spread: 0.3)
    made.add(photos: 300)
    for _ in 0..<4 { made.add(photos: 8) }
    #expect(try scores(made).bcubed.precision > 0.99)
  }

  /// Relatives are alike, but not as alike as the photos of either.
  @Test(arguments: [1, 3, 4] as [UInt64])
  func relativesAreNotOnePerson(seed: UInt64) throws {
    var made = MadePeople(seed: seed)
    for _ in 0..<12 {
      let family = made.direction()
      for _ in 0..<4 { made.add(photos: 12, of: made.relative(of: family, share: 0.25)) }
    }
    let found = try scores(made)
    #expect(found.bcubed.precision > 0.97 && found.bcubed.recall > 0.97)
  }

  /// A person's two looks are half as alike as the photos of each, and stay one person.
  @Test func looksOfOnePersonAreOnePerson() throws {
    var made = MadePeople(seed: 1)
    var identities: [Int] = []
    for person in 0..<20 {
      let middle = made.direction()
      for _ in 0..<2 {
        made.add(photos: 12, of: made.relative(of: middle, share: 0.8))
        identities += [Int](repeating: person, count: 12)
      }
    }
    let people = try DemoPeople.group(made.embeddings)
    let found = try ClusterScores(labels: people.personOfFace, truth: identities)
    #expect(found.pairwise.f > 0.97)
  }

  /// Copies of a photo stand for one face of the sample.
  @Test func copiesAreOnePhotoOfTheSample() {
    var made = MadePeople(seed: 1)
    for _ in 0..<40 { made.add(photos: 1) }
    let copied = made.embeddings.selecting(rows: Array(0..<40) + [Int](repeating: 7, count: 2_000))
    let sample = SimilaritySample(copied, threads: 1)
    #expect(sample.rows.count == 40 && !sample.similarities.contains { $0 > 0.9 })
  }

  /// What tells one person from strangers does not depend on the model.
  @Test func photosOfOnePersonDifferInHowTypicalTheyAre() {
    var one = MadePeople(seed: 1)
    one.add(photos: 80)
    var many = MadePeople(seed: 2)
    for _ in 0..<80 { many.add(photos: 1) }
    for share in [0, 0.84] as [Float] {
      func typical(_ made: MadePeople) -> Double {
        SimilaritySample(withSharedComponent(made.embeddings, share), threads: 1).typicalShare
      }
      #expect(typical(one) > 0.4 && typical(many) < 0.1)
    }
  }
}
