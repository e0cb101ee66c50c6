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
      \(Self.changes(.person))
      UPDATE person t SET (name, hidden) = (r.name, r.hidden)
      FROM \(Self.changed(.person)), LATERAL jsonb_populate_record(cur, h.before) r
      WHERE h.before IS NOT NULL AND t.collection_id = h.collection_id AND t.id = h.row_id
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
      \(Self.changes(.candidate))
      UPDATE face_match_candidate t SET (status, similarity, reason, decided_at, decided_by)
        = (r.status, r.similarity, r.reason, r.decided_at, r.decided_by)
      FROM \(Self.changed(.candidate)), LATERAL jsonb_populate_record(cur, h.before) r
      WHERE h.before IS NOT NULL AND t.collection_id = h.collection_id AND t.id = h.row_id
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
        \(Self.changes(.detection))
        SELECT count(*) FROM \(Self.changed(.detection))
        WHERE h.before -> 'cluster_id' IS DISTINCT FROM h.after -> 'cluster_id'
          AND h.before -> 'cluster_id' IS DISTINCT FROM to_jsonb(cur) -> 'cluster_id'
          AND \(Self.isLeftAlone("to_jsonb(cur)", "h.before", "h.after"))
        """, key
      ).single().int64(0))
  }

  /// `h`: what the action $2 did to rows of a kind.
  ///
  /// Rows are joined by the collection that the list names: to a collection that its statistics do not hold yet,
  /// asked for by `$1`, the planner gives one row and compares every row with every other.
  private static func changes(_ entity: LoggedEntity) -> String {
    """
    WITH h AS MATERIALIZED (
      SELECT * FROM human_action_change
      WHERE collection_id = $1 AND action_id = $2 AND entity = '\(entity.rawValue)'
    )
    """
  }

  /// `h` of rows that are there, and `cur`: such a row as it is now.
  private static func changed(_ entity: LoggedEntity) -> String {
    "h JOIN \(entity.table) cur ON cur.collection_id = h.collection_id AND cur.id = h.row_id"
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
      \(Self.changes(.cluster))
      SELECT h.row_id FROM \(Self.changed(.cluster))
      WHERE h.before ?| ARRAY['face_count', 'core_count', 'centroid_sum'] AND h.after IS NOT NULL
        AND NOT (\(untouched))
      ORDER BY h.row_id
      """, key
    ).map { try $0.int64(0) }
    try connection.query(
      """
      \(Self.changes(.cluster)), restored AS (UPDATE cluster t SET \(TransactionHorizon.stamp), (person_id, verified, verified_at, verified_by, hidden, anchored,
          representative_detection_id, retired_at, face_count, core_count, centroid_sum, centroid,
          reference_centroid, reference_count, reference_length, changed_since_medoid, medoid_detection_id, epsilon, distance_quantiles, lambda_birth,
          persistence, origin)
        = (r.person_id, r.verified, r.verified_at, r.verified_by, r.hidden, r.anchored,
          (SELECT d.id FROM person_detection d
            WHERE d.collection_id = h.collection_id AND d.id = r.representative_detection_id),
          r.retired_at,
          CASE WHEN r.retired_at IS NULL THEN f.face_count ELSE 0 END,
          CASE WHEN r.retired_at IS NULL THEN f.core_count ELSE 0 END,
          CASE WHEN r.retired_at IS NULL THEN f.centroid_sum ELSE \(Self.zeros("cur.centroid_sum")) END,
          f.centroid, f.reference_centroid,
          f.reference_count, f.reference_length, f.changed_since_medoid,
          (SELECT d.id FROM person_detection d
            WHERE d.collection_id = h.collection_id AND d.id = f.medoid_detection_id),
          f.epsilon, f.distance_quantiles, f.lambda_birth, f.persistence, f.origin)
      FROM \(Self.changed(.cluster)),
        LATERAL jsonb_populate_record(cur, h.before) r,
        LATERAL jsonb_populate_record(cur,
          CASE WHEN \(untouched) THEN h.before ELSE '{}' END) f
      WHERE h.before IS NOT NULL AND h.after IS NOT NULL
        AND t.collection_id = h.collection_id AND t.id = h.row_id
      RETURNING t.collection_id, t.id, t.person_id)
      UPDATE person_detection d SET person_id = c.person_id FROM restored c
      WHERE d.collection_id = c.collection_id AND d.cluster_id = c.id AND d.person_id <> c.person_id
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
      \(Self.changes(.detection)), target AS MATERIALIZED (
        SELECT h.collection_id, h.row_id AS id, cur.cluster_id AS old_cluster,
          cur.cluster_status AS old_status, s.is_free, r.*
        FROM \(Self.changed(.detection))
        -- A face is new again where the cluster is gone in which programs had put it.
        LEFT JOIN cluster home ON home.collection_id = h.collection_id
          AND home.id = (h.before ->> 'cluster_id')::bigint AND home.retired_at IS NULL
        CROSS JOIN LATERAL (
          SELECT h.before ->> 'cluster_id' IS NOT NULL AND home.id IS NULL AS is_free) s
        CROSS JOIN LATERAL (SELECT p.cluster_id, p.cluster_status, p.cluster_confidence, p.is_adopted,
            p.pool_seed, p.lambda_val, p.outlier_score, p.unassigned_since, p.assigned_tier,
            p.assigned_run_id, p.invalid_reason
          FROM jsonb_populate_record(cur, CASE WHEN s.is_free
            THEN (h.before - 'unassigned_since') || \(Self.newAgain) ELSE h.before END) p) r
        WHERE NOT \(Self.isLeftAlone("to_jsonb(cur)", "h.before", "h.after"))
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
        FROM target t
        LEFT JOIN cluster c ON c.collection_id = t.collection_id AND c.id = t.cluster_id
        WHERE d.collection_id = t.collection_id AND d.id = t.id
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
    func made(_ entity: LoggedEntity, stays: String) -> String {
      """
      \(Self.changes(entity)), made AS MATERIALIZED (
        SELECT h.collection_id, h.row_id AS id, \(stays) AS stays FROM h WHERE h.before IS NULL
      )
      """
    }
    func isKnown(to table: String, as key: String) -> String {
      """
      EXISTS (SELECT FROM \(table) t
        WHERE t.collection_id = h.collection_id AND t.\(key) = h.row_id)
      """
    }
    let clusters = made(
      .cluster,
      stays: [
        isKnown(to: "cluster_lineage", as: "old_cluster_id"),
        isKnown(to: "cluster_lineage", as: "new_cluster_id"),
        isKnown(to: "face_match_candidate", as: "cluster_id"),
        isKnown(to: "cluster_person_cannot_link", as: "cluster_id"),
        isKnown(to: "person_association", as: "cluster_id"),
      ].joined(separator: " OR "))
    try connection.query(
      """
      \(clusters)
      UPDATE cluster c SET \(TransactionHorizon.stamp), retired_at = now(), face_count = 0, core_count = 0,
        centroid_sum = \(Self.zeros("c.centroid_sum"))
      FROM made WHERE c.collection_id = made.collection_id AND c.id = made.id AND made.stays
      """, key)
    let removed = try connection.query(
      """
      \(clusters)
      DELETE FROM cluster c USING made
      WHERE c.collection_id = made.collection_id AND c.id = made.id AND NOT made.stays
      """, key
    ).affectedRows
    if removed > 0 {
      try connection.query(
        "UPDATE collection SET clusters_removed = clusters_removed + $2 WHERE id = $1",
        [key[0], .int64(Int64(removed))])
    }
    let persons = made(
      .person,
      stays: [
        isKnown(to: "cluster", as: "person_id"),
        isKnown(to: "cluster_person_cannot_link", as: "person_id"),
        isKnown(to: "person_association", as: "old_person_id"),
        isKnown(to: "person_association", as: "new_person_id"),
      ].joined(separator: " OR "))
    try connection.query(
      """
      \(persons)
      DELETE FROM person p USING made
      WHERE p.collection_id = made.collection_id AND p.id = made.id AND NOT made.stays
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
