internal import PostgresClient
internal import Store

/// Compares the active run with the collection as it is now.
///
/// Measures, and changes nothing. ``FaceClustering/checkStaleness(now:)`` settles dead runs before.
struct StalenessCheck {
  let collection: CollectionRecord
  let settings: StageSettings
  /// Seconds since 1970.
  let now: Double

  /// Arrivals needed before shares of them mean anything.
  private static let fewestArrivals = 20

  /// What is read of the model and of the vectors of arrivals, and how many faces there are.
  private struct Besides: Sendable {
    var runID: Int64
    var faces: Int
    /// Those of them that are not younger than the fit.
    var facesOfFit: Int
    /// Whether tier 1 can use the run's model: it loads, and its checksum is right.
    var isReadable: Bool
    /// Mean cosine distance of the latest arrivals to the reference centroid of their cluster.
    var meanArrivalDistance: Double?
  }

  /// Both halves of the check, side by side.
  ///
  /// - Throws: `PostgresError`, and what damaged records throw.
  func report(_ pool: PostgresPool) async throws -> StalenessReport {
    async let other = pool.withTransaction(.snapshot) { try besides(on: $0) }
    let counted = try await pool.withTransaction(.snapshot) { try counts(on: $0) }
    let read = try await other
    guard let counted, let read, counted.run.id == read.runID else {
      // No run, or another one became active between the two looks.
      return try await pool.withTransaction(.snapshot) { try report(on: $0) }
    }
    return try report(counted, read)
  }

  private func report(on connection: isolated PostgresConnection) throws -> StalenessReport {
    guard let counted = try counts(on: connection), let besides = try besides(on: connection) else {
      let counts = try FaceReader(collection).countEligible(settings.eligibility, on: connection)
      return StalenessReport(
        collection: collection.name, status: .noRun, runID: nil, embeddingCount: 0,
        currentCount: counts.eligible, growth: nil, signals: [])
    }
    return try report(counted, besides)
  }

  private func report(_ counted: Counted, _ besides: Besides) throws -> StalenessReport {
    let run = counted.run
    let eligible = besides.faces - counted.facts.unfitNow
    let growth = Double(eligible) / Double(max(run.embeddingCount, 1))
    let signals = try signals(counted, besides, growth: growth)
    let fired = signals.filter(\.fired)
    return StalenessReport(
      collection: collection.name,
      status: fired.contains { $0.severity == .stale }
        ? .stale : fired.isEmpty ? .fresh : .warning,
      runID: run.id, embeddingCount: run.embeddingCount, currentCount: eligible,
      growth: growth, signals: signals)
  }

  /// The active run, and what is counted beside it.
  private struct Counted: Sendable {
    var run: RunRecord
    var metrics: RunMetrics
    var facts: StalenessFacts
    /// When its fit was made, in seconds since 1970: by itself, or by the run whose fit it has.
    var fittedAt: Double
  }

  /// Nil without an active run.
  private func counts(on connection: isolated PostgresConnection) throws -> Counted? {
    guard let run = try RunRepository(collection).active(on: connection) else { return nil }
    let metrics = try JSONText.decode(RunMetrics.self, from: run.metricsJSON)
    // Which faces the fit saw follows from the settings of then, not of now.
    let facts = try StalenessRepository(collection).facts(
      since: run, lastFittedID: metrics.lastDetectionID, lastSeenID: metrics.lastSeen,
      eligibleThen: try StageSettings(runParametersJSON: run.parametersJSON).eligibility,
      eligibleNow: settings.eligibility, on: connection)
    let fit = try metrics.fitOfRun.map { try RunRepository(collection).find($0, on: connection) }
    return Counted(
      run: run, metrics: metrics, facts: facts,
      fittedAt: (fit ?? run).finishedAt ?? (fit ?? run).createdAt)
  }

  /// Nil without an active run.
  private func besides(on connection: isolated PostgresConnection) throws -> Besides? {
    guard let run = try RunRepository(collection).active(on: connection) else { return nil }
    let repository = StalenessRepository(collection)
    let metrics = try JSONText.decode(RunMetrics.self, from: run.metricsJSON)
    let faces = try repository.faceCounts(lastFittedID: metrics.lastDetectionID, on: connection)
    return Besides(
      runID: run.id, faces: faces.all, facesOfFit: faces.fitted,
      isReadable: try isReadable(run.id, on: connection),
      meanArrivalDistance: try repository.meanArrivalDistance(
        since: run.id, lastSeenID: metrics.lastSeen, on: connection))
  }

  /// A model that is byte by byte the one that the run wrote is only asked for its format.
  private func isReadable(_ run: Int64, on connection: isolated PostgresConnection) throws -> Bool {
    let runs = RunRepository(collection)
    let whole = try runs.headOfWholeModel(of: run, bytes: 65_536, on: connection)
    if let whole, let labelCount = StoredModel.labelCount(head: whole.head) {
      let map = try? StoredModel.clusterOfLabel(whole.labelToClusterJSON, labelCount: labelCount)
      return map != nil
    }
    let state = try runs.state(of: run, on: connection)
    do {
      _ = try StoredModel(bytes: state.blob).clusterOfLabel(state.labelToClusterJSON)
      return true
    } catch {
      // The signal is what tells; tier 1 logs the reason when it does without the model.
      return false
    }
  }

  private func signals(
    _ counted: Counted, _ besides: Besides, growth: Double
  ) throws -> [StalenessSignal] {
    let (run, metrics, facts) = (counted.run, counted.metrics, counted.facts)
    let stored = try JSONText.decode([String: String].self, from: run.parametersJSON)
    let changed = StageSetting.all.filter {
      StageSettings.fitSettingNames.contains($0.name) && stored[$0.name] != $0.read(settings)
    }
    let arrivals = facts.arrivals >= Self.fewestArrivals ? Double(facts.arrivals) : nil
    let fitted = besides.facesOfFit - facts.unfitThen
    let deleted = max(run.embeddingCount - fitted, 0)
    let drift = besides.meanArrivalDistance.flatMap { mean in
      metrics.meanDistance > 0 && facts.arrivalsWithCluster >= Self.fewestArrivals
        ? (mean - metrics.meanDistance) / metrics.meanDistance : nil
    }
    return [
      signal("growth", growth, settings.stalenessThreshold, .stale),
      signal(
        "deleted_share", Double(deleted) / Double(max(run.embeddingCount, 1)),
        settings.stalenessDeletedShare, .stale),
      signal(
        "embedding_model_changed", run.embeddingModel == collection.embeddingModel ? 0 : 1, 1,
        .stale),
      StalenessSignal(
        name: "model_readable", value: besides.isReadable ? 1 : 0, threshold: 1,
        fired: !besides.isReadable,
        severity: .stale),
      signal("parameters_changed", Double(changed.count), 1, .warning),
      signal(
        "pool_share", arrivals.map { Double(facts.arrivalsInPool) / $0 },
        settings.stalenessPoolShare, .stale),
      signal(
        "tier1_noise_rate", arrivals.map { Double(facts.arrivalsNotPredicted) / $0 },
        settings.stalenessNoiseRate, .warning),
      signal("drift", drift, settings.stalenessDrift, .warning),
      signal(
        "age_days", (now - counted.fittedAt) / 86_400, settings.stalenessAgeDays, .warning),
    ]
  }

  private func signal(
    _ name: String, _ value: Double?, _ threshold: Double, _ severity: StalenessSignal.Severity
  ) -> StalenessSignal {
    StalenessSignal(
      name: name, value: value, threshold: threshold, fired: value.map { $0 >= threshold } ?? false,
      severity: severity)
  }
}
