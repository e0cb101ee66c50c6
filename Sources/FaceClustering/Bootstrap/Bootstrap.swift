internal import HDBSCAN
internal import Logging
internal import PostgresClient
internal import Store
internal import Vectors

/// A full fit of a collection, applied to the clusters that people know.
struct Bootstrap {
  let pool: PostgresPool
  let collection: CollectionRecord
  let settings: StageSettings
  let threads: Int
  let logger: Logger
  let progress: ProgressHandler?

  /// Fits and applies, in one transaction.
  ///
  /// - Throws: ``BootstrapError``, `HDBSCANError`, `PostgresError`; after any of them the old run is
  ///   in charge and the new run's record says why it failed.
  func run() async throws -> BootstrapReport {
    // The session that holds the lock is kept for the whole time; if the process dies, so does it.
    try await pool.withConnection { lockHolder in
      let locks = CollectionLocks(collection)
      let runs = RunRepository(collection)
      guard try await lockHolder.tryBootstrap(locks) else {
        let running = try await pool.withTransaction { try runs.running(on: $0) }
        throw BootstrapError.alreadyRunning(run: running, collection: collection.name)
      }
      let clock = Stopwatch()
      let runID = try await pool.withTransaction { [collection, settings] connection in
        // Whoever still says "running" cannot be: the lock is ours.
        try runs.failAbandoned(on: connection)
        return try RunRepository(collection).start(
          parametersJSON: try settings.runParametersJSON(), minClusterSize: settings.minClusterSize,
          minSamples: settings.minSamples, on: connection)
      }
      do {
        let report = try await fitAndApply(runID: runID, clock: clock)
        await release(locks, of: lockHolder)
        return report
      } catch {
        try await recordFailure(of: runID, reason: "\(error)")
        await release(locks, of: lockHolder)
        throw error
      }
    }
  }

  /// Fits and says what would be applied; writes nothing.
  func dryRun() async throws -> BootstrapReport {
    let clock = Stopwatch()
    var report = BootstrapReport.empty(dryRun: true)
    let fitted = try await fit(into: &report, clock: clock)
    let (collection, settings) = (collection, settings)
    let plan = try await pool.withTransaction(.snapshot) { connection in
      try fitted.plan(collection: collection, settings: settings, on: connection)
    }
    report.add(plan.plan, peopleCount: plan.peopleCount)
    report.seconds.match = clock.lap()
    report.seconds.total = clock.total
    report.peakMemoryBytes = Memory.peakBytes
    return report
  }

  private func fitAndApply(runID: Int64, clock: Stopwatch) async throws -> BootstrapReport {
    var report = BootstrapReport.empty(dryRun: false)
    let fitted = try await fit(into: &report, clock: clock)
    let (collection, settings) = (collection, settings)
    let model = try fitted.encodedModel()
    report.seconds.extract = clock.lap()
    let soFar = report
    let applied = try await pool.withTransaction { connection in
      try BootstrapWriter(
        collection: collection, settings: settings, runID: runID, fitted: fitted, model: model
      ).apply(soFar, on: connection)
    }
    report = applied
    report.seconds.write = clock.lap() - report.seconds.match
    report.seconds.total = clock.total
    report.peakMemoryBytes = Memory.peakBytes
    let timings = try JSONText.encode(report.seconds)
    try await pool.withTransaction {
      try RunRepository(collection).setTimings(timings, of: runID, on: $0)
    }
    return report
  }

  private func fit(into report: inout BootstrapReport, clock: Stopwatch) async throws -> FittedFaces
  {
    let (collection, settings) = (collection, settings)
    let eligibility = settings.eligibility
    let (counts, memory) = try await pool.withTransaction(.snapshot) { connection in
      let counts = try FaceReader(collection).countEligible(eligibility, on: connection)
      return (counts, Memory.availableBytes)
    }
    guard counts.eligible > 0 else {
      throw BootstrapError.nothingToFit(collection: collection.name, filtered: counts.filtered)
    }
    // The vectors themselves, the fit, and the plan's members.
    let needed =
      Int64(counts.eligible * collection.dimension * 4)
      + Int64(
        estimatedFitMemory(
          points: counts.eligible, dimensions: collection.dimension,
          minSamples: settings.minSamples))
      + Int64(counts.eligible * 256)
    logger.info(
      "fitting \(counts.eligible) faces; about \(needed / 1_048_576) MB of memory are needed")
    if let memory, needed > memory {
      throw BootstrapError.notEnoughMemory(
        needed: needed, available: memory, faces: counts.eligible)
    }
    let snapshot = try await pool.withTransaction(.snapshot) { connection in
      try FaceReader(collection).eligible(eligibility, on: connection)
    }
    report.embeddingCount = snapshot.count
    report.filteredCount = counts.filtered
    report.seconds.read = clock.lap()
    let clustering = try await clusterOffPool(snapshot)
    report.allowSingleCluster = clustering.parameters.allowSingleCluster
    report.clusterCount = clustering.selection.nodes.count
    report.seconds.fit = clock.lap()
    return FittedFaces(snapshot: snapshot, clustering: clustering)
  }

  private func clusterOffPool(_ snapshot: FaceSnapshot) async throws -> Clustering {
    let (settings, threads, progress) = (settings, threads, progress)
    return try await offCooperativePool {
      var parameters = settings.fitParameters
      let clustering = try HDBSCAN.fit(
        .float32(snapshot.embeddings), parameters: parameters, threads: threads,
        progress: progress)
      guard settings.allowSingleCluster == nil,
        SinglePerson.looksLikeOne(
          snapshot.embeddings, threshold: settings.clusteringThreshold)
      else { return clustering }
      // Pieces and members within the threshold are one person; a bare root would call most noise.
      parameters.allowSingleCluster = true
      parameters.clusterSelectionEpsilon =
        EuclideanDistance(settings.clusteringThreshold).value
      return try HDBSCAN.reextract(clustering, parameters: parameters)
    }
  }

  private func release(_ locks: CollectionLocks, of lockHolder: PostgresConnection) async {
    do {
      try await lockHolder.releaseBootstrap(locks)
    } catch {
      // A session that broke has no locks; what the bootstrap did is decided already.
      logger.warning("the lock of the bootstrap ended with its connection: \(error)")
    }
  }

  private func recordFailure(of runID: Int64, reason: String) async throws {
    let collection = collection
    do {
      try await pool.withTransaction {
        try RunRepository(collection).fail(runID, reason: reason, on: $0)
      }
    } catch {
      // The next bootstrap finds the record still running without its lock, and marks it failed.
      logger.warning("run \(runID) failed and its record could not be updated: \(error)")
    }
  }
}

extension PostgresConnection {
  func tryBootstrap(_ locks: CollectionLocks) throws -> Bool { try locks.tryBootstrap(on: self) }
  func releaseBootstrap(_ locks: CollectionLocks) throws { try locks.releaseBootstrap(on: self) }
}
