public import HDBSCAN
public import Logging
public import PostgresClient
public import Store
internal import Vectors

/// The face-clustering stage of a photo pipeline, over one collection.
///
/// ```swift
/// let stage = try await FaceClustering.open(pool: pool, collection: "default", logger: logger)
/// _ = try await stage.importFaces(FaceFile.read("faces.safetensors"))
/// let run = try await stage.bootstrap()
/// let arrivals = try await stage.assign()
/// print(run.clusterCount, arrivals.assigned.predict)
/// ```
///
/// Values of this type are cheap; share the pool and the model cache between them. Everything is safe
/// beside other processes that use the same database.
public struct FaceClustering: Sendable {
  /// The collection, as the database has it.
  public let collection: CollectionRecord
  /// What the operator set.
  public let settings: StageSettings
  let pool: PostgresPool
  let models: ModelCache
  let threads: Int
  let logger: Logger

  private init(
    collection: CollectionRecord, settings: StageSettings, pool: PostgresPool,
    models: ModelCache, threads: Int?, logger: Logger
  ) {
    self.collection = collection
    self.settings = settings
    self.pool = pool
    self.models = models
    self.threads = threads ?? availableThreads
    self.logger = logger
  }

  /// Opens a collection that exists.
  ///
  /// - Parameter threads: for numeric work; nil takes every processor.
  /// - Throws: `StoreError.unknownCollection`, `PostgresError`.
  public static func open(
    pool: PostgresPool, collection: String, settings: StageSettings = StageSettings(),
    models: ModelCache = ModelCache(), threads: Int? = nil, logger: Logger
  ) async throws -> FaceClustering {
    let record = try await pool.explainingRights {
      try await pool.withTransaction {
        try DatabaseChecks.requireUTF8(on: $0)
        return try CollectionRepository().find(collection, on: $0)
      }
    }
    return FaceClustering(
      collection: record, settings: settings, pool: pool, models: models, threads: threads,
      logger: logger)
  }

  /// Opens a collection, and makes it if it does not exist.
  ///
  /// - Parameters:
  ///   - embeddingModel: name of the model that made the vectors; nil takes what is there.
  ///   - dimension: length of every embedding.
  /// - Throws: `StoreError.collectionMismatch` where it holds other vectors, `StoreError.unusableName`
  ///   where it would get a name with control characters, `StoreError.unusableModel` where the model has
  ///   one; `PostgresError`.
  public static func openOrCreate(
    pool: PostgresPool, collection: String, embeddingModel: String?, dimension: Int,
    settings: StageSettings = StageSettings(), models: ModelCache = ModelCache(),
    threads: Int? = nil, logger: Logger
  ) async throws -> FaceClustering {
    let record = try await pool.explainingRights {
      try await pool.withTransaction {
        try DatabaseChecks.requireUTF8(on: $0)
        return try CollectionRepository().findOrCreate(
          collection, embeddingModel: embeddingModel, dimension: dimension, on: $0)
      }
    }
    return FaceClustering(
      collection: record, settings: settings, pool: pool, models: models, threads: threads,
      logger: logger)
  }

  /// Stores faces; ids that are already there change nothing.
  ///
  /// - Throws: `StoreError.collectionMismatch` where the vectors have another length.
  /// - Complexity: O(n · d), streamed into the database in chunks of 10,000.
  public func importFaces(
    _ file: FaceFile, progress: (@Sendable (_ done: Int, _ total: Int) -> Void)? = nil
  ) async throws -> ImportReport {
    guard file.faces.isEmpty || file.embeddings.columns == collection.dimension else {
      throw StoreError.collectionMismatch(
        name: collection.name, what: "embeddings of dimension", stored: "\(collection.dimension)",
        given: "\(file.embeddings.columns)")
    }
    let report = try await pool.explainingRights {
      try await FaceImport(pool: pool, collection: collection, chunkSize: 10_000)
        .run(file, progress: progress)
    }
    if report.conflicting > 0 {
      let named = report.conflictingIDs.joined(separator: ", ")
      let more = report.conflicting > report.conflictingIDs.count ? ", …" : ""
      logger.warning(
        """
        \(report.conflicting) external ids are there already with another embedding, which was kept: \
        \(named)\(more); delete those faces first, or import the new ones under other ids
        """)
    }
    return report
  }

  /// Length of the embeddings of a collection; nil where it does not exist yet.
  public static func dimension(
    ofCollection name: String, pool: PostgresPool
  ) async throws -> Int? {
    try await pool.explainedTransaction {
      try CollectionRepository().findIfThere(name, on: $0)?.dimension
    }
  }

  /// Deletes faces; ids that are not there are ignored.
  ///
  /// Counts and centroids of their clusters follow; the model of the active run goes on without them.
  ///
  /// - Parameter externalIDs: at most some ten thousand.
  /// - Returns: how many were deleted.
  /// - Throws: `StoreError`, `PostgresError`.
  /// - Complexity: O(faces · d).
  public func deleteFaces(externalIDs: [String]) async throws -> Int {
    let removal = FaceRemoval(collection: collection, settings: settings)
    return try await pool.explainingRights {
      try await pool.withTransaction { connection in
        let deleted = try removal.delete(externalIDs: externalIDs, on: connection)
        try JobQueue().enqueueIfFacesAreNew(removal.collection, on: connection)
        return deleted
      }
    }
  }

  /// Fits HDBSCAN over the collection and applies it, in one transaction.
  ///
  /// Cancel the task that called it, or return false from `progress`, to stop it: the run's record
  /// then says `cancelled` and ``BootstrapError/cancelled(run:collection:)`` is thrown. A task that is
  /// cancelled after the commit gets its report.
  ///
  /// - Parameters:
  ///   - dryRun: says what it would do, and writes nothing.
  ///   - withoutFit: takes people out of the hierarchy of the run in charge again, with what humans said since and with
  ///     other settings of the extraction. Faces that came later, or were left out of the fit, join by evidence.
  ///   - progress: told how far the fit is; may cancel it.
  /// - Throws: ``BootstrapError``, `HDBSCANError`, `PostgresError`; the old run stays in charge.
  /// - Complexity: that of the fit, O(n² · d) products, or without one O(n · d) and O(m · (n + m) · d) products for m
  ///   faces that were not fitted; memory O(n · d).
  public func bootstrap(
    dryRun: Bool = false, withoutFit: Bool = false, progress: ProgressHandler? = nil
  ) async throws -> BootstrapReport {
    let bootstrap = Bootstrap(
      pool: pool, collection: collection, settings: settings, withoutFit: withoutFit,
      threads: threads, logger: logger, progress: progress)
    return try await pool.explainingRights {
      dryRun ? try await bootstrap.dryRun() : try await bootstrap.run()
    }
  }

  /// Assigns every face that has no status, through the tiers and the pool.
  ///
  /// - Parameter force: decides again what was decided incrementally before, too.
  /// - Throws: `StoreError`, `PostgresError`; batches that were committed stay.
  /// - Complexity: O(faces · (model + clusters) · d) in matrix products.
  public func assign(
    force: Bool = false, batchSize: Int = 5_000,
    progress: (@Sendable (_ done: Int) -> Void)? = nil
  ) async throws -> AssignmentReport {
    try await pool.explainingRights {
      try await AssignmentRun(
        pool: pool,
        assigner: Assigner(
          collection: collection, settings: settings, models: models, threads: threads,
          force: force, batchSize: batchSize),
        logger: logger
      ).run(progress: progress)
    }
  }

  /// Compares the active run with the collection as it is now.
  ///
  /// Runs whose process died are marked as failed first; nothing else is changed.
  ///
  /// - Parameter now: seconds since 1970.
  public func checkStaleness(now: Double) async throws -> StalenessReport {
    let (collection, logger) = (collection, logger)
    do {
      try await pool.withTransaction { try Self.settleAbandoned(collection, on: $0) }
    } catch let error as PostgresError
      where [.insufficientPrivilege, .readOnlyTransaction].contains(error.code)
    {
      logger.warning("runs whose process died are not marked: \(error)")
    }
    let check = StalenessCheck(collection: collection, settings: settings, now: now)
    return try await pool.explainingRights { try await check.report(pool) }
  }

  /// Checks every collection, by name; one that cannot be checked keeps no other back.
  ///
  /// - Parameter now: seconds since 1970.
  /// - Throws: `PostgresError` where the collections cannot be listed; `CancellationError`.
  public static func checkStalenessOfAll(
    pool: PostgresPool, settings: StageSettings = StageSettings(), now: Double, logger: Logger
  ) async throws -> [StalenessOutcome] {
    let names = try await pool.explainedTransaction {
      try CollectionRepository().list(on: $0).map(\.name)
    }
    var outcomes: [StalenessOutcome] = []
    for name in names {
      try Task.checkCancellation()
      do {
        let stage = try await open(
          pool: pool, collection: name, settings: settings, logger: logger)
        let report = try await stage.checkStaleness(now: now)
        outcomes.append(StalenessOutcome(collection: name, result: .success(report)))
      } catch {
        outcomes.append(StalenessOutcome(collection: name, result: .failure(error)))
      }
    }
    return outcomes
  }

  /// Every run, newest first; runs whose process died are marked as failed first.
  public func runs() async throws -> [RunRecord] {
    let collection = collection
    return try await pool.explainingRights {
      try await pool.withConnection { connection in
        try await connection.transaction { try Self.settleAbandoned(collection, on: $0) }
        return try await connection.transaction {
          try RunRepository(collection).list(on: $0)
        }
      }
    }
  }

  /// One run.
  ///
  /// - Throws: `StoreError.unknownRun`.
  public func run(_ id: Int64) async throws -> RunRecord {
    let collection = collection
    return try await pool.explainingRights {
      try await pool.withConnection { connection in
        try await connection.transaction { try Self.settleAbandoned(collection, on: $0) }
        return try await connection.transaction {
          try RunRepository(collection).find(id, on: $0)
        }
      }
    }
  }

  /// Puts a face where a human says.
  ///
  /// - Parameters:
  ///   - anyway: takes back what people said that stands against it.
  ///   - actor: who says so, for the log of events.
  /// - Throws: ``HumanActionError``, `StoreError`.
  public func assign(
    externalID: String, to target: HumanTarget, anyway: Bool = false, actor: String? = nil
  ) async throws -> HumanAssignment {
    try await perform(actor) { actions, connection in
      try actions.assign(
        externalIDs: [externalID], to: target, anyway: anyway, on: connection
      ).assignments[0]
    }
  }

  /// Persons with faces, most faces first.
  public func people(limit: Int? = nil) async throws -> [PersonRecord] {
    let persons = PersonRepository(collection)
    return try await pool.explainedTransaction { try persons.list(limit: limit, on: $0) }
  }

  /// How the faces stand.
  public func counts() async throws -> DetectionCounts {
    let detections = DetectionRepository(collection)
    return try await pool.explainedTransaction { try detections.counts(on: $0) }
  }

  /// Hands over every detection with where it belongs, by id; streamed.
  public func exportAssignments(
    _ row: @Sendable (AssignmentRow) throws -> Void
  ) async throws {
    let export = AssignmentExport(collection, eligibility: settings.eligibility)
    try await pool.explainedTransaction(.snapshot) { try export.read(on: $0, row: row) }
  }

  /// Every face with its embedding, by id.
  ///
  /// - Complexity: O(n · d), one copy.
  public func faces() async throws -> FaceSnapshot {
    let reader = FaceReader(collection)
    return try await pool.explainedTransaction(.snapshot) { try reader.all(on: $0) }
  }

  static func settleAbandoned(
    _ collection: CollectionRecord, on connection: isolated PostgresConnection
  ) throws {
    let runs = RunRepository(collection)
    guard try runs.running(on: connection) != nil else { return }
    // Whoever works on a run holds this lock; if we get it, nobody does.
    if try CollectionLocks(collection).holdOffBootstrap(on: connection) {
      try runs.failAbandoned(on: connection)
    }
  }
}
