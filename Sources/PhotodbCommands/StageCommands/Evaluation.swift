internal import ClusterEvaluation
internal import FaceClustering
internal import Store
internal import Synchronization
internal import Vectors

/// How well groups agree with known identities.
struct Evaluation: Encodable {
  /// A grouping by another method over the same faces.
  struct Baseline: Encodable {
    let method: String
    /// The one parameter of the method, cosine distance.
    let threshold: Double
    @OrNull var pairwise: PrecisionRecall?
    @OrNull var bcubed: PrecisionRecall?
    @OrNull var clusters: Int?
    /// Why it was not computed, where it was not.
    @OrNull var skipped: String?
  }

  /// Labelled faces.
  let faces: Int
  let identities: Int
  let pairwise: PrecisionRecall
  let bcubed: PrecisionRecall
  let adjustedRand: Double
  let clusters: Int
  /// Labelled faces that are in no group.
  let noise: Int
  let mergesNeeded: Int
  let facesToRemove: Int
  let baselines: [Baseline]

  /// Scores the people of a collection, and optionally other methods beside them.
  ///
  /// Groups are people (clusters under one person are one group); faces without one are singletons.
  ///
  /// - Parameter truth: identity of each external id; faces that are not named are left out of the
  ///   scores but take part in the baselines' grouping.
  static func of(
    _ stage: FaceClustering, truth: [String: Int], baselines: Bool,
    progress: ((String, Double) -> Void)? = nil
  ) async throws -> Evaluation {
    let rows = Mutex<[AssignmentRow]>([])
    try await stage.exportAssignments { row in rows.withLock { $0.append(row) } }
    let assignments = rows.withLock { $0 }
    let people = assignments.map { $0.personID.map(Int.init) ?? -1 }
    let identities = assignments.map { truth[$0.externalID] ?? -1 }
    let scores = try ClusterScores(labels: people, truth: identities)
    return Evaluation(
      faces: scores.faces, identities: scores.identities, pairwise: scores.pairwise,
      bcubed: scores.bcubed, adjustedRand: scores.adjustedRand, clusters: scores.clusters,
      noise: scores.noise, mergesNeeded: scores.mergesNeeded, facesToRemove: scores.facesToRemove,
      baselines: baselines
        ? try await computeBaselines(stage, assignments, identities, progress) : [])
  }

  private static func computeBaselines(
    _ stage: FaceClustering, _ assignments: [AssignmentRow], _ identities: [Int],
    _ progress: ((String, Double) -> Void)?
  ) async throws -> [Baseline] {
    let snapshot = try await stage.faces()
    let identityOf = Dictionary(
      uniqueKeysWithValues: zip(assignments.map(\.detectionID), identities))
    let truth = snapshot.ids.map { identityOf[$0] ?? -1 }
    let vectors = snapshot.embeddings
    let methods: [(name: String, threshold: Double, run: (CosineDistance) throws -> [Int])] = [
      ("dbscan", 0.5, { try densityBaseline(vectors, radius: $0, minFaces: 3) }),
      ("chinese_whispers", 0.5, { try chineseWhispers(vectors, threshold: $0) }),
      ("chinese_whispers", 0.55, { try chineseWhispers(vectors, threshold: $0) }),
      ("average_linkage", 0.6, { try averageLinkage(vectors, threshold: $0) }),
      ("average_linkage", 0.7, { try averageLinkage(vectors, threshold: $0) }),
    ]
    return try methods.enumerated().map { index, method in
      progress?("baseline \(method.name)", Double(index) / Double(methods.count))
      do {
        let labels = try method.run(CosineDistance(method.threshold))
        let scores = try ClusterScores(labels: labels, truth: truth)
        return Baseline(
          method: method.name, threshold: method.threshold, pairwise: scores.pairwise,
          bcubed: scores.bcubed, clusters: scores.clusters, skipped: nil)
      } catch let error as EvaluationError {
        return Baseline(
          method: method.name, threshold: method.threshold, pairwise: nil, bcubed: nil,
          clusters: nil, skipped: error.description)
      }
    }
  }

  /// The table for people.
  var text: String {
    var table = TextTable([
      ("", .left), ("pairwise P", .right), ("R", .right), ("F", .right), ("BCubed P", .right),
      ("R", .right), ("F", .right), ("groups", .right),
    ])
    func cells(_ scores: PrecisionRecall?) -> [String] {
      [scores?.precision, scores?.recall, scores?.f].map {
        $0.map { Formatting.decimal($0, places: 3) } ?? "–"
      }
    }
    table.append(["photodb"] + cells(pairwise) + cells(bcubed) + ["\(clusters)"])
    for baseline in baselines {
      table.append(
        ["\(baseline.method) \(Formatting.decimal(baseline.threshold, places: 2))"]
          + cells(baseline.pairwise) + cells(baseline.bcubed)
          + [baseline.clusters.map { "\($0)" } ?? "skipped"])
    }
    return """
      \(table.text)

      \(Formatting.count(faces)) labelled faces of \(Formatting.count(identities)) identities, \
      \(Formatting.count(noise)) in no group; \(mergesNeeded) merges and \
      \(facesToRemove) removals would make it right
      """
  }
}
