public import PostgresClient

/// The queue of work that workers on all machines share.
///
/// Every time is the server's, so the clocks of the workers do not matter. A job row is the last lock
/// that a transaction takes.
public struct JobQueue: Sendable {
  /// Channel on which the queue announces new work.
  public static let channel = "photodb_jobs"

  /// A queue.
  public init() {}

  private static let columns = """
    j.id, j.collection_id, c.name AS collection, j.kind, j.status, j.attempts, j.error, j.run_after,
    j.leased_by, j.leased_until, j.created_at
    """

  /// Announces work to be done as soon as this transaction commits.
  ///
  /// Work of one kind waits once in a collection. Call it last in the transaction that makes the work.
  public func enqueue(
    _ kind: JobKind, _ collection: CollectionRecord, on connection: isolated PostgresConnection
  ) throws {
    // The update changes nothing. Its row lock keeps workers from taking the job, and with it from
    // looking for work, before this transaction commits what it brought.
    try connection.queryPrepared(
      """
      WITH queued AS (
        INSERT INTO clustering_job (collection_id, kind) VALUES ($1, $2)
        ON CONFLICT (collection_id, kind) WHERE status = 'queued' DO UPDATE SET kind = excluded.kind
        RETURNING id
      )
      SELECT pg_notify($3, '') FROM queued
      """, [.int64(collection.id), .text(kind.rawValue), .text(Self.channel)])
  }

  /// The same, if any face of the collection has no status, or joined the pool and nobody looked for
  /// groups around it.
  public func enqueueIfFacesAreNew(
    _ collection: CollectionRecord, on connection: isolated PostgresConnection
  ) throws {
    let isNew = try connection.query(
      """
      SELECT \(DetectionRepository.isThereAny(where: "d.is_new"))
        OR \(DetectionRepository.isThereAny(where: "d.pool_seed"))
      """, [.int64(collection.id)]
    ).single().bool(0)
    if isNew { try enqueue(.assign, collection, on: connection) }
  }

  /// Makes jobs for collections with new faces that nobody announced.
  ///
  /// A collection whose job was given up stays out until new work is announced there or an operator
  /// asks for it.
  ///
  /// - Parameter collections: names; nil stands for all.
  /// - Returns: how many were made.
  @discardableResult
  public func enqueueForgotten(
    collections: [String]?, on connection: isolated PostgresConnection
  ) throws -> Int {
    try connection.query(
      """
      INSERT INTO clustering_job (collection_id, kind)
      SELECT c.id, 'assign' FROM collection c
      WHERE ($1::text[] IS NULL OR c.name = ANY($1))
        AND \(DetectionRepository.isThereAny(where: "d.is_new", collection: "c.id"))
        AND NOT EXISTS (SELECT FROM clustering_job j
          WHERE j.collection_id = c.id AND j.kind = 'assign')
      ORDER BY c.id ON CONFLICT DO NOTHING
      """, [collections.map(PostgresValue.textArray) ?? .null]
    ).affectedRows
  }

  /// Takes the job that has been ready for longest, if there is one.
  ///
  /// Ready are jobs that wait, and those whose worker let its lease run out.
  ///
  /// - Parameters:
  ///   - collections: names; nil stands for all.
  ///   - owner: who takes it.
  ///   - lease: seconds until another may take it.
  public func claim(
    collections: [String]?, owner: String, lease: Double,
    on connection: isolated PostgresConnection
  ) throws -> JobRecord? {
    try connection.query(
      """
      WITH next AS MATERIALIZED (
        SELECT j.collection_id, j.id FROM clustering_job j
        JOIN collection c ON c.id = j.collection_id
        WHERE (j.status = 'queued' AND j.run_after <= clock_timestamp()
            OR j.status = 'running' AND j.leased_until < clock_timestamp())
          AND j.kind = ANY($1) AND ($2::text[] IS NULL OR c.name = ANY($2))
        ORDER BY j.run_after, j.id LIMIT 1 FOR UPDATE OF j SKIP LOCKED
      )
      UPDATE clustering_job j SET status = 'running', attempts = j.attempts + 1, leased_by = $3,
        leased_until = clock_timestamp() + make_interval(secs => $4)
      FROM next JOIN collection c ON c.id = next.collection_id
      WHERE j.collection_id = next.collection_id AND j.id = next.id
      RETURNING \(Self.columns)
      """,
      [
        .textArray(JobKind.allCases.map(\.rawValue)),
        collections.map(PostgresValue.textArray) ?? .null, .text(owner), .double(lease),
      ]
    ).first.map(Self.record)
  }

  /// Seconds until a job that waits, or whose lease runs, may be ready; nil where there is none.
  public func secondsUntilNext(
    collections: [String]?, on connection: isolated PostgresConnection
  ) throws -> Double? {
    try connection.query(
      """
      SELECT extract(epoch FROM min(CASE j.status WHEN 'queued' THEN j.run_after
        ELSE j.leased_until END) - clock_timestamp())::double precision
      FROM clustering_job j JOIN collection c ON c.id = j.collection_id
      WHERE j.status <> 'dead' AND ($1::text[] IS NULL OR c.name = ANY($1))
      """, [collections.map(PostgresValue.textArray) ?? .null]
    ).single().optionalDouble(0)
  }

  /// Every job, the oldest first.
  ///
  /// - Parameter collection: its id; nil stands for all collections.
  public func list(
    collection: Int64?, on connection: isolated PostgresConnection
  ) throws -> [JobRecord] {
    try connection.query(
      """
      SELECT \(Self.columns) FROM clustering_job j JOIN collection c ON c.id = j.collection_id
      WHERE $1::bigint IS NULL OR j.collection_id = $1 ORDER BY j.created_at, j.id
      """, [collection.map(PostgresValue.int64) ?? .null]
    ).map(Self.record)
  }

  func notify(on connection: isolated PostgresConnection) throws {
    try connection.queryPrepared("SELECT pg_notify($1, '')", [.text(Self.channel)])
  }

  private static func record(_ row: PostgresRow) throws -> JobRecord {
    let (id, kind, status) = (
      try row.int64("id"), try row.text("kind"), try row.text("status")
    )
    guard let kind = JobKind(rawValue: kind), let status = JobRecord.Status(rawValue: status)
    else {
      throw StoreError.damaged(
        table: "clustering_job", id: id, what: "kind “\(kind)”, status “\(status)”")
    }
    return JobRecord(
      id: id, collectionID: try row.int64("collection_id"),
      collectionName: try row.text("collection"), kind: kind, status: status,
      attempts: Int(try row.int32("attempts")), error: try row.optionalText("error"),
      runAfter: try row.timestamp("run_after"), leasedBy: try row.optionalText("leased_by"),
      leasedUntil: try row.optionalTimestamp("leased_until"),
      createdAt: try row.timestamp("created_at"))
  }
}
