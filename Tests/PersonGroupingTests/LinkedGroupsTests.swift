import Testing
import Vectors

@testable import PersonGrouping

@Suite struct LinkedGroupsTests {
  /// A face is compared with a thousand of a large group, and the others are taken to be like those.
  @Test func aSampleStandsForALargeGroup() {
    // Face 0 is like every third of the others.
    let count = 3_001
    let rows = Matrix<Float>(rows: count, columns: 3) { base, stride in
      for face in 0..<count {
        let angle = Float(face) * 0.0001
        let isLike = face % 3 == 0
        base[face * stride + (isLike ? 0 : 1)] = (1 - angle * angle).squareRoot()
        base[face * stride + 2] = angle
      }
    }
    let votes = [Double](repeating: 1, count: count)
    var groups = LinkedGroups(
      faces: CentredFaces(plain: rows), votes: votes, groups: [[0], Array(1..<count)])
    let links = groups.links(of: 0, to: 1, from: 0.5, above: 0)
    #expect(abs(links.votes - 1_000) < 150)
    #expect(links.strength < links.votes && links.strength > 0.9 * links.votes)
    #expect(abs(groups.mean(of: 0, to: 1) - links.strength / 3_000) < 0.05)
    groups.move(1, from: 1, to: 0)
    #expect(groups.groups == [[0, 1], Array(2..<count)])
    #expect(groups.links(of: 0, to: 0, from: 0.5, above: 0).votes == 0)
    #expect(abs(groups.mean(of: 3, to: 0) - 0.5) < 0.05)
  }
}
