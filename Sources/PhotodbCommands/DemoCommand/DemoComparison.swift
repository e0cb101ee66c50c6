internal import ClusterEvaluation
internal import FaceClustering
internal import Store
internal import Synchronization
internal import Vectors

/// What grouping into people gains: our people, the labels of the fit and two usual methods, on the same faces.
enum DemoComparison {
  /// Scores each on the faces that the bootstrap was fitted to; nothing where there was none.
  ///
  /// Later arrivals are left out, because the fit has no labels for them.
  ///
  /// - Parameter truth: identity of each external id.
  /// - Complexity: O(n² · d) as matrix products, five times.
  static func scores(
    _ stage: FaceClustering, truth: [ExactText: Int]
  ) async throws -> [MethodScores] {
    guard let raw = try await stage.fittedLabels() else { return [] }
    let rows = Mutex<[AssignmentRow]>([])
    try await stage.exportAssignments { row in
      if raw[row.detectionID] != nil { rows.withLock { $0.append(row) } }
    }
    let snapshot = try await stage.faces()
    let rowOfID = Dictionary(uniqueKeysWithValues: zip(snapshot.ids, snapshot.ids.indices))
    let faces = rows.withLock { $0 }.filter { rowOfID[$0.detectionID] != nil }
    let vectors = snapshot.embeddings.selecting(
      rows: faces.compactMap { rowOfID[$0.detectionID] })
    let identities = faces.map { truth[ExactText($0.externalID)] ?? -1 }
    let usual = CosineDistance(0.5)
    return [
      try MethodScores(
        "photodb", labels: faces.map { $0.personID.map(Int.init) ?? -1 }, truth: identities),
      try MethodScores(
        try await Evaluation.fitName(stage), labels: faces.map { raw[$0.detectionID] ?? -1 },
        truth: identities),
      try MethodScores(
        "dbscan", threshold: usual.value,
        labels: try densityBaseline(vectors, radius: usual, minFaces: 3), truth: identities),
      try MethodScores(
        "chinese_whispers", threshold: usual.value,
        labels: try chineseWhispers(vectors, threshold: usual), truth: identities),
    ]
  }
}
