import HDBSCAN
import Testing
import Vectors

@testable import PersonGrouping

/// Shots by the times of photos.
///
/// Strangers have similarity 0 ± 0.1, so faces are near-identical from 0.9.
@Suite struct TrackletTests {
  /// Faces in one plane, by angle.
  private func faces(_ angles: [Double]) -> Matrix<Float> {
    Matrix<Float>(rows: angles.count, columns: 2) { base, stride in
      for (row, angle) in angles.enumerated() {
        // cos and sin, rational in the half angle's tangent.
        let square = 1 + angle * angle
        base[row * stride] = Float((1 - angle * angle) / square)
        base[row * stride + 1] = Float(2 * angle / square)
      }
    }
  }

  private func shots(
    _ angles: [Double], photos: [Int64]? = nil, times: [Double?], anchors: [Int64?]? = nil
  ) throws -> [Int] {
    let vectors = faces(angles)
    var input = GroupingInput(
      embeddings: vectors, clustering: try DemoPeople.fit(vectors),
      photos: photos ?? angles.indices.map { Int64($0) }, anchors: anchors)
    input.times = times
    return Bursts(
      input, seen: CentredFaces(plain: vectors), pairs: CandidatePairs(input, threads: 1),
      impostor: ImpostorDistribution(mean: 0, deviation: 0.1, pairs: 1_000)
    ).firstFace
  }

  /// Each is at 0.88 from the next, which is not near-identical.
  private let turning = [0, 0.25, 0.53, 0.9]

  @Test func framesThatFollowEachOtherAreOneShot() throws {
    #expect(try shots(turning, times: [0, 1, 2, 3]) == [0, 0, 0, 0])
    #expect(try shots(turning, times: [nil, nil, nil, nil]) == [0, 1, 2, 3])
    // Photos of one second follow each other by their numbers.
    #expect(try shots(turning, times: [5, 5, 5, 5]) == [0, 0, 0, 0])
  }

  @Test func aPauseEndsAShot() throws {
    #expect(try shots(turning, times: [0, 1, 3.5, 4]) == [0, 0, 2, 2])
  }

  @Test func aDropEndsAShot() throws {
    // 0.99 from one to the next, but 0.7 in the middle.
    let angles = [0, 0.07, 0.14, 0.21, 0.65, 0.73, 0.81, 0.9]
    let times = angles.indices.map { Optional(Double($0)) }
    #expect(try shots(angles, times: times) == [0, 0, 0, 0, 4, 4, 4, 4])
  }

  @Test func differentPeopleAreNoShot() throws {
    #expect(try shots([0, 0.8, 0, 0.8], times: [0, 1, 2, 3]) == [0, 1, 0, 1])
    #expect(try shots(turning, times: [0, 1, 2, 3], anchors: [nil, 7, 8, nil]) == [0, 0, 2, 2])
  }

  @Test func eachFaceOfAPhotoContinuesItsOwn() throws {
    let angles = [0, 0.8, 0.25, 1.35]
    #expect(try shots(angles, photos: [1, 1, 2, 2], times: [0, 0, 1, 1]) == [0, 1, 0, 1])
  }
}
