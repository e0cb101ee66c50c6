internal import Logging
internal import PostgresClient
internal import Store

/// Assigns everything that waits, batch by batch, and then lets the pool form clusters.
struct AssignmentRun: Sendable {
  let pool: PostgresPool
  let assigner: Assigner
  let logger: Logger

  func run(progress: (@Sendable (_ done: Int) -> Void)?) async throws -> AssignmentReport {
    let clock = Stopwatch()
    var total = AssignmentReport()
    var latencies: [(milliseconds: Double, faces: Int)] = []
    var pooled: Set<Int64> = []
    var constrained: Set<Int64> = []
    var lastID: Int64 = 0
    var poolWork: PoolWork?
    var foreseen: Foresight?
    var looksAhead = !assigner.force
    while true {
      let batch: Assigner.Batch
      let known = foreseen
      (batch, foreseen) = try await assign(
        after: lastID, foreseen: foreseen, looksAhead: looksAhead)
      if known != nil {
        logger.debug(
          "\(batch.foreseen) of \(batch.faces) faces were predicted beside the batch before them")
        // Where others take these faces, too, looking ahead is work for nothing.
        if batch.foreseen < batch.faces / 2 { looksAhead = false }
      }
      if batch.faces == 0 { break }
      lastID = batch.lastID
      poolWork = batch.poolWork
      if let reason = batch.report.tierOneSkipped, total.tierOneSkipped == nil {
        logger.warning("tier 1 is not used: \(reason)")
      }
      total.add(batch.report)
      pooled.formUnion(batch.pooled)
      constrained.formUnion(batch.constrained)
      latencies.append((batch.seconds * 1000 / Double(batch.faces), batch.faces))
      progress?(total.total)
      // The claim took all that nobody else holds.
      if batch.faces < assigner.batchSize { break }
    }
    let writer = PoolWriter(
      collection: assigner.collection, settings: assigner.settings, models: assigner.models,
      threads: assigner.threads)
    let (newIDs, work) = (pooled, poolWork)
    let isIdle = newIDs.isEmpty && work?.isEmpty ?? false
    let formed =
      isIdle
      ? PoolWriter.Outcome()
      : try await pool.withTransaction { try writer.form(around: newIDs, work, on: $0) }
    total.newClusters = formed.clusters
    total.assigned.pool = formed.taken.count
    // Faces that had waited before this run join too, but only those of this run were counted.
    total.unassigned -= formed.taken.intersection(pooled).subtracting(constrained).count
    total.constrained -= formed.taken.intersection(constrained).count
    total.invalid += formed.invalidCount
    total.name(formed.invalid)
    if total.invalid > 0 {
      logger.warning(
        """
        \(total.invalid) faces have embeddings that cannot be used and were set aside: \
        \(InvalidFace.line(total.invalidFaces, of: total.invalid))
        """)
    }
    total.seconds = clock.total
    total.perFaceMilliseconds = .init(
      p50: percentile(0.5, latencies), p95: percentile(0.95, latencies))
    return total
  }

  /// Assigns a batch, and looks at the next one while it is written.
  private func assign(
    after id: Int64, foreseen: Foresight?, looksAhead: Bool
  ) async throws -> (Assigner.Batch, next: Foresight?) {
    let (assigner, pool) = (assigner, pool)
    let (predicted, signal) = AsyncStream<Int64>.makeStream()
    async let next: Foresight? = {
      for await last in predicted {
        return try await Foresight.look(after: last, for: assigner, pool)
      }
      return nil
    }()
    let attempt: @Sendable (Bool) async throws -> Assigner.Batch = { mayRead in
      try await pool.withTransaction {
        try assigner.assign(
          after: id, mayRead: mayRead, foreseen: foreseen,
          didPredict: { if looksAhead { signal.yield($0) } }, on: $0)
      }
    }
    let batch: Assigner.Batch
    do {
      batch = try await attempt(false)
    } catch is ModelNotRead {
      try await readModel()
      // Where the next run is in charge by now, it is read there: a bootstrap takes longer than that.
      batch = try await attempt(true)
    }
    signal.finish()
    do {
      return (batch, try await next)
    } catch let error where !(error is CancellationError) {
      // Only time is lost: the next batch predicts for itself.
      logger.debug("nothing is known ahead of the next batch: \(error)")
      return (batch, nil)
    }
  }

  /// Reads the model while nobody waits for the faces of the collection.
  private func readModel() async throws {
    let assigner = assigner
    _ = try await pool.withTransaction {
      try assigner.models.active(
        of: assigner.collection, settings: assigner.settings, on: $0
      ).runID
    }
  }

  private func percentile(
    _ share: Double, _ latencies: [(milliseconds: Double, faces: Int)]
  ) -> Double {
    let sorted = latencies.sorted { $0.milliseconds < $1.milliseconds }
    let wanted = share * Double(sorted.reduce(0) { $0 + $1.faces })
    var seen = 0.0
    for latency in sorted {
      seen += Double(latency.faces)
      if seen >= wanted { return latency.milliseconds }
    }
    return 0
  }
}

extension AssignmentReport {
  fileprivate mutating func name(_ faces: [InvalidFace]) {
    invalidFaces += faces.prefix(InvalidFace.mostNamed - invalidFaces.count)
  }

  fileprivate mutating func add(_ other: AssignmentReport) {
    assigned.predict += other.assigned.predict
    assigned.epsilonBall += other.assigned.epsilonBall
    pending += other.pending
    unassigned += other.unassigned
    constrained += other.constrained
    invalid += other.invalid
    name(other.invalidFaces)
    candidates += other.candidates
    runID = other.runID
    tierOneSkipped = tierOneSkipped ?? other.tierOneSkipped
  }
}
