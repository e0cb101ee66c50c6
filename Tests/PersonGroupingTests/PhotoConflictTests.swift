import Testing
import Vectors

@testable import PersonGrouping

/// Two faces of one photo in one group.
@Suite struct PhotoConflictTests {
  /// Under this calibration the threshold is 1.95; σ is 0.1.
  private let calibration = SimilarityCalibration(
    impostorMean: 0, impostorDeviation: 0.1, separation: 5.5, entropy: 2.75, impostorPairs: 1_000)

  /// The groups after a face leaves, or does not.
  ///
  /// Faces 0…15 are photos of one person, each 0.6 like every other. Face 16, in the photo of face 0, is so
  /// like face 0 and so like the others.
  private func resolved(
    likeFirst: Float, likeOthers: Float, group: [Int] = Array(0...16), human: Int? = nil
  ) throws -> [[Int]] {
    let (own, apart) = (Float(0.6).squareRoot(), Float(0.4).squareRoot())
    let (shared, first) = (likeOthers / own, (likeFirst - likeOthers) / apart)
    let faces = Matrix<Float>(rows: 17, columns: 18) { base, stride in
      for face in 0..<16 {
        base[face * stride] = own
        base[face * stride + 1 + face] = apart
      }
      base[16 * stride] = shared
      base[16 * stride + 1] = first
      base[16 * stride + 17] = (1 - shared * shared - first * first).squareRoot()
    }
    var anchors = [Int64?](repeating: nil, count: 17)
    if let human { anchors[human] = 1 }
    let input = GroupingInput(
      embeddings: faces, clustering: try DemoPeople.fit(faces),
      photos: (0..<17).map { $0 == 16 ? 0 : Int64($0) }, anchors: anchors)
    return PhotoConflicts(
      input: input, faces: CentredFaces(plain: faces),
      votes: [Double](repeating: 1, count: 17), calibration: calibration
    ).resolve([group])
  }

  private let together = [Array(0...16)]
  private let apart = [Array(0...15), [16]]

  @Test func aStrangerLeaves() throws {
    #expect(try resolved(likeFirst: 0.1, likeOthers: 0.2) == apart)
  }

  /// A relative is like the face beside, as single faces of one person are, but half as like the person.
  @Test func aRelativeLeaves() throws {
    #expect(try resolved(likeFirst: 0.45, likeOthers: 0.25) == apart)
  }

  /// Two unlike photos of one person on one page, both of them like the person's others.
  @Test func facesOfACollageStay() throws {
    #expect(try resolved(likeFirst: 0.34, likeOthers: 0.55) == together)
    #expect(try resolved(likeFirst: 0.62, likeOthers: 0.58) == together)
    // Nobody else tells: only each other's likeness counts.
    #expect(try resolved(likeFirst: 0.34, likeOthers: 0.55, group: [0, 16]) == [[0], [16]])
    #expect(try resolved(likeFirst: 0.38, likeOthers: 0.55, group: [0, 16]) == [[0, 16]])
  }

  @Test func whatAHumanPlacedStaysAndTheOtherLeaves() throws {
    #expect(
      try resolved(likeFirst: 0.1, likeOthers: 0.2, human: 16) == [Array(1...16), [0]])
    #expect(try resolved(likeFirst: 0.1, likeOthers: 0.2, human: 0) == apart)
    #expect(try resolved(likeFirst: 0.62, likeOthers: 0.58, human: 16) == together)
  }
}
