import Testing
import Vectors

@Suite struct DistancesTests {
  @Test(arguments: [0.0, 0.001, 0.228, 0.5, 1, 2])
  func conversionsAreInverse(cosine: Double) {
    let there = EuclideanDistance(CosineDistance(cosine))
    #expect(abs(CosineDistance(there).value - cosine) < 1e-15)
  }

  @Test func knownPairsOfDistances() {
    #expect(abs(CosineDistance(EuclideanDistance(0.675)).value - 0.2278125) < 1e-15)
    #expect(abs(EuclideanDistance(CosineDistance(0.675)).value - 1.161895) < 1e-6)
    #expect(EuclideanDistance(CosineDistance(-1e-17)).value == 0)
    #expect(CosineDistance(squaredEuclidean: 1.2).squaredEuclidean == 1.2)
  }

  @Test func orderIsThatOfTheValues() {
    #expect(CosineDistance(0.1) < CosineDistance(0.2))
    #expect(!(EuclideanDistance(0.2) < EuclideanDistance(0.2)))
  }
}
