internal import HDBSCAN
internal import PersonGrouping
internal import Store
internal import Vectors

/// What each step from density to people is worth: the grouping without it.
enum Ablation {
  private static let steps: [(name: String, leaveOut: @Sendable (inout GroupingSteps) -> Void)] = [
    ("all steps", { _ in }),
    ("without extraction", { $0.extraction = false }),
    ("without calibration", { $0.calibration = false }),
    ("without association", { $0.association = false }),
    ("without adoption", { $0.adoption = false }),
    (
      "without association and adoption",
      {
        $0.association = false
        $0.adoption = false
      }
    ),
    ("without centring", { $0.centring = false }),
    ("without refinement", { $0.refinement = false }),
    ("without photos", { $0.photos = false }),
    ("without bursts", { $0.bursts = false }),
  ]

  /// Groups the faces of a fit, and those beside it, with each step left out, and scores the people.
  ///
  /// What humans said is left out, too: this is about the method.
  static func scores(
    _ faces: FaceSnapshot, times: [Double?], clustering: Clustering, truth: [Int],
    progress: ((String, Double) -> Void)?
  ) throws -> [MethodScores] {
    var input = GroupingInput(
      embeddings: faces.embeddings, clustering: clustering, photos: faces.photoIDs)
    input.times = times
    try input.findNeighboursBesideFit()
    return try steps.enumerated().map { index, step in
      progress?(step.name, Double(index) / Double(steps.count))
      var chosen = GroupingSteps()
      step.leaveOut(&chosen)
      return try MethodScores(
        step.name, labels: try groupPeople(input, steps: chosen).personOfFace, truth: truth)
    }
  }
}
