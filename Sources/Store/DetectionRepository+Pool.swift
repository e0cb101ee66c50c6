public import PostgresClient

extension DetectionRepository {
  /// Locks those of these faces that are still in the pool, in ascending order.
  public func lockPool(
    _ ids: [Int64], on connection: isolated PostgresConnection
  ) throws -> [Int64] {
    try connection.queryPrepared(
      """
      SELECT id FROM person_detection
      WHERE collection_id = $1 AND id = ANY($2) AND cluster_status IN ('unassigned', 'constrained')
      ORDER BY id FOR UPDATE
      """, [.int64(collection.id), .int64Array(ids)]
    ).map { try $0.int64(0) }
  }

  /// Faces that joined the pool and around which groups have not been looked for since.
  public func poolSeeds(on connection: isolated PostgresConnection) throws -> [Int64] {
    try connection.queryPrepared(
      """
      SELECT id FROM person_detection
      WHERE collection_id = $1 AND pool_seed AND cluster_status IN ('unassigned', 'constrained')
      """, [.int64(collection.id)]
    ).map { try $0.int64(0) }
  }

  /// Whether groups are to be looked for around a face, or a new face has no embedding.
  public func hasPoolWork(on connection: isolated PostgresConnection) throws -> Bool {
    try connection.queryPrepared(
      """
      SELECT EXISTS (SELECT FROM person_detection WHERE collection_id = $1 AND pool_seed)
        OR EXISTS (SELECT FROM person_detection d
          WHERE d.collection_id = $1 AND d.cluster_status IS NULL AND (
            SELECT true FROM face_embedding e
            WHERE e.collection_id = $1 AND e.detection_id = d.id) IS NULL)
      """, [.int64(collection.id)]
    ).single().bool(0)
  }

  /// Notes that groups around these faces were looked for; the caller has locked them.
  ///
  /// - Parameter alone: whether the transaction does nothing else. It then does not wait for the disk: a
  ///   note that a crash of the server loses is only made again.
  public func clearPoolSeeds(
    _ ids: [Int64], alone: Bool, on connection: isolated PostgresConnection
  ) throws {
    if ids.isEmpty { return }
    try connection.queryPrepared(
      """
      UPDATE person_detection SET pool_seed = false
      WHERE collection_id = $1 AND id = ANY($2) AND pool_seed
      """, [.int64(collection.id), .int64Array(ids)])
    if alone { try connection.query("SET LOCAL synchronous_commit TO off") }
  }
}
