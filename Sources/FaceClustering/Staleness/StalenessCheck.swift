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

  func report(on connection: isolated PostgresConnection) throws -> StalenessReport {
    guard let run = try RunRepository(collection).active(on: connection) else {
      let counts = try FaceReader(collection).countEligible(settings.eligibility, on: connection)
      return StalenessReport(
        collection: collection.name, status: .noRun, runID: nil, embeddingCount: 0,
        currentCount: counts.eligible, growth: nil, signals: [])
    }
    let metrics = try JSONText.decode(RunMetrics.self, from: run.metricsJSON)
    // Which faces the fit saw follows from the settings of then, not of now.
    let facts = try StalenessRepository(collection).facts(
      since: run, lastFittedID: metrics.lastDetectionID,
      eligibleThen: try StageSettings(runParametersJSON: run.parametersJSON).eligibility,
      eligibleNow: settings.eligibility, on: connection)
    let growth = Double(facts.eligible) / Double(max(run.embeddingCount, 1))
    let isReadable = try isReadable(run, on: connection)
    let signals = try signals(
      run: run, metrics: metrics, facts: facts, growth: growth, isReadable: isReadable)
    let fired = signals.filter(\.fired)
    return StalenessReport(
      collection: collection.name,
      status: fired.contains { $0.severity == .stale }
        ? .stale : fired.isEmpty ? .fresh : .warning,
      runID: run.id, embeddingCount: run.embeddingCount, currentCount: facts.eligible,
      growth: growth, signals: signals)
  }

  /// Whether tier 1 can use the run's model: it loads, and its checksum is right.
  ///
  /// A model that is byte by byte the one that the run wrote is only asked for its format.
  private func isReadable(
    _ run: RunRecord, on connection: isolated PostgresConnection
  ) throws -> Bool {
    let runs = RunRepository(collection)
    if let head = try runs.headOfWholeModel(of: run.id, bytes: 65_536, on: connection),
      StoredModel.isOfThisFormat(head: head)
    {
      return true
    }
    let state = try runs.state(of: run.id, on: connection)
    do {
      _ = try StoredModel(bytes: state.blob)
      _ = try JSONText.decode([String: Int64].self, from: state.labelToClusterJSON)
      return true
    } catch {
      // The signal is what tells; tier 1 logs the reason when it does without the model.
      return false
    }
  }

  private func signals(
    run: RunRecord, metrics: RunMetrics, facts: StalenessFacts, growth: Double, isReadable: Bool
  ) throws -> [StalenessSignal] {
    let stored = try JSONText.decode([String: String].self, from: run.parametersJSON)
    let changed = StageSetting.all.filter {
      StageSettings.fitSettingNames.contains($0.name) && stored[$0.name] != $0.read(settings)
    }
    let arrivals = facts.arrivals >= Self.fewestArrivals ? Double(facts.arrivals) : nil
    let drift = facts.meanArrivalDistance.flatMap { mean in
      metrics.meanDistance > 0 && facts.arrivalsWithCluster >= Self.fewestArrivals
        ? (mean - metrics.meanDistance) / metrics.meanDistance : nil
    }
    return [
      signal("growth", growth, settings.stalenessThreshold, .stale),
      signal(
        "deleted_share", Double(facts.deleted) / Double(max(run.embeddingCount, 1)),
        settings.stalenessDeletedShare, .stale),
      signal(
        "embedding_model_changed", run.embeddingModel == collection.embeddingModel ? 0 : 1, 1,
        .stale),
      StalenessSignal(
        name: "model_readable", value: isReadable ? 1 : 0, threshold: 1, fired: !isReadable,
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
        "age_days", (now - (run.finishedAt ?? run.createdAt)) / 86_400, settings.stalenessAgeDays,
        .warning),
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
