import Foundation
import HDBSCAN
import Testing
import Vectors

@testable import PersonGrouping

@Suite struct HumanVerdictTests {
  private func verdicts(_ evidence: [Double]) -> [HumanVerdicts.Verdict] {
    evidence.map { HumanVerdicts.Verdict(evidence: $0) }
  }

  @Test func theThresholdMovesWhereVerdictsAreMany() {
    let strangers = verdicts((0..<20).map { 2 + 0.02 * Double($0) })
    #expect(HumanVerdicts(same: [], different: []).shift(from: 2) == 0)
    #expect(HumanVerdicts(same: [], different: strangers).shift(from: 2) > 0.35)
    #expect(HumanVerdicts(same: [], different: Array(strangers.suffix(1))).shift(from: 2) == 0)
    // Who would be lost speaks against it.
    let kept = HumanVerdicts.Verdict(evidence: 2.1, weight: 100)
    let moved = HumanVerdicts(same: [kept], different: strangers).shift(from: 2)
    #expect(moved > 0 && moved <= 0.1)
  }

  @Test func missingFacesLowerItHalfAsFar() {
    let missing = verdicts((0..<40).map { 1.99 - 0.02 * Double($0) })
    let lowered = HumanVerdicts(same: missing, different: []).shift(from: 2)
    #expect(lowered < -0.5)
    let few = HumanVerdicts(same: Array(missing.prefix(4)), different: []).shift(from: 2)
    #expect(few <= 0 && few > -0.2)
    let strangers = verdicts([1.9, 1.9, 1.9, 1.9, 1.9])
    let between = HumanVerdicts(same: Array(missing.prefix(8)), different: strangers)
    #expect(between.shift(from: 2) > -0.1)
  }

  @Test func whatHumansSayMovesTheCalibration() throws {
    let demo = try DemoPeople(every: 4)
    let clustering = try DemoPeople.fit(demo.embeddings)
    var input = GroupingInput(embeddings: demo.embeddings, clustering: clustering)
    let before = try groupPeople(input)
    #expect(before.calibration.humanShift == 0)
    // Faces that the grouping took for a person and a human did not.
    input.persons = before.personOfFace.map { $0 < 0 ? nil : Int64($0) }
    for face in input.persons.indices where face % 2 == 0 {
      guard let person = input.persons[face] else { continue }
      input.persons[face] = nil
      input.rejected.append((face, person))
    }
    #expect(input.rejected.count > 100)
    let higher = try groupPeople(input).calibration
    #expect(higher.humanShift > 0.3)
    #expect(higher.assignmentGate > before.calibration.assignmentGate + 0.2)
  }

  /// A run of an older program knows nothing of a shift.
  @Test func olderCalibrationsAreRead() throws {
    var calibration = SimilarityCalibration.prior
    calibration.humanShift = 0.25
    let data = try JSONEncoder().encode(calibration)
    #expect(try JSONDecoder().decode(SimilarityCalibration.self, from: data) == calibration)
    let old = """
      {"impostor_mean": 0.06, "impostor_deviation": 0.09, "separation": 6, "entropy": 3,
       "impostor_pairs": 0}
      """
    let read = try JSONDecoder().decode(SimilarityCalibration.self, from: Data(old.utf8))
    #expect(read == .prior)
  }
}
