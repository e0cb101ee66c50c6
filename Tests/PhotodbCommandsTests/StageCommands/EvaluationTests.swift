import Foundation
import TestSupport
import Testing
import Vectors

@testable import PhotodbCommands

@Suite("what evaluate says")
struct EvaluationTests {
  private static let vectors = made(share: 0)

  /// Six people with five faces each.
  ///
  /// Strangers are similar by 0 ± 0.09, faces of one person by 0.92.
  ///
  /// - Parameter share: similarities are share + (1 − share) · s, as under a model with a constant.
  private static func made(share: Float) -> Matrix<Float> {
    let faces = MadeUpFaces.people(count: 6, each: 5)
    let rows = (0..<30).map { row -> [Float] in
      let values = faces.values(ofRow: row)
      let norm = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return values.map { (1 - share).squareRoot() * $0 / norm } + [share.squareRoot()]
    }
    return Matrix(rows)
  }

  private static let truth = (0..<30).map { $0 / 5 }

  @Test("ids are told apart by their bytes, as the database tells them apart")
  func truthByBytes() async throws {
    try await TemporaryFolder.with { folder in
      let path = folder + "/truth.csv"
      try "external_id,identity\ncaf\u{E9},1\ncafe\u{301},2\n".write(
        toFile: path, atomically: true, encoding: .utf8)
      #expect(try TruthFile.read(path).count == 2)
    }
  }

  @Test("the best threshold is at least as good as the usual ones")
  func usualThresholdsAreCandidates() throws {
    // A grid that finds nobody.
    let baselines = Baselines(vectors: Self.vectors, truth: Self.truth, thresholds: [0.001])
    let scores = try baselines.scores(nil)
    #expect(scores.count == 8)
    for name in ["dbscan", "chinese_whispers", "average_linkage"] {
      let rows = scores.filter { $0.method == name }
      let best = try #require(rows.last)
      #expect(best.isBest && best.quality == rows.map(\.quality).max())
      #expect(best.quality == 1 && best.threshold != 0.001, "\(name)")
    }
  }

  @Test(
    "every threshold is tried where that is cheap, else those around the best of every fourth",
    arguments: [1 << 20, 0])
  func fineGrid(pairMemory: Int) throws {
    let grid = Baselines.thresholds(nil)
    #expect(grid.count == 41 && grid.first == 0.3 && abs((grid.last ?? 0) - 0.8) < 1e-12)
    // The usual thresholds take everybody for one; faces of one person lie 0.013 apart, strangers 0.16.
    let found = try Baselines(
      vectors: Self.made(share: 0.84), truth: Self.truth,
      thresholds: [0.001, 0.001, 0.001, 0.001, 0.0125, 0.05, 0.001, 0.001, 0.001],
      pairMemory: pairMemory
    ).scores(nil)
    let best = found.filter(\.isBest)
    #expect(best.map(\.threshold) == [0.05, 0.05, 0.05])
    #expect(best.allSatisfy { $0.quality == 1 })
  }

  @Test("faces without a vector count, each on its own")
  func facesWithoutVector() throws {
    let scores = try Baselines(
      vectors: Self.vectors, truth: Self.truth, bare: [0, 0, 9], thresholds: [0.3]
    ).scores(nil)
    for row in scores {
      #expect(row.faces == 33 && row.facesToPlace == 2)
      #expect(row.quality < 1)
    }
  }

  private func evaluation(
    notFitted: Int, filtered: Int, waiting: Int, notInCollection: Int = 0, hasRun: Bool = true
  ) throws -> Evaluation {
    let labels = Self.truth.map { $0 == 0 ? -1 : $0 }
    let row = try MethodScores("photodb", labels: labels, truth: Self.truth)
    let score = try #require(row.pairwise)
    let steps = try MethodScores(
      "all steps", labels: Array(labels.dropFirst(5)), truth: Array(Self.truth.dropFirst(5)))
    return Evaluation(
      faces: 30, identities: 6, pairwise: score, bcubed: score, adjustedRand: 1, clusters: 5,
      noise: 5, fragments: 1, mergesNeeded: 0, facesToRemove: 0,
      facesToPlace: row.facesToPlace ?? -1, notFitted: notFitted, filtered: filtered,
      waiting: waiting, notInCollection: notInCollection, methods: hasRun ? [row, row] : [row],
      baselines: [], ablation: [steps])
  }

  @Test("faces that the figures do not stand on are named")
  func populations() throws {
    let text = try evaluation(notFitted: 5, filtered: 4, waiting: 3, notInCollection: 2).text
    #expect(text.contains("5 of 30 labelled faces were not in the fit (quality: 4 below MIN_FACE"))
    #expect(text.contains("3 of 30 labelled faces wait, and photodb has each of them alone: run"))
    #expect(text.contains("`photodb assign`"))
    #expect(text.contains("2 external ids with an identity are not in the collection"))
    #expect(text.contains("steps left out, on the 25 labelled faces of the bootstrap"))
    // The faces of the one who is nowhere are work, too.
    #expect(text.contains("0 merges, 0 removals and 5 faces to place would make it right"))
    let complete = try evaluation(notFitted: 0, filtered: 0, waiting: 0).text
    #expect(complete.hasSuffix("faces to place would make it right"))
    let early = try evaluation(notFitted: 30, filtered: 0, waiting: 30, hasRun: false).text
    #expect(early.hasSuffix("no run is in charge: `photodb re-bootstrap` groups the faces"))
  }
}
