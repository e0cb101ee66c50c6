import HDBSCAN
import Testing
import Vectors

@testable import PersonGrouping

/// Small nodes of the hierarchy hold strangers beside somebody's two photos.
@Suite struct SmallNodesTests {
  /// Strangers are alike by 0 ± 0.1, so 4.5 deviations and 1.7 for two faces are 0.62.
  private func parts(_ similarities: [[Float]]) -> [[Int]] {
    // The lower triangle of the Cholesky factor has these products.
    let count = similarities.count
    var factor = [[Float]](repeating: [Float](repeating: 0, count: count), count: count)
    for row in 0..<count {
      for column in 0...row {
        var rest = similarities[row][column]
        for k in 0..<column { rest -= factor[row][k] * factor[column][k] }
        factor[row][column] = row == column ? rest.squareRoot() : rest / factor[column][column]
      }
    }
    return SmallNodes(
      faces: CentredFaces(plain: Matrix(factor)),
      calibration: SimilarityCalibration(
        impostorMean: 0, impostorDeviation: 0.1, separation: 6, entropy: 3, impostorPairs: 1_000)
    ).parts(0..<count)
  }

  @Test func aPairDoesNotPayForAStranger() {
    #expect(parts([[1, 0.9, 0.4], [0.9, 1, 0.4], [0.4, 0.4, 1]]) == [[0, 1], [2]])
    // To two faces 4.5 and 1.7 / √2 are enough.
    #expect(parts([[1, 0.9, 0.6], [0.9, 1, 0.6], [0.6, 0.6, 1]]) == [[0, 1, 2]])
    #expect(parts([[1, 0.6], [0.6, 1]]) == [[0], [1]])
  }

  @Test func twoPairsAreTwoPeople() {
    #expect(
      parts([
        [1, 0.3, 0.8, 0.3], [0.3, 1, 0.3, 0.8], [0.8, 0.3, 1, 0.3], [0.3, 0.8, 0.3, 1],
      ]) == [[0, 2], [1, 3]])
  }

  @Test(arguments: [1, 2] as [UInt64]) func twoPhotosOfManyPeopleStartNoMixedGroup(
    seed: UInt64
  ) throws {
    var made = MadePeople(seed: seed, columns: 512, similarity: 0.7)
    for _ in 0..<400 { made.add(photos: 2) }
    let faces = made.embeddings
    let grouping = try groupPeople(
      GroupingInput(embeddings: faces, clustering: try DemoPeople.fit(faces)))
    let placed = made.identities.indices.filter { grouping.clusterOfFace[$0] >= 0 }
    let people = Dictionary(grouping: placed) {
      grouping.clusters[grouping.clusterOfFace[$0]].person
    }
    #expect(people.count > 390)
    #expect(people.values.allSatisfy { Set($0.map { made.identities[$0] }).count == 1 })
  }
}
