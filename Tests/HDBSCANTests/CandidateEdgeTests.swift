import Testing
import Vectors

@testable import HDBSCAN

@Suite struct CandidateEdgeTests {
  private static let weights: [(String, @Sendable (Int, Double) -> Double)] = [
    ("even", { _, random in 0.3 + random }),
    ("tied", { index, _ in Double(index % 7) }),
    ("equal", { _, _ in 2.5 }),
    ("far apart", { index, random in random * (index % 100 == 0 ? 1e300 : 1e-3) }),
    ("close", { index, _ in 1 + Double(index % 5) * 0x1p-52 }),
    ("subnormal", { index, _ in Double(index % 3) * 0x1p-1074 }),
    ("one infinite", { index, random in index == 50 ? .infinity : random }),
  ]

  @Test(arguments: weights.map(\.0), [0, 1, 2, 64, 65, 1000, 5000])
  func dealingGivesTheOrderOfSorting(name: String, count: Int) throws {
    var random = SplitMix64(state: 61)
    let weight = try #require(Self.weights.first { $0.0 == name }).1
    let edges = (0..<count).map { index in
      CandidateEdge(
        Int.random(in: 0..<50, using: &random), 50 + index % 20,
        weight: weight(index, Double.random(in: 0..<1, using: &random)))
    }
    #expect(edges.inOrder() == edges.sorted())
  }
}
