public import PostgresClient

extension DetectionRepository {
  /// Locks those of these faces that are still in the pool, in ascending order.
  public func lockPool(
    _ ids: [Int64], on connection: isolated PostgresConnection
  ) throws -> [Int64] {
    try connection.queryPrepared(
      """
      SELECT id FROM person_detection
      WHERE collection_id = $1 AND id = ANY($2) AND cluster_status IN \(DetectionStatus.pool)
      ORDER BY id FOR UPDATE
      """, [.int64(collection.id), .int64Array(ids)]
    ).map { try $0.int64(0) }
  }

  /// What waits for somebody to look for groups in the pool.
  ///
  /// Here and beside it nothing asks whether a face is `in_pool`: the planner would take the index of the
  /// whole pool for the best way where its statistics are older than a large batch.
  public func poolWork(on connection: isolated PostgresConnection) throws -> PoolWork {
    let row = try connection.queryPrepared(
      """
      SELECT CASE WHEN \(Self.isThereAny(where: "d.pool_seed"))
          THEN ARRAY(SELECT id FROM person_detection
            WHERE collection_id = $1 AND pool_seed AND cluster_status IN \(DetectionStatus.pool))
          ELSE '{}' END,
        \(Self.isThereAny(where: Self.isNewAndBare))
      """, [.int64(collection.id)]
    ).single()
    return PoolWork(seeds: Set(try row.int64Array(0)), hasBareFaces: try row.bool(1))
  }

  /// Whether any face `d` of a collection meets a condition of which an index knows, as SQL.
  ///
  /// EXISTS would read all faces where statistics are from before the last batch: by them many meet it.
  /// The least id is found by the index alone.
  static func isThereAny(where condition: String, collection: String = "$1") -> String {
    """
    (SELECT min(d.id) FROM person_detection d
      WHERE d.collection_id = \(collection) AND \(condition)) IS NOT NULL
    """
  }

  /// Notes that groups around these faces were looked for; those that left the pool are left alone.
  ///
  /// - Parameter alone: whether the transaction does nothing else. It then does not wait for the disk: a
  ///   note that a crash of the server loses is only made again.
  public func clearPoolSeeds(
    _ ids: [Int64], alone: Bool, on connection: isolated PostgresConnection
  ) throws {
    if ids.isEmpty { return }
    try connection.queryPrepared(
      """
      WITH seed AS MATERIALIZED (
        SELECT collection_id, id FROM person_detection
        WHERE collection_id = $1 AND id = ANY($2)
          AND pool_seed AND cluster_status IN \(DetectionStatus.pool)
        ORDER BY id FOR UPDATE
      ), cleared AS (
        UPDATE person_detection d SET pool_seed = false FROM seed
        WHERE d.collection_id = seed.collection_id AND d.id = seed.id
      )
      SELECT CASE WHEN $3 THEN set_config('synchronous_commit', 'off', true) END
      """, [.int64(collection.id), .int64Array(ids), .bool(alone)])
  }
}

/// What is to be done in the pool beside the faces that somebody just put there.
public struct PoolWork: Sendable {
  /// Faces that joined and around which groups have not been looked for since.
  public var seeds: Set<Int64>
  /// Whether a new face has no embedding, which no tier could ever decide.
  public var hasBareFaces: Bool
  /// Whether there is nothing to do.
  public var isEmpty: Bool { seeds.isEmpty && !hasBareFaces }
}
