import PersonGrouping
import Testing
import Vectors

@Suite struct SimilarityHistogramTests {
  /// Two people with four photos each, and copies of some of them whose person nobody knows.
  private func histogram(strangers: Int) -> SimilarityHistogram {
    var made = MadePeople(seed: 3)
    made.add(photos: 4)
    made.add(photos: 4)
    let rows = Array(0..<8) + (0..<strangers).map { $0 % 8 }
    return SimilarityHistogram(
      made.embeddings.selecting(rows: rows),
      people: made.identities + Array(repeating: -1, count: strangers))
  }

  @Test func facesWithoutAPersonAreInNoColumn() {
    let without = histogram(strangers: 0)
    // They are as like their own person's faces as one person's are: a hump of "different" people.
    #expect(histogram(strangers: 40) == without)
    #expect(abs(without.different.reduce(0, +) - 1) < 1e-9)
    #expect(abs(without.same.reduce(0, +) - 1) < 1e-9)
  }

  @Test func nobodyKnownIsNoPair() {
    var made = MadePeople(seed: 3)
    made.add(photos: 4)
    let nobody = SimilarityHistogram(made.embeddings, people: [-1, -1, -1, -1])
    #expect(nobody.different.allSatisfy { $0 == 0 } && nobody.same.allSatisfy { $0 == 0 })
    let one = SimilarityHistogram(made.embeddings, people: [7, 7, 7, 7])
    #expect(one.different.allSatisfy { $0 == 0 } && one.same.contains { $0 > 0 })
  }

  @Test func aSpoiltVectorIsLeftOut() {
    var made = MadePeople(seed: 3)
    made.add(photos: 3)
    made.add(photos: 3)
    let spoilt = made.rows + [[Float](repeating: .nan, count: 128)]
    let histogram = SimilarityHistogram(Matrix(spoilt), people: made.identities + [1])
    #expect(histogram == SimilarityHistogram(made.embeddings, people: made.identities))
  }
}
