internal import HDBSCAN
internal import Logging
internal import PostgresClient
internal import Store
internal import Vectors

extension Bootstrap {
  /// What a bootstrap begins with.
  struct Faces {
    /// Those of the fit, and those that are no part of it; all can be used.
    var divided: DividedFaces
    /// Eligible faces that cannot be used, and why.
    var unusable: [Int64: String] = [:]
    /// The fit, where it is not to be made.
    var stored: (run: Int64, clustering: Clustering)?
  }

  /// Reads what a fit takes, and what it leaves out.
  func facesToFit() async throws -> Faces {
    let (collection, settings) = (collection, settings)
    let estimate = try await checkedEstimate()
    guard estimate.faces > 0 else {
      throw BootstrapError.nothingToFit(collection: collection.name, filtered: estimate.leftOut)
    }
    return try await setAside(
      try await pool.withTransaction(.snapshot) { connection in
        try FaceReader(collection).divided(settings.eligibility, on: connection)
      })
  }

  private func checkedEstimate() async throws -> BootstrapEstimate {
    let estimate = try await BootstrapEstimate.read(
      collection, settings: settings, withoutFit: withoutFit, pool: pool)
    logger.info(
      """
      \(estimate.faces) fitted faces and \(estimate.leftOut) beside the fit; about \
      \(estimate.memoryBytes / 1_048_576) MB of memory are needed
      """)
    try estimate.check()
    return estimate
  }

  /// The faces of the run in charge, in the order of its fit, and all others.
  func facesOfStoredFit() async throws -> Faces {
    _ = try await checkedEstimate()
    let (collection, settings) = (collection, settings)
    let (run, model, stored) = try await pool.withTransaction(.snapshot) { connection in
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
        metrics.fitOfRun ?? run.id, model, try model.faces(of: collection, on: connection)
      )
    }
    guard stored.missing == 0 else {
      throw BootstrapError.fitIsIncomplete(
        run: run, missing: stored.missing, collection: collection.name)
    }
    return Faces(divided: stored.faces, stored: (run, try model.clustering()))
  }

  /// Leaves out what cannot be used, and says which of them would have been fitted.
  ///
  /// Whoever places the others finds them invalid.
  private func setAside(_ stored: DividedFaces) async throws -> Faces {
    let reasons = UnusableEmbeddings.reasons(in: stored.all.embeddings)
    let usable = stored.leavingOut(rows: Set(reasons.keys))
    let unusable = reasons.filter { $0.key < stored.fittedCount }
      .map { (id: stored.all.ids[$0.key], reason: $0.value) }
    if unusable.isEmpty { return Faces(divided: usable) }
    let detections = DetectionRepository(collection)
    let named = try await pool.withTransaction { try detections.name(unusable, on: $0) }
    guard usable.fittedCount > 0 else {
      throw BootstrapError.nothingUsable(
        collection: collection.name, faces: named, count: stored.fittedCount)
    }
    logger.warning(
      """
      \(unusable.count) faces have embeddings that cannot be used and take no part: \
      \(InvalidFace.line(named, of: unusable.count))
      """)
    return Faces(
      divided: usable,
      unusable: Dictionary(uniqueKeysWithValues: unusable.map { ($0.id, $0.reason) }))
  }
}
