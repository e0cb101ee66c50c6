internal import ClusterEvaluation
internal import FaceClustering

/// How well one method's groups agree with known identities, and what is left to a user.
struct MethodScores: Encodable {
  /// Name of the method.
  let method: String
  /// Labelled faces that it was scored on.
  @OrNull var faces: Int?
  /// Its one parameter, a cosine distance, where it has one.
  @OrNull var threshold: Double?
  /// Whether the threshold is the best for these very faces, which nobody knows beforehand.
  private(set) var isBest = false
  @OrNull var pairwise: PrecisionRecall?
  @OrNull var bcubed: PrecisionRecall?
  /// Groups that hold labelled faces.
  @OrNull var clusters: Int?
  /// Identities whose faces are in more than one place, a face on its own counting as one.
  @OrNull var fragments: Int?
  @OrNull var mergesNeeded: Int?
  @OrNull var facesToRemove: Int?
  /// Faces on their own whose identity has another face somewhere.
  @OrNull var facesToPlace: Int?
  /// Why it was not computed, where it was not.
  @OrNull var skipped: String?

  init(_ method: String, threshold: Double? = nil, labels: [Int], truth: [Int]) throws {
    let scores = try ClusterScores(labels: labels, truth: truth)
    self.method = method
    self.threshold = threshold
    faces = scores.faces
    pairwise = scores.pairwise
    bcubed = scores.bcubed
    clusters = scores.clusters
    fragments = Self.fragments(labels, truth)
    mergesNeeded = scores.mergesNeeded
    facesToRemove = scores.facesToRemove
    facesToPlace = scores.facesToPlace
    skipped = nil
  }

  init(_ method: String, threshold: Double?, skipped: String) {
    self.method = method
    self.threshold = threshold
    faces = nil
    pairwise = nil
    bcubed = nil
    clusters = nil
    fragments = nil
    mergesNeeded = nil
    facesToRemove = nil
    facesToPlace = nil
    self.skipped = skipped
  }

  /// The mean of both F scores: what "best" means.
  var quality: Double { ((pairwise?.f ?? 0) + (bcubed?.f ?? 0)) / 2 }

  /// The same, as those of the best threshold.
  var asBest: MethodScores {
    var result = self
    result.isBest = true
    return result
  }

  private static func fragments(_ labels: [Int], _ truth: [Int]) -> Int {
    var places: [Int: Set<Int>] = [:]
    for (face, identity) in truth.enumerated() where identity >= 0 {
      // A face on its own is a place of its own.
      places[identity, default: []].insert(labels[face] >= 0 ? labels[face] : -1 - face)
    }
    return places.values.count { $0.count > 1 }
  }

  /// A table of methods, one a line.
  static func table(_ methods: [MethodScores]) -> String {
    var table = TextTable([
      ("", .left), ("pairwise P", .right), ("R", .right), ("F", .right), ("BCubed P", .right),
      ("R", .right), ("F", .right), ("groups", .right), ("fragmented", .right),
      ("merges", .right), ("removals", .right), ("to place", .right),
    ])
    func cells(_ scores: PrecisionRecall?) -> [String] {
      [scores?.precision, scores?.recall, scores?.f].map {
        $0.map { Formatting.decimal($0, places: 3) } ?? "–"
      }
    }
    for method in methods {
      table.append(
        [method.title] + cells(method.pairwise) + cells(method.bcubed)
          + [
            method.clusters.map { "\($0)" } ?? "skipped", method.fragments.map { "\($0)" } ?? "",
            method.mergesNeeded.map { "\($0)" } ?? "", method.facesToRemove.map { "\($0)" } ?? "",
            method.facesToPlace.map { "\($0)" } ?? "",
          ])
    }
    return table.text
  }

  /// The method with its threshold.
  var title: String {
    method + (threshold.map { " " + Formatting.decimal($0, places: isBest ? 3 : 2) } ?? "")
      + (isBest ? " (best)" : "")
  }
}
