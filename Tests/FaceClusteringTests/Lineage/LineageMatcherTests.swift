import Testing
import Vectors

@testable import FaceClustering

/// Which old cluster each new one continues.
@Suite struct LineageMatcherTests {
  private let matcher = LineageMatcher(continuationThreshold: 0.5, secondaryThreshold: 0.2)

  /// `faces[i]` says how many faces went from an old row to a new row.
  private func membership(
    _ flows: [(old: Int?, new: Int?, count: Int)]
  ) -> [(old: Int?, new: Int?)] {
    flows.flatMap { flow in (0..<flow.count).map { _ in (flow.old, flow.new) } }
  }

  private func match(
    _ old: Int, _ new: Int, _ flows: [(old: Int?, new: Int?, count: Int)], similarity: Double = 1
  ) -> LineageMatcher.Outcome {
    matcher.match(
      oldCount: old, newCount: new, membership: membership(flows),
      similarity: { _, _ in similarity })
  }

  @Test func theSameFacesAreTheSameCluster() {
    let outcome = match(2, 2, [(0, 1, 5), (1, 0, 7)])
    #expect(outcome.oldOfNew == [1, 0])
    #expect(outcome.newOfOld == [1, 0])
    #expect(outcome.pairs.map(\.score) == [1, 1])
  }

  @Test func growthAloneDoesNotLowerAScore() {
    let outcome = match(1, 1, [(0, 0, 3), (nil, 0, 500)])
    #expect(outcome.newOfOld == [0])
    #expect(outcome.pairs[0].score == 1)
    #expect(outcome.pairs[0].sharedMembers == 3)
  }

  @Test func aSplitKeepsTheLargerPartAndNamesTheOther() {
    let outcome = match(1, 2, [(0, 0, 8), (0, 1, 4)])
    #expect(outcome.oldOfNew == [0, nil])
    #expect(outcome.pairs.map { [$0.old, $0.new, $0.sharedMembers] } == [[0, 0, 8], [0, 1, 4]])
    // Half the Dice coefficient 2·8/(12 + 8) plus half the similarity.
    #expect(outcome.pairs[0].score == (0.8 + 1) / 2)
  }

  @Test func whoeverHasMostOfTheFacesIsTheHeirWhateverTheScore() {
    // One face of one goes on among many others, and nothing else says that the two are one.
    let outcome = match(3, 2, [(0, 0, 20), (1, 0, 1), (2, 1, 1), (2, nil, 1)], similarity: 0)
    #expect(outcome.pairs.map(\.old) == [0, 2])
    #expect(outcome.heirOfOld == [0, 0, nil])
  }

  @Test func facesThatPeoplePlacedPullTheirLabel() {
    // Eight faces go one way; the three that people placed, among four, go the other.
    let flows: [(old: Int?, new: Int?, count: Int)] = [(0, 0, 8), (0, 1, 1), (0, 1, 3)]
    #expect(match(1, 2, flows).oldOfNew == [0, nil])
    let weights = [Int](repeating: 1, count: 9) + [5, 5, 5]
    let outcome = matcher.match(
      oldCount: 1, newCount: 2, membership: membership(flows), weights: weights,
      similarity: { _, _ in 1 })
    #expect(outcome.oldOfNew == [nil, 0])
    // Faces are counted as faces all the same.
    #expect(outcome.pairs.map(\.sharedMembers) == [8, 4])
    // One corrected face does not take a whole cluster away from those who are in it.
    let corrected = matcher.match(
      oldCount: 2, newCount: 1, membership: [(1, 0)] + (0..<20).map { _ in (0, 0) },
      weights: [5] + [Int](repeating: 1, count: 20), similarity: { _, _ in 1 })
    #expect(corrected.oldOfNew == [0])
  }

  @Test func aMergeContinuesTheLargerOne() {
    let outcome = match(2, 1, [(0, 0, 4), (1, 0, 8)])
    #expect(outcome.oldOfNew == [1])
    #expect(outcome.newOfOld == [nil, 0])
    #expect(outcome.pairs.count == 2)
  }

  @Test func belowTheThresholdsThereIsNoPair() {
    // One shared face of twenty each, opposite directions.
    let outcome = match(1, 1, [(0, 0, 1), (0, nil, 19), (nil, 0, 19)], similarity: -1)
    #expect(outcome.pairs.isEmpty)
    #expect(outcome.oldOfNew == [nil])
    // Shared noise makes no pair at all.
    #expect(match(1, 1, [(0, nil, 5), (nil, 0, 5)]).pairs.isEmpty)
  }

  @Test func clustersThatCrossGetTheGreatestTotal() {
    // Old 0 gave 10 to new 0 and 9 to new 1; old 1 gave 9 to new 0 only.
    let outcome = match(2, 2, [(0, 0, 10), (0, 1, 9), (1, 0, 9)])
    #expect(outcome.newOfOld == [1, 0])
  }

  @Test func groupsThatDoNotTouchAreMatchedAlone() {
    var random = SplitMix64(state: 5)
    for _ in 0..<200 {
      let old = Int.random(in: 1...5, using: &random)
      let new = Int.random(in: 1...5, using: &random)
      let flows = (0..<Int.random(in: 1...12, using: &random)).map { _ in
        (
          old: Int.random(in: 0..<old, using: &random) as Int?,
          new: Int.random(in: 0..<new, using: &random) as Int?,
          count: Int.random(in: 1...6, using: &random)
        )
      }
      let outcome = match(old, new, flows)
      // The same pairs in one matrix give the same total.
      var scores = [[Double]](repeating: [Double](repeating: 0, count: new), count: old)
      for pair in outcome.pairs where pair.score >= 0.5 { scores[pair.old][pair.new] = pair.score }
      func total(_ matching: [Int?]) -> Double {
        matching.indices.reduce(0) { sum, row in
          sum + (matching[row].map { scores[row][$0] } ?? 0)
        }
      }
      #expect(abs(total(outcome.newOfOld) - total(Hungarian.match(scores))) < 1e-12)
      for (row, column) in outcome.newOfOld.enumerated() {
        if let column { #expect(outcome.oldOfNew[column] == row) }
      }
    }
  }
}
