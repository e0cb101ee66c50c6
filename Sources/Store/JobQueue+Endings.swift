public import PostgresClient

extension JobQueue {
  /// Keeps a job for longer.
  ///
  /// - Returns: false where it is another worker's by now.
  public func renew(
    _ job: JobRecord, owner: String, lease: Double, on connection: isolated PostgresConnection
  ) throws -> Bool {
    try connection.query(
      """
      UPDATE clustering_job SET leased_until = clock_timestamp() + make_interval(secs => $4)
      WHERE collection_id = $1 AND id = $2 AND leased_by = $3
      """,
      [.int64(job.collectionID), .int64(job.id), .text(owner), .double(lease)]
    ).affectedRows == 1
  }

  /// Says that a job is done.
  ///
  /// What had been given up before of the same kind is done with it.
  public func finish(
    _ job: JobRecord, owner: String, on connection: isolated PostgresConnection
  ) throws {
    try connection.query(
      """
      DELETE FROM clustering_job
      WHERE collection_id = $1
        AND (id = $2 AND leased_by = $3 OR kind = $4 AND status = 'dead')
      """,
      [.int64(job.collectionID), .int64(job.id), .text(owner), .text(job.kind.rawValue)])
  }

  /// Gives back what a worker holds, as if it had not begun.
  ///
  /// - Parameter owner: the worker.
  public func giveBack(of owner: String, on connection: isolated PostgresConnection) throws {
    let held = try connection.query(
      "SELECT collection_id, id FROM clustering_job WHERE leased_by = $1 ORDER BY 1, 2",
      [.text(owner)]
    ).map { (collection: try $0.int64(0), id: try $0.int64(1)) }
    for job in held {
      try queueAgain(
        collection: job.collection, id: job.id, owner: owner, attempts: -1, error: nil, after: 0,
        on: connection)
    }
    if !held.isEmpty { try notify(on: connection) }
  }

  /// Says that an attempt failed: the job waits for the next one, or is given up.
  ///
  /// - Parameters:
  ///   - job: as it was claimed; how often it was begun is kept where it is given up.
  ///   - error: why, in one line.
  ///   - pause: seconds before the next attempt.
  ///   - maximumAttempts: how often a job is begun in all.
  /// - Returns: whether it was given up.
  public func fail(
    _ job: JobRecord, owner: String, error: String, pause: Double, maximumAttempts: Int,
    on connection: isolated PostgresConnection
  ) throws -> Bool {
    guard job.attempts >= maximumAttempts else {
      try queueAgain(
        collection: job.collectionID, id: job.id, owner: owner, attempts: 0, error: error,
        after: pause, on: connection)
      return false
    }
    // One dead letter of a kind tells all that there is to tell: the latest.
    try connection.query(
      "DELETE FROM clustering_job WHERE collection_id = $1 AND kind = $2 AND status = 'dead'",
      [.int64(job.collectionID), .text(job.kind.rawValue)])
    try connection.query(
      """
      UPDATE clustering_job SET status = 'dead', error = $4, attempts = $5, leased_by = NULL,
        leased_until = NULL
      WHERE collection_id = $1 AND id = $2 AND leased_by = $3
      """,
      [
        .int64(job.collectionID), .int64(job.id), .text(owner), .text(error),
        .int32(Int32(job.attempts)),
      ])
    return true
  }

  /// Puts jobs that were given up into the queue again.
  ///
  /// - Returns: how many.
  public func retryDead(
    _ collection: CollectionRecord, on connection: isolated PostgresConnection
  ) throws -> Int {
    let dead = try connection.query(
      """
      DELETE FROM clustering_job WHERE collection_id = $1 AND status = 'dead' RETURNING kind
      """, [.int64(collection.id)]
    ).map { try $0.text(0) }
    for kind in dead.compactMap(JobKind.init) { try enqueue(kind, collection, on: connection) }
    return dead.count
  }

  /// Turns a job that runs into one that waits.
  ///
  /// Where one of its kind waits already, the two become one, which is tried as often as the older.
  private func queueAgain(
    collection: Int64, id: Int64, owner: String, attempts: Int, error: String?, after pause: Double,
    on connection: isolated PostgresConnection
  ) throws {
    try connection.query(
      """
      WITH held AS (
        DELETE FROM clustering_job
        WHERE collection_id = $1 AND id = $2 AND leased_by = $3 RETURNING *
      )
      INSERT INTO clustering_job (collection_id, id, kind, payload, attempts, run_after, error,
        created_at)
      SELECT collection_id, id, kind, payload, greatest(attempts + $4, 0),
        clock_timestamp() + make_interval(secs => $6), coalesce($5, error), created_at
      FROM held
      ON CONFLICT (collection_id, kind) WHERE status = 'queued' DO UPDATE SET
        attempts = greatest(clustering_job.attempts, excluded.attempts),
        error = coalesce(excluded.error, clustering_job.error),
        run_after = greatest(clustering_job.run_after, excluded.run_after)
      """,
      [
        .int64(collection), .int64(id), .text(owner), .int32(Int32(attempts)),
        error.map(PostgresValue.text) ?? .null, .double(pause),
      ])
  }
}
