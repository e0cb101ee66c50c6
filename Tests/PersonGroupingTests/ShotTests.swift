import Testing
import Vectors

@testable import PersonGrouping

/// Frames of shots: what is one shot, and what it counts for.
@Suite struct ShotTests {
  /// Unit vectors of which each has `similarity` with the others of its group, and with those of other groups `across`.
  ///
  /// Similarities fix vectors but for a rotation: what all have in common, what a group has, what a face has.
  private func faces(_ groups: [Int], similarity: Float, across: Float) -> Matrix<Float> {
    let count = groups.reduce(0, +)
    return Matrix<Float>(rows: count, columns: 1 + groups.count + count) { base, stride in
      var face = 0
      for (group, size) in groups.enumerated() {
        for _ in 0..<size {
          let own = size == 1 ? 1 : similarity
          base[face * stride] = across.squareRoot()
          base[face * stride + 1 + group] = (own - across).squareRoot()
          base[face * stride + 1 + groups.count + face] = (1 - own).squareRoot()
          face += 1
        }
      }
    }
  }

  /// How many groups are left at the prior threshold of 2.2, where strangers are alike by 0 ± 0.1.
  private func groupsLeft(
    _ sizes: [Int], similarity: Float, across: Float, areShots: Bool
  ) throws -> Int {
    let faces = faces(sizes, similarity: similarity, across: across)
    let input = GroupingInput(embeddings: faces, clustering: try DemoPeople.fit(faces))
    var first = 0
    let groups = sizes.map { size in
      defer { first += size }
      return Array(first..<first + size)
    }
    var steps = GroupingSteps()
    steps.calibration = false
    let calibration = SimilarityCalibration(
      impostorMean: 0, impostorDeviation: 0.1, separation: 6, entropy: 3, impostorPairs: 1_000)
    var agglomeration = Agglomeration(
      input, seen: CentredFaces(plain: faces), groups: groups,
      votes: sizes.flatMap { size in
        [Double](repeating: areShots ? 1 / Double(size) : 1, count: size)
      },
      calibration: calibration, sizePenalty: 1.7, steps: steps, threads: 2)
    agglomeration.consider(CandidatePairs(input, threads: 1))
    agglomeration.run()
    return agglomeration.members.count { !$0.isEmpty }
  }

  /// A photo of a stranger needs 2.2 + 1.7, whether the other is a photo or ten frames.
  @Test func aShotIsOnePhotoToSomebodyWhoIsThereOnce() throws {
    #expect(try groupsLeft([10, 1], similarity: 0.95, across: 0.35, areShots: true) == 2)
    #expect(try groupsLeft([10, 1], similarity: 0.95, across: 0.4, areShots: true) == 1)
    // Ten photos are more.
    #expect(try groupsLeft([10, 1], similarity: 0.7, across: 0.35, areShots: false) == 1)
  }

  /// Two shots of ten frames need 2.2 + 1.7 / √√10.
  @Test func twoShotsAreMoreThanTwoPhotos() throws {
    #expect(try groupsLeft([10, 10], similarity: 0.95, across: 0.3, areShots: true) == 2)
    #expect(try groupsLeft([10, 10], similarity: 0.95, across: 0.35, areShots: true) == 1)
    #expect(try groupsLeft([1, 1], similarity: 1, across: 0.35, areShots: true) == 2)
  }

  /// Two groups of three photos need 2.2 + 1.7 / 3, and half of how alike their own photos are.
  @Test func threePhotosSayHowAlikeTheyAre() throws {
    #expect(try groupsLeft([3, 3], similarity: 0.7, across: 0.29, areShots: false) == 2)
    #expect(try groupsLeft([3, 3], similarity: 0.55, across: 0.29, areShots: false) == 1)
    // Two say nothing.
    #expect(try groupsLeft([2, 3], similarity: 0.7, across: 0.3, areShots: false) == 1)
  }

  /// A tenth of the strangers' distance from identity.
  @Test(arguments: [(0.92, true), (0.88, false)] as [(Float, Bool)])
  func framesAsNearAsThatAreOneShot(similarity: Float, areOne: Bool) throws {
    let faces = faces([4, 1], similarity: similarity, across: 0)
    let input = GroupingInput(embeddings: faces, clustering: try DemoPeople.fit(faces))
    let bursts = Bursts(
      input, seen: CentredFaces(plain: faces), pairs: CandidatePairs(input, threads: 1),
      impostor: ImpostorDistribution(mean: 0, deviation: 0.1, pairs: 1_000))
    #expect(bursts.firstFace == (areOne ? [0, 0, 0, 0, 4] : [0, 1, 2, 3, 4]))
    #expect(bursts.votes == (areOne ? [0.25, 0.25, 0.25, 0.25, 1] : [1, 1, 1, 1, 1]))
  }

  /// Under this calibration the threshold is 2, a link needs 5; σ is 0.1.
  private func joined(
    link: Float, others: Int = 6, shotFrames: Int = 3, common: Float = 0.1, shotVotes: Double = 1,
    photos: [Int64?]? = nil,
    anchors: [Int64?]? = nil, cannotLink: [(Int, Int)] = []
  ) throws -> Int {
    // Photos of somebody, and frames that are alike to each by `common`, of which the last continues the first.
    let count = others + shotFrames
    let faces = Matrix<Float>(rows: count, columns: count) { base, stride in
      for face in 0..<others { base[face * stride + face] = 1 }
      for face in others..<count - 1 {
        for photo in 0..<others { base[face * stride + photo] = common }
        base[face * stride + face] = (1 - Float(others) * common * common).squareRoot()
      }
      base[(count - 1) * stride] = link
      base[(count - 1) * stride + count - 1] = (1 - link * link).squareRoot()
    }
    let input = GroupingInput(
      embeddings: faces, clustering: try DemoPeople.fit(faces), photos: photos, anchors: anchors,
      cannotLink: cannotLink)
    var pairs = CandidatePairs(input, threads: 1)
    pairs.append(0, count - 1, product: Double(link))
    return LoneShots(
      input: input, faces: CentredFaces(plain: faces),
      votes: (0..<count).map { $0 < others ? 1 : shotVotes / Double(shotFrames) },
      calibration: SimilarityCalibration(
        impostorMean: 0, impostorDeviation: 0.1, separation: 5, entropy: 4, impostorPairs: 1_000),
      keepsPhotosApart: true
    ).joined([Array(0..<others), Array(others..<count)], pairs: pairs).count
  }

  @Test func partsOfAShotThatWasTakenApartAreFaces() {
    #expect(SimilarityCalibration.weight(of: (1, 0.1), with: (1, 0.1)) == 1)
    #expect(SimilarityCalibration.weight(of: (1, 0.1), with: (10, 10)) == 10)
    #expect(SimilarityCalibration.weight(of: (9, 1), with: (4, 1)) == 2)
  }

  @Test func aLoneShotFollowsItsStrongestLink() throws {
    #expect(try joined(link: 0.55) == 1)
    #expect(try joined(link: 0.45) == 2)
    // Not to somebody with few photos, and two frames are no shot.
    #expect(try joined(link: 0.55, others: 4) == 2)
    #expect(try joined(link: 0.55, shotFrames: 2) == 2)
    // Nor are three of thirty frames, which humans took apart.
    #expect(try joined(link: 0.55, shotVotes: 0.1) == 2)
    // Frames that are as unlike the photos as strangers are follow none of them.
    #expect(try joined(link: 0.55, common: 0) == 2)
  }

  @Test func whatForbidsAMergeHoldsAShotBack() throws {
    #expect(try joined(link: 0.55, photos: [1, 2, 3, 4, 5, 6, 7, 8, 2]) == 2)
    #expect(try joined(link: 0.55, cannotLink: [(3, 7)]) == 2)
    // Somebody whom a human knows takes 0.6 deviations more, and what a human placed stays.
    let known = [Int64?](repeating: nil, count: 5) + [7]
    let nobody = [Int64?](repeating: nil, count: 3)
    #expect(try joined(link: 0.55, anchors: known + nobody) == 2)
    #expect(try joined(link: 0.57, anchors: known + nobody) == 1)
    #expect(try joined(link: 0.57, anchors: [Int64?](repeating: nil, count: 8) + [7]) == 2)
  }
}
