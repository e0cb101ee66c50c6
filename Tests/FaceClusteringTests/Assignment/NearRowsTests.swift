import HDBSCAN
import Testing
import Vectors

@testable import FaceClustering

/// What is near is the same, whatever looked first.
@Suite struct NearRowsTests {
  /// Rows about each other's radius apart, of lengths that pass for 1.
  private func rows(_ count: Int, length: Float, seed: UInt64) throws -> Matrix<Float> {
    var random = SplitMix64(state: seed)
    let unit = try Matrix<Float>(
      (0..<count).map { row in
        (0..<32).map {
          Float($0 == row % 8 ? 1 : 0) + Float.random(in: -0.2...0.2, using: &random)
        }
      }
    ).normalised()
    return Matrix(
      (0..<count).map { row in unit.values(ofRow: row).map { $0 * length } })
  }

  @Test(arguments: [1, 0.9962, 1.004] as [Float], [1, 40])
  func aScreenLosesNothing(length: Float, count: Int) throws {
    let others = try rows(900, length: 1.0008, seed: 3)
    let faces = try rows(count, length: length, seed: 4)
    // The radius of each row ends just behind some face.
    let radii = (0..<others.rows).map { row in
      NearClusters.distance(faces, row % count, others, row).value + 1e-9
    }
    let expected = NearRows.within(faces, of: others, radii: radii, threads: 1)
    let screened = try #require(
      try RadiusScreen(others.selecting(rows: Array(0..<700))))
    #expect(expected.allSatisfy { !$0.isEmpty })
    for threads in [1, 2] {
      // The last rows came after the screen was made.
      #expect(
        NearRows.within(faces, of: others, screen: screened, radii: radii, threads: threads)
          == expected)
    }
  }

  /// Of a burst every face is near every other: lists of all of them would be its square.
  @Test(arguments: [1, 40])
  func whatIsKnownIsNotListedAgain(count: Int) throws {
    let copies = Matrix([[Float]](repeating: [1, 0, 0, 0], count: 1_000))
    let faces = copies.selecting(rows: Array(0..<count))
    let radii = [Double](repeating: 0.1, count: 1_000)
    let screen = try RadiusScreen(copies)
    for screen in [nil, screen] {
      let found = NearRows.within(
        faces, of: copies, screen: screen, radii: radii, known: (0..<1_000).map { $0 != 700 },
        enough: 3, threads: 2)
      #expect(found.count == count)
      #expect(
        found.allSatisfy { $0.count <= 4 && $0.count >= 3 && $0.contains { $0.row == 700 } })
    }
  }
}
