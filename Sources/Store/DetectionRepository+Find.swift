public import PostgresClient

extension DetectionRepository {
  /// One face by its external id.
  ///
  /// - Throws: ``StoreError/unknownDetection(_:collection:)``.
  public func find(
    externalID: String, on connection: isolated PostgresConnection
  ) throws -> DetectionState { try read(externalID, suffix: "", on: connection) }

  /// Locks one face by its external id and returns its state.
  ///
  /// - Throws: ``StoreError/unknownDetection(_:collection:)``.
  public func lock(
    externalID: String, on connection: isolated PostgresConnection
  ) throws -> DetectionState { try read(externalID, suffix: " FOR UPDATE", on: connection) }

  private func read(
    _ externalID: String, suffix: String, on connection: isolated PostgresConnection
  ) throws -> DetectionState {
    guard
      let row = try connection.query(
        """
        SELECT id, cluster_status, cluster_id, is_core FROM person_detection
        WHERE collection_id = $1 AND external_id = $2\(suffix)
        """, [.int64(collection.id), .text(externalID)]
      ).first
    else { throw StoreError.unknownDetection(externalID, collection: collection.name) }
    return try Self.state(row)
  }

  /// Locks those of these faces that exist, in ascending order of id, and returns their states.
  public func lock(
    externalIDs: [String], on connection: isolated PostgresConnection
  ) throws -> [DetectionState] {
    try connection.query(
      """
      SELECT id, cluster_status, cluster_id, is_core FROM person_detection
      WHERE collection_id = $1 AND external_id = ANY($2) ORDER BY id FOR UPDATE
      """, [.int64(collection.id), .textArray(externalIDs)]
    ).map(Self.state)
  }

  /// Locks faces in ascending order of id and returns their states.
  public func lock(
    ids: [Int64], on connection: isolated PostgresConnection
  ) throws -> [DetectionState] {
    try connection.query(
      """
      SELECT id, cluster_status, cluster_id, is_core FROM person_detection
      WHERE collection_id = $1 AND id = ANY($2) ORDER BY id FOR UPDATE
      """, [.int64(collection.id), .int64Array(ids)]
    ).map(Self.state)
  }

  /// Deletes faces with their embeddings, questions and constraints; their events stay.
  ///
  /// The caller has taken them out of their clusters.
  ///
  /// - Returns: how many were deleted.
  public func delete(_ ids: [Int64], on connection: isolated PostgresConnection) throws -> Int {
    // Not left to the foreign keys' SET NULL, which distributed tables cannot have (docs/citus.md).
    try connection.query(
      """
      UPDATE cluster SET
        medoid_detection_id =
          CASE WHEN medoid_detection_id <> ALL($2) THEN medoid_detection_id END,
        representative_detection_id =
          CASE WHEN representative_detection_id <> ALL($2) THEN representative_detection_id END
      WHERE collection_id = $1
        AND (medoid_detection_id = ANY($2) OR representative_detection_id = ANY($2))
      """, [.int64(collection.id), .int64Array(ids)])
    return try connection.query(
      "DELETE FROM person_detection WHERE collection_id = $1 AND id = ANY($2) RETURNING id",
      [.int64(collection.id), .int64Array(ids)]
    ).count
  }

  private static func state(_ row: PostgresRow) throws -> DetectionState {
    DetectionState(
      id: try row.int64(0), status: try row.optionalText(1).flatMap(DetectionStatus.init),
      clusterID: try row.optionalInt64(2), isCore: try row.bool(3))
  }
}
