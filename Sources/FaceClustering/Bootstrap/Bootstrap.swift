internal import HDBSCAN
internal import Logging
internal import PersonGrouping
internal import PostgresClient
internal import Store
internal import Vectors

/// A full fit of a collection, applied to the clusters that people know.
struct Bootstrap {
  let pool: PostgresPool
  let collection: CollectionRecord
  let settings: StageSettings
  /// Whether the hierarchy of the run in charge is taken instead of a fit.
  let withoutFit: Bool
  let threads: Int
  let logger: Logger
  let progress: ProgressHandler?

  /// Fits and applies, in one transaction.
  ///
  /// - Throws: ``BootstrapError``, `HDBSCANError`, `PostgresError`; after any of them the old run is
  ///   in charge and the new run's record says why it failed or was cancelled.
  func run() async throws -> BootstrapReport {
    do {
      // The lock is that of a session, which is kept for the whole time; if the process dies, so does it. It is
      // none of the pool's, for which bootstraps that hold one each would wait for ever.
      let lockHolder = try await pool.connectionOfItsOwn()
      do {
        try await becomeTheOne(CollectionLocks(collection), lockHolder)
      } catch {
        await lockHolder.close()
        throw error
      }
      do {
        let report = try await recorded(clock: Stopwatch())
        await giveBack(lockHolder)
        return report
      } catch {
        await giveBack(lockHolder)
        throw error
      }
    } catch  where Self.isCancellation(error) {
      throw BootstrapError.cancelled(run: nil, collection: collection.name)
    }
  }

  /// The server hears of a closed connection a moment later; whoever comes next finds the lock free.
  private func giveBack(_ lockHolder: PostgresConnection) async {
    do {
      try await lockHolder.releaseBootstrap(CollectionLocks(collection))
    } catch {
      logger.debug("the bootstrap's lock goes with its connection: \(error)")
    }
    await lockHolder.close()
  }

  private func recorded(clock: Stopwatch) async throws -> BootstrapReport {
    // What is refused for its settings was no run.
    let stored = withoutFit ? try await facesOfStoredFit() : nil
    let runID = try await pool.withTransaction { [collection, settings] connection in
      let runs = RunRepository(collection)
      // Whoever still says "running" cannot be: the lock is ours.
      try runs.failAbandoned(on: connection)
      // Whoever may not make temporary tables hears of it now and not after the fit.
      try BootstrapStaging(collection).begin(on: connection)
      return try runs.start(
        parametersJSON: try settings.runParametersJSON(), minClusterSize: settings.minClusterSize,
        minSamples: settings.minSamples, on: connection)
    }
    do {
      return try await fitAndApply(runID: runID, stored: stored, clock: clock)
    } catch {
      let isCancelled = Self.isCancellation(error)
      await recordEnd(
        of: runID, reason: isCancelled ? "cancelled by its caller" : "\(error)",
        isCancelled: isCancelled)
      throw isCancelled
        ? BootstrapError.cancelled(run: runID, collection: collection.name) : error
    }
  }

  /// Takes the collection's bootstrap lock.
  ///
  /// - Throws: ``BootstrapError/alreadyRunning(run:collection:)`` with the id of the run that has it.
  ///   That run gets its id a moment after the lock, and an id that is there may belong to a
  ///   dead process until then; so an id counts once it was seen twice, for up to a second.
  private func becomeTheOne(
    _ locks: CollectionLocks, _ lockHolder: PostgresConnection
  ) async throws {
    let runs = RunRepository(collection)
    var seen: Int64?
    for _ in 0..<Self.looksForTheOther {
      if try await lockHolder.tryBootstrap(locks) { return }
      let running = try await lockHolder.running(runs)
      if let running, running == seen {
        throw BootstrapError.alreadyRunning(run: running, collection: collection.name)
      }
      seen = running
      try await Task.sleep(for: .milliseconds(50))
    }
    throw BootstrapError.alreadyRunning(run: seen, collection: collection.name)
  }

  private static let looksForTheOther = 20

  /// Whether the caller stopped the bootstrap: by its task, or by its progress handler.
  private static func isCancellation(_ error: any Error) -> Bool {
    error is CancellationError || error as? HDBSCANError == .cancelled
  }

  /// Fits and says what would be applied; writes nothing.
  func dryRun() async throws -> BootstrapReport {
    do {
      return try await planned()
    } catch  where Self.isCancellation(error) {
      throw BootstrapError.cancelled(run: nil, collection: collection.name)
    }
  }

  private func planned() async throws -> BootstrapReport {
    let clock = Stopwatch()
    var report = BootstrapReport.empty(dryRun: true)
    let stored = withoutFit ? try await facesOfStoredFit() : nil
    let fitted = try await fit(stored, into: &report, clock: clock)
    let (collection, settings) = (collection, settings)
    let plan = try await pool.withTransaction(.snapshot) { connection in
      try fitted.plan(collection: collection, settings: settings, on: connection)
    }
    report.add(plan)
    report.seconds.match = clock.lap()
    report.seconds.total = clock.total
    report.peakMemoryBytes = Memory.peakBytes
    return report
  }

  private func fitAndApply(
    runID: Int64, stored: Faces?, clock: Stopwatch
  ) async throws -> BootstrapReport {
    var report = BootstrapReport.empty(dryRun: false)
    let fitted = try await fit(stored, into: &report, clock: clock)
    let (collection, settings) = (collection, settings)
    let model = try fitted.encodedModel()
    report.seconds.extract = clock.lap()
    let soFar = report
    let leaving = try await pool.withTransaction { try LeavingRun.prepare(collection, on: $0) }
    let applied = try await pool.withTransaction { connection in
      try BootstrapWriter(
        collection: collection, settings: settings, runID: runID, fitted: fitted, model: model,
        leaving: leaving
      ).apply(soFar, on: connection)
    }
    report = applied
    report.seconds.write = clock.lap() - report.seconds.match
    report.seconds.total = clock.total
    report.peakMemoryBytes = Memory.peakBytes
    let timings = try JSONText.encode(report.seconds)
    // The run is in charge by now: a cancellation that comes this late changes nothing any more.
    try await Task { [pool] in
      try await pool.withTransaction {
        try RunRepository(collection).setTimings(timings, of: runID, on: $0)
      }
    }.value
    return report
  }

  /// - Parameter stored: the faces of a fit that is not made again; nil to make one.
  private func fit(
    _ stored: Faces?, into report: inout BootstrapReport, clock: Stopwatch
  ) async throws -> FittedFaces {
    let read = if let stored { stored } else { try await facesToFit() }
    let snapshot = read.divided.fitted
    report.embeddingCount = snapshot.count
    report.filteredCount = read.divided.beside.count
    report.fitOfRun = read.stored?.run
    report.seconds.read = clock.lap()
    let said = try await pool.withTransaction(.snapshot) { connection in
      try HumanConstraints(collection, on: connection)
    }
    let clustering = try await clusterOffPool(snapshot, said, stored: read.stored?.clustering)
    report.allowSingleCluster = clustering.parameters.allowSingleCluster
    report.clusterCount = clustering.selection.nodes.count
    report.seconds.fit = clock.lap()
    let usesEvidence = settings.clusterExtraction == .evidence
    var fitted = FittedFaces(
      snapshot: snapshot,
      leftOut: usesEvidence ? read.divided.beside : read.divided.beside.part(0..<0),
      clustering: clustering, unusable: read.unusable, fitOfRun: read.stored?.run)
    guard usesEvidence else { return fitted }
    let people = try await peopleOffPool(read.divided.all, clustering)
    report.clusterCount = people.clusters.count
    report.seconds.people = clock.lap()
    fitted.people = people
    return fitted
  }

  /// - Parameter stored: a fit of the same faces, from which clusters are taken again.
  private func clusterOffPool(
    _ snapshot: FaceSnapshot, _ said: HumanConstraints, stored: Clustering?
  ) async throws -> Clustering {
    let (settings, threads, progress) = (settings, threads, progress)
    // The fit runs outside the task; a flag tells it that the task was cancelled.
    return try await offCooperativePool { isCancelled in
      let progress: ProgressHandler = { step in
        (progress?(step) ?? true) && !isCancelled()
      }
      var parameters = settings.fitParameters
      let clustering =
        if let stored {
          try HDBSCAN.reextract(stored, parameters: parameters)
        } else {
          try HDBSCAN.fit(
            .float32(snapshot.embeddings), parameters: parameters, threads: threads,
            progress: progress)
        }
      let pairs = said.pairs(among: snapshot, in: clustering)
      guard settings.allowSingleCluster == nil,
        SinglePerson.looksLikeOne(
          snapshot.embeddings, threshold: settings.clusteringThreshold)
      else {
        return pairs.isEmpty
          ? clustering
          : try HDBSCAN.reextract(clustering, parameters: parameters, constraints: pairs)
      }
      // Pieces and members within the threshold are one person; a bare root would call most noise.
      parameters.allowSingleCluster = true
      parameters.clusterSelectionEpsilon =
        EuclideanDistance(settings.clusteringThreshold).value
      return try HDBSCAN.reextract(clustering, parameters: parameters, constraints: pairs)
    }
  }

  /// People out of the fit's hierarchy, by pair evidence.
  ///
  /// - Parameter snapshot: the faces of the fit, and after them those that were left out of it.
  private func peopleOffPool(
    _ snapshot: FaceSnapshot, _ clustering: Clustering
  ) async throws -> PeopleGrouping {
    let collection = collection
    let (known, times) = try await pool.withTransaction(.snapshot) { connection in
      (
        try HumanKnowledge.read(of: snapshot, collection: collection, on: connection),
        try FaceReader(collection).times(of: snapshot, on: connection)
      )
    }
    var steps = GroupingSteps()
    steps.photos = settings.samePhotoExclusion
    let (chosen, threads) = (steps, threads)
    return try await offCooperativePool { isCancelled in
      do {
        var input = GroupingInput(
          embeddings: snapshot.embeddings, clustering: clustering, photos: snapshot.photoIDs,
          anchors: known.anchors, cannotLink: known.cannotLink)
        input.times = times
        input.persons = known.persons
        input.rejected = known.rejected
        try input.findNeighboursBesideFit(threads: threads, isCancelled: isCancelled)
        return try groupPeople(
          input, steps: chosen, threads: threads, progress: { _ in !isCancelled() })
      } catch is GroupingCancelled {
        throw CancellationError()
      }
    }
  }

  private func recordEnd(of runID: Int64, reason: String, isCancelled: Bool) async {
    let (pool, collection) = (pool, collection)
    do {
      // A task of its own: a cancelled one gets no connection any more.
      try await Task {
        try await pool.withTransaction {
          let runs = RunRepository(collection)
          if isCancelled {
            try runs.cancel(runID, reason: reason, on: $0)
          } else {
            try runs.fail(runID, reason: reason, on: $0)
          }
        }
      }.value
    } catch {
      // The next look finds the record still running without its lock, and marks it failed.
      logger.warning("run \(runID) ended and its record could not be updated: \(error)")
    }
  }
}

extension PostgresConnection {
  func tryBootstrap(_ locks: CollectionLocks) throws -> Bool { try locks.tryBootstrap(on: self) }
  func releaseBootstrap(_ locks: CollectionLocks) throws { try locks.releaseBootstrap(on: self) }
  func running(_ runs: RunRepository) throws -> Int64? { try runs.running(on: self) }
}
