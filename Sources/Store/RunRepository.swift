public import PostgresClient

/// One run without its blobs.
public struct RunRecord: Sendable {
  /// Id within the collection.
  public var id: Int64
  /// Status: pending, running, completed, failed or cancelled.
  public var status: String
  /// Why the run failed or was cancelled; nil otherwise.
  public var error: String?
  /// Seconds since 1970.
  public var createdAt: Double
  /// Seconds since 1970; nil while the run waits.
  public var startedAt: Double?
  /// Seconds since 1970; nil until the run has ended.
  public var finishedAt: Double?
  /// Settings in force, name to text, as JSON.
  public var parametersJSON: String
  /// Model that made the embeddings of the fit.
  public var embeddingModel: String
  /// Faces that the fit saw.
  public var embeddingCount: Int
  /// Clusters that the fit selected.
  public var clusterCount: Int
  /// Faces that the fit called noise.
  public var noiseCount: Int
  /// Smallest cluster of the fit, in faces.
  public var minClusterSize: Int
  /// Neighbour that core distances reach to.
  public var minSamples: Int
  /// Whether this run is in charge of its collection.
  public var isActive: Bool
  /// Figures that later runs are compared with, as JSON.
  public var metricsJSON: String
  /// Seconds of each phase, as JSON.
  public var timingsJSON: String
  /// Largest resident size of the process, in bytes.
  public var peakMemoryBytes: Int64?
  /// How similarity was calibrated, as JSON; nil where it was not.
  public var calibrationJSON: String?
}

/// What a bootstrap writes into its run when it is done.
public struct RunResult: Sendable {
  /// Faces that the fit saw.
  public var embeddingCount: Int
  /// Clusters that the fit selected.
  public var clusterCount: Int
  /// Faces that the fit called noise.
  public var noiseCount: Int
  /// Cluster nodes of the condensed tree, as a JSON array.
  public var condensedTreeJSON: String
  /// Label of the fit to cluster id, as a JSON object.
  public var labelToClusterJSON: String
  /// Figures that later runs are compared with, as JSON.
  public var metricsJSON: String
  /// Seconds of each phase, as JSON.
  public var timingsJSON: String
  /// Largest resident size of the process, in bytes.
  public var peakMemoryBytes: Int64

  /// How similarity was calibrated, as JSON; nil where it was not.
  public var calibrationJSON: String?

  /// The result of one completed fit.
  public init(
    embeddingCount: Int, clusterCount: Int, noiseCount: Int, condensedTreeJSON: String,
    labelToClusterJSON: String, metricsJSON: String, timingsJSON: String, peakMemoryBytes: Int64,
    calibrationJSON: String? = nil
  ) {
    self.embeddingCount = embeddingCount
    self.clusterCount = clusterCount
    self.noiseCount = noiseCount
    self.condensedTreeJSON = condensedTreeJSON
    self.labelToClusterJSON = labelToClusterJSON
    self.metricsJSON = metricsJSON
    self.timingsJSON = timingsJSON
    self.peakMemoryBytes = peakMemoryBytes
    self.calibrationJSON = calibrationJSON
  }
}

/// Reads and writes run records.
public struct RunRepository: Sendable {
  /// The collection that every statement is scoped to.
  public let collection: CollectionRecord

  /// A repository of one collection.
  public init(_ collection: CollectionRecord) { self.collection = collection }

  private static let columns = """
    id, status, error, created_at, started_at, finished_at, parameters, embedding_model,
    embedding_count, cluster_count, noise_count, min_cluster_size, min_samples, is_active,
    metrics, timings, peak_memory_bytes, calibration
    """

  /// Every run, newest first.
  public func list(on connection: isolated PostgresConnection) throws -> [RunRecord] {
    try connection.query(
      "SELECT \(Self.columns) FROM hdbscan_run WHERE collection_id = $1 ORDER BY id DESC",
      [.int64(collection.id)]
    ).map(Self.record)
  }

  /// One run.
  ///
  /// - Throws: ``StoreError/unknownRun(_:collection:)``.
  public func find(_ id: Int64, on connection: isolated PostgresConnection) throws -> RunRecord {
    guard
      let row = try connection.query(
        "SELECT \(Self.columns) FROM hdbscan_run WHERE collection_id = $1 AND id = $2",
        [.int64(collection.id), .int64(id)]
      ).first
    else { throw StoreError.unknownRun(id, collection: collection.name) }
    return try Self.record(row)
  }

  /// The run in charge, if there is one.
  public func active(on connection: isolated PostgresConnection) throws -> RunRecord? {
    try connection.query(
      "SELECT \(Self.columns) FROM hdbscan_run WHERE collection_id = $1 AND is_active",
      [.int64(collection.id)]
    ).first.map(Self.record)
  }

  /// Only the id of the run in charge: what a cached model is compared with.
  public func activeID(on connection: isolated PostgresConnection) throws -> Int64? {
    try connection.queryPrepared(
      "SELECT id FROM hdbscan_run WHERE collection_id = $1 AND is_active",
      [.int64(collection.id)]
    ).first?.int64(0)
  }

  /// How similarity was calibrated by the run in charge, as JSON; nil where it was not.
  public func activeCalibrationJSON(
    on connection: isolated PostgresConnection
  ) throws -> String? {
    guard
      let row = try connection.queryPrepared(
        """
        SELECT calibration FROM hdbscan_run
        WHERE collection_id = $1 AND is_active AND calibration IS NOT NULL
        """, [.int64(collection.id)]
      ).first
    else { return nil }
    return try row.jsonText(0)
  }

  /// The model and the label map of a run.
  public func state(
    of id: Int64, on connection: isolated PostgresConnection
  ) throws -> (blob: [UInt8], labelToClusterJSON: String, condensedTreeJSON: String) {
    guard
      let row = try connection.query(
        """
        SELECT clusterer_state, label_to_cluster_id, condensed_tree FROM hdbscan_run
        WHERE collection_id = $1 AND id = $2 AND clusterer_state IS NOT NULL
        """, [.int64(collection.id), .int64(id)]
      ).first
    else { throw StoreError.unknownRun(id, collection: collection.name) }
    return (try row.bytes(0), try row.jsonText(1), try row.jsonText(2))
  }

  /// The beginning of a run's model, where all of it is as the run wrote it, and the label map.
  ///
  /// The server compares the model's checksum, so that it need not travel.
  ///
  /// - Parameter bytes: how much of the beginning.
  /// - Returns: nil where something else is there, or an older program wrote the run.
  public func headOfWholeModel(
    of id: Int64, bytes: Int, on connection: isolated PostgresConnection
  ) throws -> (head: [UInt8], labelToClusterJSON: String)? {
    try connection.query(
      """
      SELECT substr(clusterer_state, 1, $3), label_to_cluster_id FROM hdbscan_run
      WHERE collection_id = $1 AND id = $2 AND sha256(clusterer_state) = clusterer_state_sha256
      """, [.int64(collection.id), .int64(id), .int32(Int32(bytes))]
    ).first.map { (try $0.bytes(0), try $0.jsonText(1)) }
  }

  /// Whether a run is at work; until the transaction ends nobody can mark it as ended.
  public func isRunning(_ id: Int64, on connection: isolated PostgresConnection) throws -> Bool {
    try connection.query(
      """
      SELECT status = 'running' FROM hdbscan_run WHERE collection_id = $1 AND id = $2
      FOR NO KEY UPDATE
      """, [.int64(collection.id), .int64(id)]
    ).first?.bool(0) ?? false
  }

  /// Begins a run and returns its id.
  public func start(
    parametersJSON: String, minClusterSize: Int, minSamples: Int,
    on connection: isolated PostgresConnection
  ) throws -> Int64 {
    try connection.query(
      """
      INSERT INTO hdbscan_run (collection_id, started_at, status, parameters, embedding_model,
        min_cluster_size, min_samples)
      VALUES ($1, now(), 'running', $2, $3, $4, $5) RETURNING id
      """,
      [
        .int64(collection.id), .json(parametersJSON), .text(collection.embeddingModel),
        .int32(Int32(minClusterSize)), .int32(Int32(minSamples)),
      ])[0].int64(0)
  }

  /// Writes the model of a run that is at work, which the caller has locked by ``isRunning(_:on:)``.
  public func keepModel(
    _ blob: [UInt8], of id: Int64, on connection: isolated PostgresConnection
  ) throws {
    try connection.query(
      """
      UPDATE hdbscan_run SET clusterer_state = $3, clusterer_state_sha256 = sha256($3)
      WHERE collection_id = $1 AND id = $2
      """, [.int64(collection.id), .int64(id), .bytes(blob)])
  }

  /// Writes what a run that is at work found, which the caller has locked by ``isRunning(_:on:)``.
  public func keepResult(
    _ result: RunResult, of id: Int64, on connection: isolated PostgresConnection
  ) throws {
    try connection.query(
      """
      UPDATE hdbscan_run SET embedding_count = $3, cluster_count = $4, noise_count = $5,
        condensed_tree = $6, label_to_cluster_id = $7, metrics = $8, timings = $9,
        peak_memory_bytes = $10, calibration = $11
      WHERE collection_id = $1 AND id = $2
      """,
      [
        .int64(collection.id), .int64(id), .int32(Int32(result.embeddingCount)),
        .int32(Int32(result.clusterCount)), .int32(Int32(result.noiseCount)),
        .json(result.condensedTreeJSON), .json(result.labelToClusterJSON),
        .json(result.metricsJSON), .json(result.timingsJSON), .int64(result.peakMemoryBytes),
        result.calibrationJSON.map(PostgresValue.json) ?? .null,
      ])
  }

  /// Completes a run that is at work and puts it in charge; the one before becomes inactive.
  ///
  /// - Throws: ``StoreError/damaged(table:id:what:)`` where the run has ended already.
  public func complete(_ id: Int64, on connection: isolated PostgresConnection) throws {
    let key: [PostgresValue] = [.int64(collection.id), .int64(id)]
    try connection.query(
      """
      UPDATE hdbscan_run SET is_active = false
      WHERE collection_id = $1 AND is_active AND id <> $2
      """, key)
    let completed = try connection.query(
      """
      UPDATE hdbscan_run SET status = 'completed', is_active = true, finished_at = clock_timestamp()
      WHERE collection_id = $1 AND id = $2 AND status = 'running'
      """, key
    ).affectedRows
    guard completed == 1 else {
      throw StoreError.damaged(table: "hdbscan_run", id: id, what: "the run has ended already")
    }
  }

  /// Corrects what a completed run says about its time, which ends with its own commit.
  public func setTimings(
    _ timingsJSON: String, of id: Int64, on connection: isolated PostgresConnection
  ) throws {
    try connection.query(
      "UPDATE hdbscan_run SET timings = $3 WHERE collection_id = $1 AND id = $2",
      [.int64(collection.id), .int64(id), .json(timingsJSON)])
  }

  /// Marks a run that has not ended as failed.
  public func fail(
    _ id: Int64, reason: String, on connection: isolated PostgresConnection
  ) throws { try end(id, as: "failed", reason: reason, on: connection) }

  /// Marks a run that has not ended as cancelled by whoever asked for it.
  public func cancel(
    _ id: Int64, reason: String, on connection: isolated PostgresConnection
  ) throws { try end(id, as: "cancelled", reason: reason, on: connection) }

  private func end(
    _ id: Int64, as status: String, reason: String, on connection: isolated PostgresConnection
  ) throws {
    try connection.query(
      """
      UPDATE hdbscan_run SET status = $3, error = $4, finished_at = clock_timestamp()
      WHERE collection_id = $1 AND id = $2 AND status IN ('pending', 'running')
      """, [.int64(collection.id), .int64(id), .text(status), .text(reason)])
  }

  /// Marks running runs as failed, when the caller knows that no process works on them.
  public func failAbandoned(on connection: isolated PostgresConnection) throws {
    try connection.query(
      """
      UPDATE hdbscan_run SET status = 'failed', finished_at = clock_timestamp(),
        error = 'abandoned: the process that ran it ended before it was done'
      WHERE collection_id = $1 AND status IN ('pending', 'running')
      """, [.int64(collection.id)])
  }

  /// The newest run that is still running, if any.
  public func running(on connection: isolated PostgresConnection) throws -> Int64? {
    try connection.query(
      """
      SELECT id FROM hdbscan_run WHERE collection_id = $1 AND status = 'running'
      ORDER BY id DESC LIMIT 1
      """, [.int64(collection.id)]
    ).first?.int64(0)
  }

  private static func record(_ row: PostgresRow) throws -> RunRecord {
    RunRecord(
      id: try row.int64("id"), status: try row.text("status"),
      error: try row.optionalText("error"), createdAt: try row.timestamp("created_at"),
      startedAt: try row.optionalTimestamp("started_at"),
      finishedAt: try row.optionalTimestamp("finished_at"),
      parametersJSON: try row.jsonText("parameters"),
      embeddingModel: try row.text("embedding_model"),
      embeddingCount: Int(try row.int32("embedding_count")),
      clusterCount: Int(try row.int32("cluster_count")),
      noiseCount: Int(try row.int32("noise_count")),
      minClusterSize: Int(try row.int32("min_cluster_size")),
      minSamples: Int(try row.int32("min_samples")), isActive: try row.bool("is_active"),
      metricsJSON: try row.jsonText("metrics"), timingsJSON: try row.jsonText("timings"),
      peakMemoryBytes: try row.optionalInt64("peak_memory_bytes"),
      calibrationJSON: try row.optionalJsonText("calibration"))
  }
}
