public import PostgresClient

/// What came of taking an action back.
public struct RestoredRows: Sendable, Equatable {
  /// Clusters whose members changed and whose sums could not be put back as they were, because other
  /// faces came or left since.
  public var stale: [Int64]
  /// Faces that went back, from one cluster or from none to another or to none, by id.
  public var back: [Int64]
  /// Faces that are new again, because the cluster is gone in which programs had put them, by id.
  public var freed: [Int64]
  /// How many faces that the action had moved stay where programs put them since.
  public var stayed: Int
}

extension HumanActionRepository {
  /// Puts back every row that an action changed, and removes what it made.
  ///
  /// The caller has looked for conflicts, and afterwards recomputes the clusters that are stale and closes
  /// the questions about faces that are new again.
  ///
  /// - Parameters:
  ///   - action: the action that is taken back.
  ///   - undo: the action that takes it back, for the events.
  public func restore(
    _ action: Int64, by undo: Int64, actor: String?, on connection: isolated PostgresConnection
  ) throws -> RestoredRows {
    let key: [PostgresValue] = [.int64(collection.id), .int64(action)]
    let stayed = try countWhoStay(key, on: connection)
    for entity in [LoggedEntity.person, .cluster] {
      try insertMissing(entity, key, on: connection)
    }
    try connection.query(
      """
      UPDATE person t SET (name, hidden) = (r.name, r.hidden)
      FROM person cur JOIN human_action_change h ON h.collection_id = $1 AND h.action_id = $2
        AND h.entity = 'person' AND h.row_id = cur.id AND h.before IS NOT NULL,
        LATERAL jsonb_populate_record(cur, h.before) r
      WHERE cur.collection_id = $1 AND t.collection_id = $1 AND t.id = cur.id
      """, key)
    let stale = try restoreClusters(key, on: connection)
    let faces = try restoreDetections(
      key + [.int64(undo), .optional(actor)], on: connection)
    for entity in [LoggedEntity.candidate, .prohibition, .constraint] {
      try connection.query(
        """
        DELETE FROM \(entity.table) t USING human_action_change h
        WHERE h.collection_id = $1 AND h.action_id = $2 AND h.entity = '\(entity.rawValue)'
          AND h.before IS NULL AND t.collection_id = $1 AND t.id = h.row_id
        """, key)
      try insertMissing(entity, key, on: connection)
    }
    try connection.query(
      """
      UPDATE face_match_candidate t SET (status, similarity, reason, decided_at, decided_by)
        = (r.status, r.similarity, r.reason, r.decided_at, r.decided_by)
      FROM face_match_candidate cur
      JOIN human_action_change h ON h.collection_id = $1 AND h.action_id = $2
        AND h.entity = 'candidate' AND h.row_id = cur.id AND h.before IS NOT NULL,
        LATERAL jsonb_populate_record(cur, h.before) r
      WHERE cur.collection_id = $1 AND t.collection_id = $1 AND t.id = cur.id
      """, key)
    try connection.query(
      """
      UPDATE detection_constraint t SET kind = h.before ->> 'kind' FROM human_action_change h
      WHERE h.collection_id = $1 AND h.action_id = $2 AND h.entity = 'constraint'
        AND h.before ? 'kind' AND h.after IS NOT NULL
        AND t.collection_id = $1 AND t.id = h.row_id
      """, key)
    try removeMade(key, on: connection)
    return RestoredRows(stale: stale, back: faces.back, freed: faces.freed, stayed: stayed)
  }

  /// Faces that the action took from one place to another, and that programs have in a third.
  private func countWhoStay(
    _ key: [PostgresValue], on connection: isolated PostgresConnection
  ) throws -> Int {
    Int(
      try connection.query(
        """
        SELECT count(*) FROM human_action_change h
        JOIN person_detection d ON d.collection_id = $1 AND d.id = h.row_id
        WHERE h.collection_id = $1 AND h.action_id = $2 AND h.entity = 'detection'
          AND h.before -> 'cluster_id' IS DISTINCT FROM h.after -> 'cluster_id'
          AND h.before -> 'cluster_id' IS DISTINCT FROM to_jsonb(d) -> 'cluster_id'
          AND \(Self.isLeftAlone("to_jsonb(d)", "h.before", "h.after"))
        """, key
      ).single().int64(0))
  }

  /// No sum of no vectors, as long as this one.
  private static func zeros(_ sum: String) -> String {
    "decode(repeat('00', octet_length(\(sum))), 'hex')"
  }

  /// Rows that the action removed come back as they were, unless what they are about is gone.
  private func insertMissing(
    _ entity: LoggedEntity, _ key: [PostgresValue], on connection: isolated PostgresConnection
  ) throws {
    let about =
      switch entity {
      case .candidate, .prohibition:
        """
        AND EXISTS (SELECT FROM person_detection d
          WHERE d.collection_id = $1 AND d.id = r.detection_id)
        """
      case .constraint:
        """
        AND (SELECT count(*) = 2 FROM person_detection d
          WHERE d.collection_id = $1 AND d.id IN (r.detection_a_id, r.detection_b_id))
        """
      case .person, .cluster, .detection: ""
      }
    func there(_ key: String) -> String {
      """
      '\(key)', (SELECT d.id FROM person_detection d
        WHERE d.collection_id = $1 AND d.id = (h.before ->> '\(key)')::bigint)
      """
    }
    let now =
      entity == .cluster
      ? """
      || jsonb_build_object('changed_in', pg_current_xact_id()::text,
        \(there("medoid_detection_id")), \(there("representative_detection_id")))
      """ : ""
    try connection.query(
      """
      INSERT INTO \(entity.table)
      SELECT r.* FROM human_action_change h,
        LATERAL jsonb_populate_record(NULL::\(entity.table), h.before \(now)) r
      WHERE h.collection_id = $1 AND h.action_id = $2 AND h.entity = '\(entity.rawValue)'
        AND h.after IS NULL \(about)
      ON CONFLICT DO NOTHING
      """, key)
  }

  private func restoreClusters(
    _ key: [PostgresValue], on connection: isolated PostgresConnection
  ) throws -> [Int64] {
    // What people decide always goes back; what follows from members and fits only where it still
    // is as the action left it.
    let untouched = """
      NOT EXISTS (SELECT FROM jsonb_each(h.after) a
        WHERE to_jsonb(cur) -> a.key IS DISTINCT FROM a.value
          AND a.key <> ALL(ARRAY['person_id', 'verified', 'verified_at', 'verified_by', 'hidden',
            'anchored', 'representative_detection_id', 'retired_at']))
      """
    let stale = try connection.query(
      """
      SELECT cur.id FROM cluster cur JOIN human_action_change h ON h.collection_id = $1
        AND h.action_id = $2 AND h.entity = 'cluster' AND h.row_id = cur.id
        AND h.before ?| ARRAY['face_count', 'core_count', 'centroid_sum'] AND h.after IS NOT NULL
      WHERE cur.collection_id = $1 AND NOT (\(untouched))
      ORDER BY cur.id
      """, key
    ).map { try $0.int64(0) }
    try connection.query(
      """
      WITH restored AS (UPDATE cluster t SET \(TransactionHorizon.stamp), (person_id, verified, verified_at, verified_by, hidden, anchored,
          representative_detection_id, retired_at, face_count, core_count, centroid_sum, centroid,
          reference_centroid, reference_count, reference_length, changed_since_medoid, medoid_detection_id, epsilon, distance_quantiles, lambda_birth,
          persistence, origin)
        = (r.person_id, r.verified, r.verified_at, r.verified_by, r.hidden, r.anchored,
          (SELECT d.id FROM person_detection d
            WHERE d.collection_id = $1 AND d.id = r.representative_detection_id), r.retired_at,
          CASE WHEN r.retired_at IS NULL THEN f.face_count ELSE 0 END,
          CASE WHEN r.retired_at IS NULL THEN f.core_count ELSE 0 END,
          CASE WHEN r.retired_at IS NULL THEN f.centroid_sum ELSE \(Self.zeros("cur.centroid_sum")) END,
          f.centroid, f.reference_centroid,
          f.reference_count, f.reference_length, f.changed_since_medoid,
          (SELECT d.id FROM person_detection d
            WHERE d.collection_id = $1 AND d.id = f.medoid_detection_id),
          f.epsilon, f.distance_quantiles, f.lambda_birth, f.persistence, f.origin)
      FROM cluster cur JOIN human_action_change h ON h.collection_id = $1 AND h.action_id = $2
        AND h.entity = 'cluster' AND h.row_id = cur.id AND h.before IS NOT NULL
        AND h.after IS NOT NULL,
        LATERAL jsonb_populate_record(cur, h.before) r,
        LATERAL jsonb_populate_record(cur,
          CASE WHEN \(untouched) THEN h.before ELSE '{}' END) f
      WHERE cur.collection_id = $1 AND t.collection_id = $1 AND t.id = cur.id
      RETURNING t.id, t.person_id)
      UPDATE person_detection d SET person_id = c.person_id FROM restored c
      WHERE d.collection_id = $1 AND d.cluster_id = c.id AND d.person_id <> c.person_id
      """, key)
    return stale
  }

  /// What a face is whose cluster is gone, but for how long it waits.
  private static let newAgain = """
    '{"cluster_id": null, "cluster_status": null, "cluster_confidence": null, "is_adopted": false,
      "pool_seed": false, "lambda_val": null, "outlier_score": null, "assigned_tier": null,
      "assigned_run_id": null, "invalid_reason": null}'::jsonb
    """

  private func restoreDetections(
    _ parameters: [PostgresValue], on connection: isolated PostgresConnection
  ) throws -> (back: [Int64], freed: [Int64]) {
    let rows = try connection.query(
      """
      WITH target AS MATERIALIZED (
        SELECT cur.id, cur.cluster_id AS old_cluster, cur.cluster_status AS old_status, s.is_free, r.*
        FROM person_detection cur JOIN human_action_change h ON h.collection_id = $1
          AND h.action_id = $2 AND h.entity = 'detection' AND h.row_id = cur.id
        -- A face is new again where the cluster is gone in which programs had put it.
        LEFT JOIN cluster home ON home.collection_id = $1
          AND home.id = (h.before ->> 'cluster_id')::bigint AND home.retired_at IS NULL
        CROSS JOIN LATERAL (
          SELECT h.before ->> 'cluster_id' IS NOT NULL AND home.id IS NULL AS is_free) s
        CROSS JOIN LATERAL (SELECT p.cluster_id, p.cluster_status, p.cluster_confidence, p.is_adopted,
            p.pool_seed, p.lambda_val, p.outlier_score, p.unassigned_since, p.assigned_tier,
            p.assigned_run_id, p.invalid_reason
          FROM jsonb_populate_record(cur, CASE WHEN s.is_free
            THEN (h.before - 'unassigned_since') || \(Self.newAgain) ELSE h.before END) p) r
        WHERE cur.collection_id = $1
          AND NOT \(Self.isLeftAlone("to_jsonb(cur)", "h.before", "h.after"))
      ), moved AS (
        UPDATE person_detection d SET cluster_id = t.cluster_id, cluster_status = t.cluster_status,
          person_id = c.person_id, cluster_confidence = t.cluster_confidence,
          -- What a fit or the pool said meanwhile goes with the status that it gave.
          is_core = t.cluster_status IS NOT DISTINCT FROM 'hdbscan_core',
          is_adopted = t.is_adopted AND t.cluster_id IS NOT NULL
            AND t.cluster_status IS DISTINCT FROM 'hdbscan_core',
          pool_seed = t.pool_seed AND t.cluster_id IS NULL,
          lambda_val = CASE WHEN t.cluster_status NOT IN ('auto', 'manual') THEN t.lambda_val END,
          outlier_score =
            CASE WHEN t.cluster_status NOT IN ('auto', 'manual') THEN t.outlier_score END,
          unassigned_since = t.unassigned_since, assigned_tier = t.assigned_tier,
          assigned_run_id = t.assigned_run_id,
          invalid_reason = CASE WHEN t.cluster_status = 'invalid' THEN t.invalid_reason END,
          pooled_in = \(DetectionStatus.pooledIn(becoming: "t.cluster_status"))
        FROM target t LEFT JOIN cluster c ON c.collection_id = $1 AND c.id = t.cluster_id
        WHERE d.collection_id = $1 AND d.id = t.id
      ), told AS (
        INSERT INTO assignment_event (collection_id, detection_id, old_cluster_id, new_cluster_id,
          old_status, new_status, tier, actor, confidence, action_id)
        SELECT $1, id, old_cluster, cluster_id, old_status, cluster_status, 'undo', $4,
          cluster_confidence, $3
        FROM target
        WHERE (old_cluster, old_status) IS DISTINCT FROM (cluster_id, cluster_status)
        ORDER BY id
      )
      SELECT id, is_free FROM target
      WHERE is_free OR old_cluster IS DISTINCT FROM cluster_id ORDER BY id
      """, parameters
    ).map { (id: try $0.int64(0), isFree: try $0.bool(1)) }
    return (rows.filter { !$0.isFree }.map(\.id), rows.filter(\.isFree).map(\.id))
  }

  /// What the action made goes, or where later records speak of it, is retired.
  private func removeMade(
    _ key: [PostgresValue], on connection: isolated PostgresConnection
  ) throws {
    let made = """
      SELECT row_id FROM human_action_change
      WHERE collection_id = $1 AND action_id = $2 AND entity = 'cluster' AND before IS NULL
      """
    let spokenOf = """
      EXISTS (SELECT FROM cluster_lineage l WHERE l.collection_id = $1
          AND (l.old_cluster_id = c.id OR l.new_cluster_id = c.id))
        OR EXISTS (SELECT FROM face_match_candidate m
          WHERE m.collection_id = $1 AND m.cluster_id = c.id)
        OR EXISTS (SELECT FROM cluster_person_cannot_link l
          WHERE l.collection_id = $1 AND l.cluster_id = c.id)
        OR EXISTS (SELECT FROM person_association a
          WHERE a.collection_id = $1 AND a.cluster_id = c.id)
      """
    try connection.query(
      """
      UPDATE cluster c SET \(TransactionHorizon.stamp), retired_at = now(), face_count = 0, core_count = 0,
        centroid_sum = \(Self.zeros("c.centroid_sum"))
      WHERE c.collection_id = $1 AND c.id IN (\(made)) AND (\(spokenOf))
      """, key)
    let removed = try connection.query(
      """
      DELETE FROM cluster c
      WHERE c.collection_id = $1 AND c.id IN (\(made)) AND NOT (\(spokenOf))
      """, key
    ).affectedRows
    if removed > 0 {
      try connection.query(
        "UPDATE collection SET clusters_removed = clusters_removed + $2 WHERE id = $1",
        [key[0], .int64(Int64(removed))])
    }
    try connection.query(
      """
      DELETE FROM person p USING human_action_change h
      WHERE h.collection_id = $1 AND h.action_id = $2 AND h.entity = 'person'
        AND h.before IS NULL AND p.collection_id = $1 AND p.id = h.row_id
        AND NOT EXISTS (SELECT FROM cluster c WHERE c.collection_id = $1 AND c.person_id = p.id)
        AND NOT EXISTS (SELECT FROM cluster_person_cannot_link l
          WHERE l.collection_id = $1 AND l.person_id = p.id)
        AND NOT EXISTS (SELECT FROM person_association a
          WHERE a.collection_id = $1 AND p.id IN (a.old_person_id, a.new_person_id))
      """, key)
    // Whoever has to stay, for what programs put under them since, is nobody in particular.
    try connection.query(
      """
      UPDATE person p SET name = NULL FROM human_action_change h
      WHERE h.collection_id = $1 AND h.action_id = $2 AND h.entity = 'person'
        AND h.before IS NULL AND p.collection_id = $1 AND p.id = h.row_id AND p.name IS NOT NULL
      """, key)
  }
}
