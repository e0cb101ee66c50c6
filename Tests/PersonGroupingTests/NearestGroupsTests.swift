import Testing
import Vectors

@testable import PersonGrouping

@Suite struct NearestGroupsTests {
  /// More rows than a tile holds, none of them equally like two others.
  private let means: Matrix<Float>

  init() throws { means = try DemoPeople(every: 8).embeddings }

  private struct Pair: Hashable {
    var first: Int
    var second: Int
  }

  @Test(arguments: [-1, 0.3] as [Float])
  func eachWithItsNearest(least: Float) {
    var expected: Set<Pair> = []
    for row in 0..<means.rows {
      let others = (0..<means.rows).filter { $0 != row }
        .map { (row: $0, similarity: means.dotProduct(row, $0)) }
        .filter { $0.similarity >= Double(least) }
        .sorted { $0.similarity > $1.similarity }
      for other in others.prefix(8) {
        expected.insert(Pair(first: min(row, other.row), second: max(row, other.row)))
      }
    }
    let found = NearestGroups.pairs(means, least: least, threads: 2)
    #expect(means.rows > 512)
    #expect(Set(found.map { Pair(first: min($0.0, $0.1), second: max($0.0, $0.1)) }) == expected)
    #expect(found.count == expected.count)
    let alone = NearestGroups.pairs(means, least: least, threads: 1)
    #expect(found.map { [$0.0, $0.1] } == alone.map { [$0.0, $0.1] })
  }
}
