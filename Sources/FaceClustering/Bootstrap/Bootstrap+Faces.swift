internal import HDBSCAN
internal import Logging
internal import PostgresClient
internal import Store
internal import Vectors

extension Bootstrap {
  /// What a bootstrap begins with.
  struct Faces {
    var fitted: FaceSnapshot
    /// Faces that are no part of the fit.
    var beside: FaceSnapshot
    /// Eligible faces that cannot be used, and why.
    var unusable: [Int64: String] = [:]
    /// The fit, where it is not to be made.
    var stored: (run: Int64, clustering: Clustering)?
  }

  /// Reads what a fit takes, and what it leaves out.
  func facesToFit() async throws -> Faces {
    let (collection, settings) = (collection, settings)
    let eligibility = settings.eligibility
    let counts = try await pool.withTransaction(.snapshot) { connection in
      try FaceReader(collection).countEligible(eligibility, on: connection)
    }
    guard counts.eligible > 0 else {
      throw BootstrapError.nothingToFit(collection: collection.name, filtered: counts.filtered)
    }
    let estimate = BootstrapEstimate(
      faces: counts.eligible, leftOut: counts.filtered, dimension: collection.dimension,
      minSamples: settings.minSamples)
    logger.info(
      """
      fitting \(counts.eligible) faces; about \(estimate.memoryBytes / 1_048_576) MB of memory are \
      needed
      """)
    try estimate.check()
    let stored = try await pool.withTransaction(.snapshot) { connection in
      try FaceReader(collection).divided(
        eligibility, expectingNone: counts.filtered == 0, on: connection)
    }
    let (snapshot, unusable) = try await setAside(stored.eligible)
    return Faces(fitted: snapshot, beside: stored.leftOut, unusable: unusable)
  }

  /// The faces of the run in charge, in the order of its fit, and all others.
  func facesOfStoredFit() async throws -> Faces {
    let (collection, settings) = (collection, settings)
    let (run, model, faces) = try await pool.withTransaction(.snapshot) { connection in
      let runs = RunRepository(collection)
      guard let run = try runs.active(on: connection) else {
        throw BootstrapError.noFit(collection: collection.name)
      }
      let then = try StageSettings(runParametersJSON: run.parametersJSON).eligibility
      let metrics = try JSONText.decode(RunMetrics.self, from: run.metricsJSON)
      let model = try StoredModel(bytes: try runs.state(of: run.id, on: connection).blob)
      let minSamples = model.parameters.minSamples ?? model.parameters.minClusterSize
      guard then == settings.eligibility, minSamples == settings.minSamples,
        run.embeddingModel == collection.embeddingModel
      else { throw BootstrapError.fitOfOtherSettings(run: run.id) }
      return (
        metrics.fitOfRun ?? run.id, model, try FaceReader(collection).usable(on: connection)
      )
    }
    let fitted = Set(model.detectionIDs)
    let rows = faces.ids.indices.filter { fitted.contains(faces.ids[$0]) }
    let snapshot = faces.selecting(rows: rows)
    let unusable = UnusableEmbeddings.reasons(in: snapshot.embeddings).count
    let missing = fitted.count - rows.count + unusable
    guard missing == 0 else {
      throw BootstrapError.fitIsIncomplete(run: run, missing: missing, collection: collection.name)
    }
    return Faces(
      fitted: snapshot,
      beside: faces.selecting(rows: faces.ids.indices.filter { !fitted.contains(faces.ids[$0]) }),
      stored: (run, try model.clustering()))
  }

  /// Those of the faces beside the fit that can be compared; whoever places the others finds them invalid.
  func usable(_ beside: FaceSnapshot) -> FaceSnapshot {
    let reasons = UnusableEmbeddings.reasons(in: beside.embeddings)
    return reasons.isEmpty
      ? beside : beside.selecting(rows: beside.ids.indices.filter { reasons[$0] == nil })
  }

  /// Leaves out what cannot be fitted, and says so.
  private func setAside(
    _ stored: FaceSnapshot
  ) async throws -> (usable: FaceSnapshot, unusable: [Int64: String]) {
    let reasons = UnusableEmbeddings.reasons(in: stored.embeddings)
    if reasons.isEmpty { return (stored, [:]) }
    let unusable = reasons.map { (id: stored.ids[$0.key], reason: $0.value) }
    let detections = DetectionRepository(collection)
    let named = try await pool.withTransaction { try detections.name(unusable, on: $0) }
    guard reasons.count < stored.count else {
      throw BootstrapError.nothingUsable(
        collection: collection.name, faces: named, count: stored.count)
    }
    logger.warning(
      """
      \(unusable.count) faces have embeddings that cannot be used and take no part: \
      \(InvalidFace.line(named, of: unusable.count))
      """)
    return (
      stored.selecting(rows: stored.ids.indices.filter { reasons[$0] == nil }),
      Dictionary(uniqueKeysWithValues: unusable.map { ($0.id, $0.reason) })
    )
  }
}
