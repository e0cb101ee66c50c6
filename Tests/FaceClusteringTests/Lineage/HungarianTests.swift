import Testing
import Vectors

@testable import FaceClustering

/// The matching is the best one, found by trying all.
@Suite struct HungarianTests {
  /// Best total over every one-to-one matching of rows to columns, by trying all of them.
  private func bestTotal(_ scores: [[Double]], row: Int = 0, used: Set<Int> = []) -> Double {
    if row == scores.count { return 0 }
    // A row may stay without a column; scores are not negative.
    var best = bestTotal(scores, row: row + 1, used: used)
    for column in scores[row].indices where !used.contains(column) {
      best = max(
        best,
        scores[row][column] + bestTotal(scores, row: row + 1, used: used.union([column])))
    }
    return best
  }

  private func total(_ matching: [Int?], _ scores: [[Double]]) -> Double {
    matching.indices.reduce(0) { sum, row in
      sum + (matching[row].map { scores[row][$0] } ?? 0)
    }
  }

  @Test func itIsTheBestOfAllMatchings() {
    var random = SplitMix64(state: 11)
    for _ in 0..<600 {
      let rows = Int.random(in: 1...6, using: &random)
      let columns = Int.random(in: 1...6, using: &random)
      // Few distinct values, so that ties and zeros are common.
      let levels = Int.random(in: 1...6, using: &random)
      let scores = (0..<rows).map { _ in
        (0..<columns).map { _ in Double(Int.random(in: 0...levels, using: &random)) / 4 }
      }
      let matching = Hungarian.match(scores)
      #expect(matching.count == rows)
      let columnsUsed = matching.compactMap { $0 }
      #expect(Set(columnsUsed).count == columnsUsed.count)
      for (row, column) in matching.enumerated() {
        if let column { #expect(scores[row][column] > 0) }
      }
      #expect(abs(total(matching, scores) - bestTotal(scores)) < 1e-12, "\(scores)")
    }
  }

  @Test func emptyAndHopelessMatricesMatchNothing() {
    #expect(Hungarian.match([]) == [])
    #expect(Hungarian.match([[], []]) == [nil, nil])
    #expect(Hungarian.match([[0, 0], [0, 0]]) == [nil, nil])
    #expect(Hungarian.match([[0.3]]) == [0])
  }

  @Test func theGreedyChoiceIsNotAlwaysRight() {
    // Greedy takes 0.9 and is left with 0.1.
    #expect(Hungarian.match([[0.9, 0.8], [0.7, 0.1]]) == [1, 0])
    #expect(Hungarian.match([[0.9, 0.8], [0.7, 0.1], [0.95, 0]]) == [1, nil, 0])
  }
}
