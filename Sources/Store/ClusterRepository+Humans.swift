public import PostgresClient

/// A cluster as people see one.
public struct ClusterRecord: Sendable, Equatable {
  /// Id within the collection.
  public var id: Int64
  /// Person that the cluster belongs to.
  public var personID: Int64
  /// Name of that person, where it has one.
  public var personName: String?
  /// Members.
  public var faceCount: Int
  /// Members that a bootstrap called core.
  public var coreCount: Int
  /// Whether a human verified it.
  public var verified: Bool
  /// When, in seconds since 1970.
  public var verifiedAt: Double?
  /// Who.
  public var verifiedBy: String?
  /// Whether a human hid it from lists.
  public var hidden: Bool
  /// Whether people drew its boundary, by a split.
  public var anchored: Bool
  /// External id of the face that stands for it: a human's choice before the medoid.
  public var representative: String?
  /// Whether that face is a human's choice.
  public var representativeIsChosen: Bool
  /// Radius of acceptance, a cosine distance.
  public var epsilon: Float?
  /// Lambda (1/Euclidean distance) at which its node was born in the fit.
  public var lambdaBirth: Float?
  /// Stability over size and largest lambda, 0…1.
  public var persistence: Float?
  /// Run that shaped it last.
  public var runID: Int64?
  /// bootstrap, pool or manual.
  public var origin: String
  /// When a later run retired it, in seconds since 1970.
  public var retiredAt: Double?
}

extension ClusterRepository {
  /// One cluster, retired or not.
  ///
  /// - Throws: ``StoreError/unknownCluster(_:collection:)``.
  public func find(
    _ id: Int64, on connection: isolated PostgresConnection
  ) throws -> ClusterRecord {
    guard
      let row = try connection.query(
        """
        SELECT c.id, c.person_id, p.name, c.face_count, c.core_count, c.verified, c.verified_at,
          c.verified_by, c.hidden, c.anchored, coalesce(r.external_id, m.external_id),
          r.id IS NOT NULL, c.epsilon, c.lambda_birth, c.persistence, c.hdbscan_run_id, c.origin,
          c.retired_at
        FROM cluster c
        JOIN person p ON p.collection_id = $1 AND p.id = c.person_id
        LEFT JOIN person_detection r ON r.collection_id = $1
          AND r.id = c.representative_detection_id AND r.cluster_id = c.id
        LEFT JOIN person_detection m ON m.collection_id = $1
          AND m.id = c.medoid_detection_id AND m.cluster_id = c.id
        WHERE c.collection_id = $1 AND c.id = $2
        """, [.int64(collection.id), .int64(id)]
      ).first
    else { throw StoreError.unknownCluster(id, collection: collection.name) }
    return ClusterRecord(
      id: try row.int64(0), personID: try row.int64(1), personName: try row.optionalText(2),
      faceCount: try row.int(3), coreCount: try row.int(4), verified: try row.bool(5),
      verifiedAt: try row.optionalTimestamp(6), verifiedBy: try row.optionalText(7),
      hidden: try row.bool(8), anchored: try row.bool(9), representative: try row.optionalText(10),
      representativeIsChosen: try row.bool(11), epsilon: try row.optionalFloat(12),
      lambdaBirth: try row.optionalFloat(13), persistence: try row.optionalFloat(14),
      runID: try row.optionalInt64(15), origin: try row.text(16),
      retiredAt: try row.optionalTimestamp(17))
  }

  /// Clusters of persons that live, or that are retired, by id.
  public func ids(
    ofPersons persons: some Sequence<Int64>, areRetired: Bool = false,
    on connection: isolated PostgresConnection
  ) throws -> [Int64] {
    try connection.query(
      """
      SELECT id FROM cluster
      WHERE collection_id = $1 AND person_id = ANY($2) AND (retired_at IS NOT NULL) = $3 ORDER BY id
      """, [.int64(collection.id), .int64Array(persons.sorted()), .bool(areRetired)]
    ).map { try $0.int64(0) }
  }

  /// The most central face of a cluster, where one was computed that is still a member.
  public func medoid(
    of id: Int64, on connection: isolated PostgresConnection
  ) throws -> Int64? {
    try connection.query(
      """
      SELECT d.id FROM cluster c
      JOIN person_detection d ON d.collection_id = $1 AND d.id = c.medoid_detection_id
        AND d.cluster_id = c.id
      WHERE c.collection_id = $1 AND c.id = $2
      """, [.int64(collection.id), .int64(id)]
    ).first?.int64(0)
  }

  /// Gives clusters, and with them their faces, to a person.
  public func give(
    _ ids: [Int64], toPerson person: Int64, on connection: isolated PostgresConnection
  ) throws {
    if ids.isEmpty { return }
    try connection.query(
      """
      WITH given AS (
        UPDATE cluster SET person_id = $3, \(TransactionHorizon.stamp)
        WHERE collection_id = $1 AND id = ANY($2)
      )
      UPDATE person_detection SET person_id = $3
      WHERE collection_id = $1 AND cluster_id = ANY($2) AND person_id <> $3
      """, [.int64(collection.id), .int64Array(ids), .int64(person)])
  }

  /// Says that a human verified a cluster, or takes it back.
  public func verify(
    _ id: Int64, _ verified: Bool, actor: String?, on connection: isolated PostgresConnection
  ) throws {
    try connection.query(
      """
      UPDATE cluster SET verified = $3, verified_at = CASE WHEN $3 THEN now() END,
        verified_by = CASE WHEN $3 THEN $4::text END, \(TransactionHorizon.stamp)
      WHERE collection_id = $1 AND id = $2 AND verified <> $3
      """, [.int64(collection.id), .int64(id), .bool(verified), .optional(actor)])
  }

  /// Hides a cluster from lists, or shows it again.
  public func hide(
    _ id: Int64, _ hidden: Bool, on connection: isolated PostgresConnection
  ) throws {
    try connection.query(
      "UPDATE cluster SET hidden = $3 WHERE collection_id = $1 AND id = $2",
      [.int64(collection.id), .int64(id), .bool(hidden)])
  }

  /// Chooses the face that stands for a cluster; nil leaves it to the medoid.
  public func represent(
    _ id: Int64, by face: Int64?, on connection: isolated PostgresConnection
  ) throws {
    try connection.query(
      "UPDATE cluster SET representative_detection_id = $3 WHERE collection_id = $1 AND id = $2",
      [.int64(collection.id), .int64(id), .optional(face)])
  }

  /// Clusters whose chosen face, one of these, left them are represented by their medoid again.
  public func forgetRepresentatives(
    _ faces: [Int64], on connection: isolated PostgresConnection
  ) throws {
    try forgetRepresentatives(where: "representative_detection_id", is: faces, on: connection)
  }

  /// Those of these clusters whose chosen face left them are represented by their medoid again.
  public func forgetRepresentatives(
    ofClusters ids: [Int64], on connection: isolated PostgresConnection
  ) throws {
    try forgetRepresentatives(where: "id", is: ids, on: connection)
  }

  private func forgetRepresentatives(
    where column: String, is ids: [Int64], on connection: isolated PostgresConnection
  ) throws {
    try connection.query(
      """
      UPDATE cluster c SET representative_detection_id = NULL
      FROM person_detection d
      WHERE c.collection_id = $1 AND c.\(column) = ANY($2)
        AND d.collection_id = $1 AND d.id = c.representative_detection_id
        AND d.cluster_id IS DISTINCT FROM c.id
      """, [.int64(collection.id), .int64Array(ids)])
  }

  /// Says of clusters that people drew their boundary.
  public func anchor(_ ids: [Int64], on connection: isolated PostgresConnection) throws {
    try connection.query(
      """
      UPDATE cluster SET anchored = true, \(TransactionHorizon.stamp)
      WHERE collection_id = $1 AND id = ANY($2)
      """,
      [.int64(collection.id), .int64Array(ids)])
  }

  /// Which of these clusters are anchored.
  public func anchored(on connection: isolated PostgresConnection) throws -> Set<Int64> {
    Set(
      try connection.query(
        """
        SELECT id FROM cluster WHERE collection_id = $1 AND anchored AND retired_at IS NULL
        """, [.int64(collection.id)]
      ).map { try $0.int64(0) })
  }
}
