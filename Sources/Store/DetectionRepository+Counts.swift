public import PostgresClient

/// How the faces of a collection stand.
public struct DetectionCounts: Sendable, Equatable {
  /// Faces in all.
  public var total = 0
  /// Faces by status; `new` stands for none.
  public var byStatus: [String: Int] = [:]
}

extension DetectionRepository {
  /// How many faces up to an id exist and were not found unusable.
  ///
  /// - Complexity: one pass over the states of the collection.
  public func countUsable(
    upTo id: Int64, on connection: isolated PostgresConnection
  ) throws -> Int {
    Int(
      try connection.query(
        """
        SELECT count(*) FROM person_detection
        WHERE collection_id = $1 AND id <= $2 AND invalid_reason IS NULL
        """, [.int64(collection.id), .int64(id)]
      ).single().int64(0))
  }

  /// How many of these faces exist and were not found unusable.
  public func countUsable(
    _ ids: [Int64], on connection: isolated PostgresConnection
  ) throws -> Int {
    Int(
      try connection.query(
        """
        SELECT count(*) FROM person_detection
        WHERE collection_id = $1 AND id = ANY($2) AND cluster_status IS DISTINCT FROM 'invalid'
        """, [.int64(collection.id), .int64Array(ids)])[0].int64(0))
  }

  /// How many faces have which status; `new` stands for none.
  public func counts(on connection: isolated PostgresConnection) throws -> DetectionCounts {
    var counts = DetectionCounts()
    let rows = try connection.query(
      """
      SELECT coalesce(cluster_status, 'new') AS status, count(*) AS faces
      FROM person_detection WHERE collection_id = $1 GROUP BY 1
      """, [.int64(collection.id)])
    for row in rows {
      let faces = Int(try row.int64("faces"))
      counts.byStatus[try row.text("status")] = faces
      counts.total += faces
    }
    return counts
  }
}
