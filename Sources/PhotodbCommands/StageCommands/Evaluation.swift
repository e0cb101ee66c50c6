internal import ClusterEvaluation
internal import FaceClustering
internal import HDBSCAN
internal import Store
internal import Synchronization
internal import Vectors

/// How well groups agree with known identities.
struct Evaluation: Encodable {
  /// What to compute beside our own figures.
  struct Wanted {
    var baselines = true
    var ablation = false
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
  let fragments: Int
  let mergesNeeded: Int
  let facesToRemove: Int
  /// Our people, the labels of the fit, and other methods.
  let methods: [MethodScores]
  let baselines: [MethodScores]
  /// The grouping with one step left out.
  let ablation: [MethodScores]

  /// Scores the people of a collection, and optionally other methods beside them.
  ///
  /// Groups are people (clusters under one person are one group); faces without one are singletons.
  ///
  /// - Parameter truth: identity of each external id; faces that are not named are left out of the
  ///   scores but take part in the baselines' grouping.
  static func of(
    _ stage: FaceClustering, truth: [String: Int], wanted: Wanted,
    progress: ((String, Double) -> Void)? = nil
  ) async throws -> Evaluation {
    let rows = Mutex<[AssignmentRow]>([])
    try await stage.exportAssignments { row in rows.withLock { $0.append(row) } }
    let assignments = rows.withLock { $0 }
    let people = assignments.map { $0.personID.map(Int.init) ?? -1 }
    let identities = assignments.map { truth[$0.externalID] ?? -1 }
    let scores = try ClusterScores(labels: people, truth: identities)
    let ours = try MethodScores("photodb", labels: people, truth: identities)
    var methods = [ours]
    if let raw = try await stage.fittedLabels() {
      // Faces that came later have no label of the fit.
      methods.append(
        try MethodScores(
          "hdbscan \(stage.settings.selectionMethod.rawValue)",
          labels: assignments.map { raw[$0.detectionID] ?? -1 }, truth: identities))
    }
    var baselines: [MethodScores] = []
    var ablation: [MethodScores] = []
    let identityOf = Dictionary(
      uniqueKeysWithValues: zip(assignments.map(\.detectionID), identities))
    if wanted.baselines {
      let snapshot = try await stage.faces()
      baselines = try Baselines(
        vectors: snapshot.embeddings, truth: snapshot.ids.map { identityOf[$0] ?? -1 },
        thresholds: Baselines.thresholds(try await stage.calibration())
      ).scores(progress)
    }
    if wanted.ablation {
      guard let fit = try await stage.storedFit() else {
        throw CommandFailure(
          "the active run holds no tree to group from (none is active, faces of it are gone, or an "
            + "older photodb made it); `photodb re-bootstrap` makes one")
      }
      ablation = try Ablation.scores(
        fit.faces, times: fit.times, clustering: fit.clustering,
        truth: fit.faces.ids.map { identityOf[$0] ?? -1 }, progress: progress)
    }
    return Evaluation(
      faces: scores.faces, identities: scores.identities, pairwise: scores.pairwise,
      bcubed: scores.bcubed, adjustedRand: scores.adjustedRand, clusters: scores.clusters,
      noise: scores.noise, fragments: ours.fragments ?? 0, mergesNeeded: scores.mergesNeeded,
      facesToRemove: scores.facesToRemove, methods: methods, baselines: baselines,
      ablation: ablation)
  }

  /// The tables for people.
  var text: String {
    var text = MethodScores.table(methods + baselines)
    if !ablation.isEmpty { text += "\n\n" + MethodScores.table(ablation) }
    return text + """


      \(Formatting.count(faces)) labelled faces of \(Formatting.count(identities)) identities, \
      \(Formatting.count(noise)) in no group; \(mergesNeeded) merges and \
      \(facesToRemove) removals would make it right
      """
  }
}
