import Foundation
import Testing
import Vectors

@testable import PersonGrouping

/// What similarity strangers have, told from all pairs alone.
@Suite struct FirstImpostorEstimateTests {
  /// About normal: the sum of twelve uniform numbers less 6.
  private func normal(_ count: Int, mean: Double, deviation: Double, seed: UInt64) -> [Float] {
    var random = SplitMix64(state: seed)
    return (0..<count).map { _ in
      let sum = (0..<12).reduce(0.0) { total, _ in total + Double.random(in: 0..<1, using: &random)
      }
      return Float(mean + deviation * (sum - 6))
    }
  }

  private func estimate(_ similarities: [Float]) -> ImpostorDistribution {
    FirstImpostorEstimate.estimate(
      similarities: similarities, samePhoto: [], typicalShare: 0)
  }

  /// Somebody with photos of many years: 0.43 on average, and spread as strangers never are.
  @Test func aHardPersonIsOnePerson() {
    #expect(estimate(normal(9_000, mean: 0.43, deviation: 0.11, seed: 1)).pairs == 0)
    #expect(estimate(normal(9_000, mean: 0.2, deviation: 0.08, seed: 2)).pairs > 8_000)
  }

  /// Two such people: half of the pairs are strangers'.
  @Test func twoHardPeopleAreNotStrangersAll() {
    let found = estimate(
      normal(5_000, mean: 0.08, deviation: 0.1, seed: 3)
        + normal(5_000, mean: 0.45, deviation: 0.18, seed: 4))
    #expect(abs(found.mean - 0.1) < 0.06 && found.deviation < 0.16)
  }

  /// Two of five people are less alike than the others are: they are not the only strangers.
  @Test func theLeastAlikePairOfPeopleIsNotAll() {
    let found = estimate(
      normal(100, mean: -0.2, deviation: 0.04, seed: 5)
        + normal(500, mean: 0.05, deviation: 0.08, seed: 6)
        + normal(180, mean: 0.85, deviation: 0.05, seed: 7))
    #expect(abs(found.mean - 0.02) < 0.05 && found.pairs > 550)
  }

  /// Copies and frames of one shot do not say how unlike photos are, not even where two of them are in one photo:
  /// strangers are as alike as under any model, and what is nearer than they are joins.
  @Test(arguments: [1, 0.9989] as [Float], [1, 190])
  func facesOfOneShotAreNoMeasure(similarity: Float, pairs: Int) {
    let found = FirstImpostorEstimate.estimate(
      similarities: [Float](repeating: similarity, count: pairs),
      samePhoto: [Double](repeating: Double(similarity), count: 10), typicalShare: 0)
    #expect(abs(found.mean - 0.9) < 1e-9 && abs(found.deviation - 0.01) < 1e-9)
    #expect(found.pairs == 0)
    let arriving = SimilarityCalibration(
      impostorMean: found.mean, impostorDeviation: found.deviation, separation: 6, entropy: 0,
      impostorPairs: found.pairs
    ).forArrivals
    #expect(abs(arriving.similarity(arriving.assignmentGate) - 0.925) < 1e-3)
  }

  @Test func aStoredCalibrationWithoutSpreadIsReadWithOne() throws {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    let read = try decoder.decode(
      SimilarityCalibration.self,
      from: Data(
        """
        {"impostor_mean": 1, "impostor_deviation": 0, "separation": "NaN", "entropy": 0,
        "impostor_pairs": 0}
        """.utf8))
    let arriving = read.forArrivals
    #expect(read.impostorDeviation > 0 && read.threshold.isFinite)
    #expect(arriving.similarity(arriving.assignmentGate) < 0.95)
  }
}
