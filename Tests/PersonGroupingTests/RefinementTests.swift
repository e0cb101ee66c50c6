import Testing
import Vectors

@testable import PersonGrouping

/// Centring and votes of links.
@Suite struct RefinementTests {
  /// Under this calibration the threshold is 1.95, a link needs 3.55, a mean 1.55; σ is 0.1.
  private let calibration = SimilarityCalibration(
    impostorMean: 0, impostorDeviation: 0.1, separation: 5.5, entropy: 2.75, impostorPairs: 1_000)

  /// One person (0…5) around an axis, another (6…8) around a second one, and face 9, which two of the first
  /// person's photos resemble more than the others do.
  private func faces(last: [Float]) -> Matrix<Float> {
    let rows: [[Float]] =
      [[1, 0, 0.3], [1, 0, 0.4], [1, 0, 0], [1, 0, -0.1], [1, 0.1, 0], [1, 0, 0.1]]
      + [[0, 1, -0.4], [0, 1, -0.5], [0, 1, -0.6]] + [last]
    return Matrix<Float>(rows: rows.count, columns: 3) { base, stride in
      for (index, row) in rows.enumerated() {
        let length = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
        for column in 0..<3 { base[index * stride + column] = row[column] / length }
      }
    }
  }

  private func refined(
    _ faces: Matrix<Float>, _ groups: [[Int]], anchors: [Int64?]? = nil,
    cannotLink: [(Int, Int)] = [], votes: [Double]? = nil
  ) throws -> [[Int]] {
    let input = GroupingInput(
      embeddings: faces, clustering: try DemoPeople.fit(faces), anchors: anchors,
      cannotLink: cannotLink)
    var pairs = CandidatePairs(input, threads: 1)
    for face in 0..<9 { pairs.append(face, 9, product: faces.dotProduct(face, 9)) }
    return LinkVotes(
      input: input, faces: CentredFaces(plain: faces),
      votes: votes ?? [Double](repeating: 1, count: 10), calibration: calibration
    ).refined(groups, pairs: pairs)
  }

  private let alone = [[0, 1, 2, 3, 4, 5], [6, 7, 8], [9]]

  @Test func aFaceGoesWhereItsLinksAre() throws {
    #expect(try refined(faces(last: [0.35, 0, 1]), alone) == [[0, 1, 2, 3, 4, 5, 9], [6, 7, 8]])
    // The other group, too, lets it go.
    #expect(
      try refined(faces(last: [0.35, 0, 1]), [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9]])
        == [[0, 1, 2, 3, 4, 5, 9], [6, 7, 8]])
  }

  @Test func aMeanFarBelowTheThresholdForbidsIt() throws {
    #expect(try refined(faces(last: [0.05, 0, 1]), alone) == alone)
  }

  @Test func framesOfOneShotAreOneLink() throws {
    let votes: [Double] = [1.0 / 6, 1.0 / 6, 1.0 / 6, 1.0 / 6, 1.0 / 6, 1.0 / 6, 1, 1, 1, 1]
    #expect(try refined(faces(last: [0.35, 0, 1]), alone, votes: votes) == alone)
  }

  @Test func whatHumansSaidStays() throws {
    let face = faces(last: [0.35, 0, 1])
    var anchors = [Int64?](repeating: nil, count: 10)
    anchors[9] = 7
    #expect(try refined(face, alone, anchors: anchors) == alone)
    #expect(try refined(face, alone, cannotLink: [(2, 9)]) == alone)
  }

  private func relocated(
    _ groups: [[Int]], shot: [Int] = [], photos: [Int64?]? = nil, anchors: [Int64?]? = nil,
    cannotLink: [(Int, Int)] = [], keepsPhotosApart: Bool = true
  ) throws -> [[Int]] {
    let faces = faces(last: [1, 0.1, 0.2])
    let input = GroupingInput(
      embeddings: faces, clustering: try DemoPeople.fit(faces), photos: photos, anchors: anchors,
      cannotLink: cannotLink)
    var bursts = Bursts(none: 10)
    if let first = shot.first {
      bursts = Bursts(
        votes: (0..<10).map { shot.contains($0) ? 1 / Double(shot.count) : 1 },
        firstFace: (0..<10).map { shot.contains($0) ? first : $0 })
    }
    return Relocation(
      input: input, faces: CentredFaces(plain: faces), bursts: bursts, calibration: calibration,
      sizePenalty: 1.7, keepsPhotosApart: keepsPhotosApart
    ).relocated(groups, pairs: CandidatePairs(input, threads: 1))
  }

  @Test func aFaceMovesToTheGroupItIsMoreLike() throws {
    let right = [[0, 1, 2, 3, 4, 5, 9], [6, 7, 8]]
    let wrong = [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9]]
    #expect(try relocated(wrong) == right)
    #expect(try relocated(right) == right)
    // Frames of one shot go together.
    #expect(try relocated([[0, 1, 2, 3], [4, 5, 6, 7, 8, 9]], shot: [4, 5, 9]) == right)
    // A face on its own is not asked.
    #expect(try relocated([[0, 1, 2, 3, 4, 5], [6, 7, 8], [9]]) == alone)
  }

  @Test func whatForbidsAMergeForbidsAMove() throws {
    let wrong = [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9]]
    var photos = (0..<10).map { Optional(Int64($0)) }
    photos[9] = 3
    #expect(try relocated(wrong, photos: photos) == wrong)
    #expect(try relocated(wrong, photos: photos, keepsPhotosApart: false) != wrong)
    var anchors = [Int64?](repeating: nil, count: 10)
    anchors[9] = 7
    #expect(try relocated(wrong, anchors: anchors) == wrong)
    #expect(try relocated(wrong, cannotLink: [(2, 9)]) == wrong)
  }

  @Test(arguments: [0, 0.84] as [Float])
  func centringTakesASharedComponentOut(share: Float) throws {
    let demo = try DemoPeople(every: 2)
    let groups = Dictionary(grouping: demo.identities.indices) { demo.identities[$0] }
      .sorted { $0.key < $1.key }.map(\.value)
    let centred = CentredFaces(
      withSharedComponent(demo.embeddings, share), groups: groups, threads: 2)
    let plain = CentredFaces(demo.embeddings, groups: groups, threads: 1)
    var (sum, worst) = (0.0, 0.0)
    for row in 1..<200 {
      sum += centred.dotProduct(0, row)
      worst = max(worst, abs(centred.dotProduct(0, row) - plain.dotProduct(0, row)))
      #expect(abs(centred.dotProduct(row, row) - 1) < 1e-5)
    }
    #expect(worst < 0.02)
    #expect(abs(sum / 199) < 0.05)
  }

  @Test(arguments: [0, 0.84] as [Float])
  func strangersAreToldFromOnePerson(share: Float) throws {
    let demo = try DemoPeople()
    let counts = Dictionary(grouping: demo.identities.indices) { demo.identities[$0] }
    let rows = try #require(counts.values.max { $0.count < $1.count }).sorted()
    let one = withSharedComponent(demo.embeddings.selecting(rows: rows), share)
    #expect(!areMostlyStrangers(one))
    #expect(areMostlyStrangers(withSharedComponent(demo.embeddings, share)))
  }
}
