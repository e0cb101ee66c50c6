public import Logging
public import PostgresClient
internal import Store

/// Does the work of the queue, beside any number of other workers on any machine.
///
/// An import announces its faces in the transaction that brings them; a worker hears of it at once,
/// takes the job under a lease, and places the faces. In a pipeline's own process:
///
/// ```swift
/// let worker = Worker(pool: pool, logger: logger)
/// let working = Task { try await worker.run() }
/// // … FaceClustering.importFaces after each batch of photos; then, to stop:
/// working.cancel()
/// print(try await working.value.faces)
/// ```
///
/// - A cancelled worker undoes the batch in hand, gives its job back and returns.
/// - The job of a worker that died is taken over when its lease has run out. Each batch is one
///   transaction, so nothing is done twice or by halves.
/// - A job that fails waits ever longer before it is tried again, and is given up in the end; it then
///   stays in the queue as a dead letter, with the reason.
/// - When the server goes away the worker waits for it, and says so in one line.
public struct Worker: Sendable {
  private let pool: PostgresPool
  private let settings: StageSettings
  private let models: ModelCache
  private let options: WorkerOptions
  private let logger: Logger
  /// Name of this worker in the queue.
  public let owner = WorkerOptions.uniqueOwner()

  /// Makes a worker; nothing happens before ``run(untilDrained:)``.
  ///
  /// - Parameters:
  ///   - pool: four connections are used at once at the most.
  ///   - models: the models that the worker keeps; share it with a stage in the same process.
  public init(
    pool: PostgresPool, settings: StageSettings = StageSettings(),
    models: ModelCache = ModelCache(), options: WorkerOptions = WorkerOptions(), logger: Logger
  ) {
    self.pool = pool
    self.settings = settings
    self.models = models
    self.options = options
    self.logger = logger
  }

  /// Works until the task is cancelled.
  ///
  /// - Parameter untilDrained: returns when no job is ready, and throws where the server goes away.
  /// - Throws: `PostgresError`, `StoreError` where the queue itself cannot be used.
  public func run(untilDrained: Bool = false) async throws -> WorkerReport {
    let clock = Stopwatch()
    var report = WorkerReport()
    var session: WorkerSession?
    var losses = 0
    while !Task.isCancelled {
      do {
        let open: WorkerSession
        if let session {
          open = session
        } else {
          open = try await WorkerSession.open(pool: pool, owner: owner)
          session = open
          if losses > 0 { logger.notice("connected to the database again") }
          losses = 0
          try await lookForForgotten()
        }
        if let job = try await claim() {
          try await work(on: job, report: &report)
        } else if untilDrained {
          break
        } else {
          try await open.wait(try await untilNextLook())
          try await lookForForgotten()
        }
      } catch let error as PostgresError where error.isWorthWaiting && !untilDrained {
        await session?.close()
        session = nil
        losses += 1
        if losses == 1 {
          report.connectionsLost += 1
          logger.warning("\(error); waiting for the database")
        }
        await pause(afterLoss: losses)
      } catch is CancellationError {
        break
      } catch {
        await session?.close()
        throw error
      }
    }
    await session?.close()
    report.seconds = clock.total
    return report
  }

  private func claim() async throws -> JobRecord? {
    let (collections, owner, lease) = (options.collections, owner, options.lease / .seconds(1))
    return try await pool.withTransaction(retry: .once) {
      try JobQueue().claim(collections: collections, owner: owner, lease: lease, on: $0)
    }
  }

  private func lookForForgotten() async throws {
    let collections = options.collections
    try await pool.withTransaction(retry: .once) {
      try JobQueue().enqueueForgotten(collections: collections, on: $0)
    }
  }

  /// Until a job that waits for its next attempt, or a lease that runs out, may be ready.
  private func untilNextLook() async throws -> Duration {
    let collections = options.collections
    let seconds = try await pool.withTransaction(retry: .once) {
      try JobQueue().secondsUntilNext(collections: collections, on: $0)
    }
    guard let seconds else { return options.poll }
    return min(options.poll, .seconds(min(max(seconds, 0.01), 86_400)))
  }

  private func work(on job: JobRecord, report: inout WorkerReport) async throws {
    guard job.attempts <= options.maximumAttempts else {
      // Its last worker ended without a word, and so may this one: nobody begins it again.
      var unbegun = job
      unbegun.attempts -= 1
      try await fail(
        unbegun,
        job.error ?? "every worker that began it ended, or lost the database, before it was done",
        isAttempt: false, report: &report)
      return
    }
    let heartbeat = Task { await keep(job) }
    defer { heartbeat.cancel() }
    do {
      let assigned = try await assign(job)
      try await settle { queue, owner, connection in
        try queue.finish(job, owner: owner, on: connection)
      }
      report.jobs += 1
      report.faces += assigned.total
      logger.info("assigned", metadata: metadata(job, assigned))
    } catch is CancellationError {
      try await settle { queue, owner, connection in
        try queue.giveBack(of: owner, on: connection)
      }
      logger.info("job given back", metadata: metadata(job))
      throw CancellationError()
    } catch let error as PostgresError where error.isWorthWaiting {
      throw error
    } catch {
      try await fail(job, String(describing: error), report: &report)
    }
  }

  private func assign(_ job: JobRecord) async throws -> AssignmentReport {
    switch job.kind {
    case .assign:
      try await FaceClustering.open(
        pool: pool, collection: job.collectionName, settings: settings, models: models,
        threads: options.threads, logger: logger
      ).assign(batchSize: options.batchSize)
    }
  }

  private func fail(
    _ job: JobRecord, _ reason: String, isAttempt: Bool = true, report: inout WorkerReport
  ) async throws {
    var generator = SystemRandomNumberGenerator()
    let pause = options.pause(afterAttempt: job.attempts, using: &generator) / .seconds(1)
    let maximum = options.maximumAttempts
    let isDead = try await settle { queue, owner, connection in
      try queue.fail(
        job, owner: owner, error: reason, pause: pause, maximumAttempts: maximum, on: connection)
    }
    if isAttempt { report.failures += 1 }
    if isDead {
      report.dead += 1
      logger.error("job given up: \(reason)", metadata: metadata(job))
    } else {
      logger.warning(
        "job failed, next attempt in \((pause * 10).rounded() / 10) s: \(reason)",
        metadata: metadata(job))
    }
  }

  /// Writes to the queue even when the worker's task is cancelled.
  private func settle<Value: Sendable>(
    _ body:
      @escaping @Sendable (JobQueue, String, isolated PostgresConnection) throws -> Value
  ) async throws -> Value {
    let (pool, owner) = (pool, owner)
    return try await Task {
      try await pool.withTransaction { try body(JobQueue(), owner, $0) }
    }.value
  }

  /// Renews the lease until it is cancelled.
  private func keep(_ job: JobRecord) async {
    let (owner, lease) = (owner, options.lease / .seconds(1))
    while true {
      do {
        try await Task.sleep(for: options.lease / 3)
        let isOurs = try await pool.withTransaction(retry: .once) {
          try JobQueue().renew(job, owner: owner, lease: lease, on: $0)
        }
        if !isOurs {
          logger.warning("the lease ran out, another may have the job", metadata: metadata(job))
          return
        }
      } catch is CancellationError {
        return
      } catch {
        // Tried again before the lease runs out; without success another worker takes over.
        logger.debug("the lease was not renewed: \(error)", metadata: metadata(job))
      }
    }
  }

  private func pause(afterLoss losses: Int) async {
    let limit = min(Duration.seconds(5), .milliseconds(100) * (1 << min(losses - 1, 10)))
    // Cancelled: the loop sees it.
    try? await Task.sleep(for: limit * Double.random(in: 0.5...1))
  }

  private func metadata(_ job: JobRecord, _ report: AssignmentReport? = nil) -> Logger.Metadata {
    var values: Logger.Metadata = [
      "collection": "\(job.collectionName)", "job": "\(job.id)", "attempt": "\(job.attempts)",
    ]
    if let report {
      values["faces"] = "\(report.total)"
      values["predict"] = "\(report.assigned.predict)"
      values["epsilon_ball"] = "\(report.assigned.epsilonBall)"
      values["pool"] = "\(report.assigned.pool)"
      values["pending"] = "\(report.pending)"
      values["unassigned"] = "\(report.unassigned + report.constrained)"
      values["seconds"] = "\((report.seconds * 1000).rounded() / 1000)"
    }
    return values
  }
}

extension PostgresRetry {
  /// No second attempt: the caller looks again by itself.
  static let once = PostgresRetry(maximumAttempts: 1)
}

extension PostgresError {
  /// Whether it passes when the server is back, or when others have finished.
  var isWorthWaiting: Bool { isConnectionLost || isTransient || code.isConnectionProblem }
}
