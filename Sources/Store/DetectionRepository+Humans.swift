public import PostgresClient

extension DetectionRepository {
  /// Puts faces where a human says: status `manual`, confidence 1, no density values.
  public func placeByHand(
    _ ids: [Int64], clusterID: Int64, actor: String?, actionID: Int64?,
    on connection: isolated PostgresConnection
  ) throws {
    try connection.query(
      """
      WITH old AS MATERIALIZED (
        SELECT id, cluster_id, cluster_status FROM person_detection
        WHERE collection_id = $1 AND id = ANY($2)
      ), moved AS (
        UPDATE person_detection d SET cluster_status = 'manual', cluster_id = c.id,
          person_id = c.person_id, cluster_confidence = 1, is_core = false,
          is_adopted = false, pool_seed = false, lambda_val = NULL,
          outlier_score = NULL, assigned_tier = 'manual', assigned_run_id = NULL,
          unassigned_since = NULL, invalid_reason = NULL
        FROM cluster c
        WHERE d.collection_id = $1 AND d.id = ANY($2) AND c.collection_id = $1 AND c.id = $3
      )
      INSERT INTO assignment_event (collection_id, detection_id, old_cluster_id, new_cluster_id,
        old_status, new_status, tier, actor, confidence, action_id)
      SELECT $1, id, cluster_id, $3, cluster_status, 'manual', 'manual', $4, 1, $5 FROM old
      ORDER BY id
      """,
      [
        .int64(collection.id), .int64Array(ids), .int64(clusterID), .optional(actor),
        .optional(actionID),
      ])
  }

  /// Takes faces out of their clusters, or out of the questions about them, because a human said so:
  /// they wait in the pool as `constrained`.
  public func setAside(
    _ ids: [Int64], actor: String?, actionID: Int64, on connection: isolated PostgresConnection
  ) throws {
    if ids.isEmpty { return }
    try connection.query(
      """
      WITH old AS MATERIALIZED (
        SELECT id, cluster_id, cluster_status FROM person_detection
        WHERE collection_id = $1 AND id = ANY($2)
      ), moved AS (
        UPDATE person_detection d SET cluster_status = 'constrained', cluster_id = NULL,
          person_id = NULL, cluster_confidence = NULL, is_core = false,
          is_adopted = false, pool_seed = true, assigned_tier = 'manual',
          assigned_run_id = NULL, unassigned_since = coalesce(unassigned_since, now()),
          invalid_reason = NULL, pooled_in = \(DetectionStatus.pooledIn(becoming: "'constrained'"))
        WHERE collection_id = $1 AND id = ANY($2)
      )
      INSERT INTO assignment_event (collection_id, detection_id, old_cluster_id, old_status,
        new_status, tier, actor, action_id)
      SELECT $1, id, cluster_id, cluster_status, 'constrained', 'manual', $3, $4 FROM old
      ORDER BY id
      """,
      [.int64(collection.id), .int64Array(ids), .optional(actor), .int64(actionID)])
  }

  /// Moves faces into another cluster and leaves everything else about them, as a split does.
  public func carry(
    _ ids: [Int64], to clusters: [Int64], actor: String?, actionID: Int64,
    on connection: isolated PostgresConnection
  ) throws {
    if ids.isEmpty { return }
    try connection.query(
      """
      WITH target AS MATERIALIZED (
        SELECT d.collection_id, d.id, d.cluster_id AS old_cluster, d.cluster_status,
          d.cluster_confidence, t.cluster_id
        FROM unnest($2::bigint[], $3::bigint[]) AS t (id, cluster_id)
        JOIN person_detection d ON d.collection_id = $1 AND d.id = t.id
        WHERE d.cluster_id <> t.cluster_id
      ), moved AS (
        UPDATE person_detection d SET cluster_id = c.id, person_id = c.person_id
        FROM target t
        JOIN cluster c ON c.collection_id = t.collection_id AND c.id = t.cluster_id
        WHERE d.collection_id = t.collection_id AND d.id = t.id
      )
      INSERT INTO assignment_event (collection_id, detection_id, old_cluster_id, new_cluster_id,
        old_status, new_status, tier, actor, confidence, action_id)
      SELECT $1, id, old_cluster, cluster_id, cluster_status, cluster_status, 'manual', $4,
        cluster_confidence, $5
      FROM target ORDER BY id
      """,
      [
        .int64(collection.id), .int64Array(ids), .int64Array(clusters), .optional(actor),
        .int64(actionID),
      ])
  }

  /// Faces by their external ids, in the order of their own ids.
  ///
  /// - Throws: ``StoreError/unknownDetection(_:collection:)`` for the first that does not exist.
  public func find(
    externalIDs: [String], on connection: isolated PostgresConnection
  ) throws -> [(externalID: String, state: DetectionState)] {
    let rows = try connection.query(
      """
      SELECT external_id, id, cluster_status, cluster_id, is_core FROM person_detection
      WHERE collection_id = $1 AND external_id = ANY($2) ORDER BY id
      """, [.int64(collection.id), .textArray(externalIDs)]
    ).map {
      (
        try $0.text(0),
        DetectionState(
          id: try $0.int64(1), status: try $0.optionalText(2).flatMap(DetectionStatus.init),
          clusterID: try $0.optionalInt64(3), isCore: try $0.bool(4))
      )
    }
    let found = Set(rows.map { ExactText($0.0) })
    if let missing = externalIDs.first(where: { !found.contains(ExactText($0)) }) {
      throw StoreError.unknownDetection(missing, collection: collection.name)
    }
    return rows
  }

  /// Members of clusters, by id.
  public func members(
    of clusters: some Sequence<Int64>, on connection: isolated PostgresConnection
  ) throws -> [DetectionState] {
    try connection.query(
      """
      SELECT id, cluster_status, cluster_id, is_core FROM person_detection
      WHERE collection_id = $1 AND cluster_id = ANY($2) ORDER BY id
      """, [.int64(collection.id), .int64Array(clusters.sorted())]
    ).map {
      DetectionState(
        id: try $0.int64(0), status: try $0.optionalText(1).flatMap(DetectionStatus.init),
        clusterID: try $0.optionalInt64(2), isCore: try $0.bool(3))
    }
  }
}
