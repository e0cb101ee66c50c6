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
  /// Labelled faces in no group whose identity has another face.
  let facesToPlace: Int
  /// Labelled faces that the run in charge was not fitted to: all of them where there is none.
  let notFitted: Int
  /// Those of them that `MIN_FACE_SIZE_PX` and `MIN_FACE_CONFIDENCE` leave out of a bootstrap.
  let filtered: Int
  /// Labelled faces about which nobody has decided: `photodb assign` would.
  let waiting: Int
  /// External ids with an identity that are not in the collection.
  let notInCollection: Int
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
    _ stage: FaceClustering, truth: [ExactText: Int], wanted: Wanted,
    progress: ((String, Double) -> Void)? = nil
  ) async throws -> Evaluation {
    let rows = Mutex<[AssignmentRow]>([])
    try await stage.exportAssignments { row in rows.withLock { $0.append(row) } }
    let assignments = rows.withLock { $0 }
    let people = assignments.map { $0.personID.map(Int.init) ?? -1 }
    let identities = assignments.map { truth[ExactText($0.externalID)] ?? -1 }
    let scores = try ClusterScores(labels: people, truth: identities)
    let ours = try MethodScores("photodb", labels: people, truth: identities)
    var methods = [ours]
    let raw = try await stage.fittedLabels()
    if let raw {
      // Faces that came later, or were left out, have no label of the fit.
      methods.append(
        try MethodScores(
          try await fitName(stage), labels: assignments.map { raw[$0.detectionID] ?? -1 },
          truth: identities))
    }
    let labelled = zip(assignments, identities).filter { $0.1 >= 0 }.map { $0.0 }
    let outside = labelled.filter { raw?[$0.detectionID] == nil }
    var baselines: [MethodScores] = []
    var ablation: [MethodScores] = []
    let identityOf = Dictionary(
      uniqueKeysWithValues: zip(assignments.map(\.detectionID), identities))
    if wanted.baselines {
      let snapshot = try await stage.faces()
      let usable = snapshot.ids.indices.filter { snapshot.embeddings.isUnit(row: $0) }
      let usableIDs = usable.map { snapshot.ids[$0] }
      let known = Set(usableIDs)
      baselines = try Baselines(
        vectors: usable.count == snapshot.count
          ? snapshot.embeddings : snapshot.embeddings.selecting(rows: usable),
        truth: usableIDs.map { identityOf[$0] ?? -1 },
        bare: labelled.filter { !known.contains($0.detectionID) }.compactMap {
          identityOf[$0.detectionID]
        },
        thresholds: Baselines.thresholds(try await stage.calibration())
      ).scores(progress)
    }
    if wanted.ablation {
      // As the bootstrap does: what the filters left out is grouped beside the fit.
      let beside = Set(
        assignments.filter { $0.reason?.hasPrefix("filtered") == true }.map(\.detectionID))
      guard let fit = try await stage.storedFit(beside: beside) else {
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
      facesToRemove: scores.facesToRemove, facesToPlace: scores.facesToPlace,
      notFitted: outside.count,
      filtered: outside.count { $0.reason?.hasPrefix("filtered") == true },
      waiting: labelled.count { $0.status == nil },
      notInCollection: truth.count - labelled.count, methods: methods, baselines: baselines,
      ablation: ablation)
  }

  /// What the labels of the fit are called: by the settings that it was made with.
  static func fitName(_ stage: FaceClustering) async throws -> String {
    let settings = try await stage.settingsOfRun() ?? stage.settings
    return "hdbscan \(settings.selectionMethod.rawValue)"
  }

  /// The tables for people.
  var text: String {
    var text = MethodScores.table(methods + baselines)
    if let fitted = ablation.first?.faces {
      text +=
        "\n\nsteps left out, on the \(Formatting.count(fitted)) labelled faces of the bootstrap\n"
        + MethodScores.table(ablation)
    }
    text += """


      \(Formatting.count(faces)) labelled faces of \(Formatting.count(identities)) identities, \
      \(Formatting.count(noise)) in no group; \(Formatting.count(mergesNeeded)) merges, \
      \(Formatting.count(facesToRemove)) removals and \(Formatting.count(facesToPlace)) faces to \
      place would make it right
      """
    return ([text] + notes).joined(separator: "\n")
  }

  /// Which faces the figures do not stand on, one line each.
  private var notes: [String] {
    var notes: [String] = []
    // Beside our people there are the labels of the fit, where there is one.
    if methods.count < 2 {
      notes.append("no run is in charge: `photodb re-bootstrap` groups the faces")
    } else if notFitted > 0 {
      let quality =
        filtered > 0
        ? " (quality: \(Formatting.count(filtered)) below MIN_FACE_SIZE_PX or MIN_FACE_CONFIDENCE)"
        : ""
      notes.append(
        "\(Formatting.count(notFitted)) of \(Formatting.count(faces)) labelled faces were not in the "
          + "fit\(quality); hdbscan has each of them alone")
    }
    if waiting > 0, methods.count > 1 {
      notes.append(
        "\(Formatting.count(waiting)) of \(Formatting.count(faces)) labelled faces wait, and photodb "
          + "has each of them alone: run `photodb assign`")
    }
    if notInCollection > 0 {
      notes.append(
        "\(Formatting.count(notInCollection)) external ids with an identity are not in the collection, "
          + "and were left out")
    }
    return notes
  }
}

extension Matrix<Float> {
  /// Whether a row is a unit vector: what is stored with another length is all NaN.
  fileprivate func isUnit(row: Int) -> Bool { abs(dotProduct(row, row) - 1) < 2e-3 }
}
