internal import PostgresClient
internal import Store

/// Compares the active run with the collection as it is now.
///
/// Measures, and changes nothing.
struct StalenessCheck {
  let collection: CollectionRecord
  let settings: StageSettings
  /// Seconds since 1970.
  let now: Double

  /// Arrivals needed before shares of them mean anything.
  private static let fewestArrivals = 20

  func report(on connection: isolated PostgresConnection) throws -> StalenessReport {
    let counts = try FaceReader(collection).countEligible(settings.eligibility, on: connection)
    guard let run = try RunRepository(collection).active(on: connection) else {
      return StalenessReport(
        collection: collection.name, status: .noRun, runID: nil, embeddingCount: 0,
        currentCount: counts.eligible, growth: nil, signals: [])
    }
    let metrics = try JSONText.decode(RunMetrics.self, from: run.metricsJSON)
    // Which faces the fit saw follows from the settings of then, not of now.
    let facts = try StalenessRepository(collection).facts(
      since: run, lastFittedID: metrics.lastDetectionID,
      eligibility: try StageSettings(runParametersJSON: run.parametersJSON).eligibility,
      on: connection)
    let growth = Double(counts.eligible) / Double(max(run.embeddingCount, 1))
    let signals = try signals(run: run, metrics: metrics, facts: facts, growth: growth)
    let fired = signals.filter(\.fired)
    return StalenessReport(
      collection: collection.name,
      status: fired.contains { $0.severity == .stale }
        ? .stale : fired.isEmpty ? .fresh : .warning,
      runID: run.id, embeddingCount: run.embeddingCount, currentCount: counts.eligible,
      growth: growth, signals: signals)
  }

  private func signals(
    run: RunRecord, metrics: RunMetrics, facts: StalenessFacts, growth: Double
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
