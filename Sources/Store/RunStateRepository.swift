public import PostgresClient

/// Shapes of clusters that were kept for a state, and when.
public struct PreparedRunState: Sendable {
  let horizon: TransactionHorizon
}

/// Keeps what a run had made of its collection when it was left, and goes back to it.
public struct RunStateRepository: Sendable {
  /// The collection that every statement is scoped to.
  public let collection: CollectionRecord

  /// A repository of one collection.
  public init(_ collection: CollectionRecord) { self.collection = collection }

  func key(_ run: Int64) -> [PostgresValue] { [.int64(collection.id), .int64(run)] }

  /// Keeps where every face is and which shape every live cluster has, as the state of a run.
  ///
  /// Of faces and clusters that were passed over when the run was put back, and to which nothing happened since,
  /// what it had said before is kept.
  ///
  /// - Parameter prepared: what ``prepare(_:on:)`` returned, in whatever transaction.
  /// - Complexity: O(faces), about 50 bytes a face before compression, and O(clusters · d), of those that
  ///   changed since it was prepared.
  public func save(
    _ run: Int64, prepared: PreparedRunState? = nil, on connection: isolated PostgresConnection
  ) throws {
    // Put into order once; each array by itself would sort all faces again.
    try connection.query(
      """
      WITH kept AS MATERIALIZED (
        SELECT w.* FROM hdbscan_run_state s
        CROSS JOIN LATERAL unnest(s.passed_over) AS passed (id)
        JOIN (\(Self.facesOfState)) w ON w.id = passed.id
        WHERE s.collection_id = \(Self.here) AND s.run_id = $2 AND s.passed_over <> '{}'
          AND NOT EXISTS (SELECT FROM assignment_event e WHERE e.collection_id = \(Self.here)
            AND e.detection_id = w.id AND e.id > s.restored_event_id)
          AND EXISTS (SELECT FROM person_detection d WHERE d.collection_id = \(Self.here) AND d.id = w.id)
      ), earlier AS MATERIALIZED (
        SELECT CASE WHEN kept_ids = '{}' THEN last_event_id ELSE kept_event_id END AS event_id,
          CASE WHEN kept_ids = '{}' THEN coalesce(last_action_id, 0) ELSE kept_action_id END AS action_id
        FROM hdbscan_run_state WHERE collection_id = \(Self.here) AND run_id = $2
      )
      INSERT INTO hdbscan_run_state (collection_id, run_id, last_event_id, last_action_id,
        kept_ids, kept_event_id, kept_action_id, detection_ids, cluster_ids, statuses, confidences,
        cores, adopted, lambdas, outlier_scores, tiers, assigned_runs)
      SELECT $1, $2,
        coalesce((SELECT max(id) FROM assignment_event WHERE collection_id = \(Self.here)), 0),
        coalesce((SELECT max(id) FROM human_action WHERE collection_id = \(Self.here)), 0),
        coalesce((SELECT array_agg(id) FROM kept), '{}'), (SELECT event_id FROM earlier),
        (SELECT action_id FROM earlier),
        coalesce(array_agg(id), '{}'), coalesce(array_agg(cluster_id), '{}'),
        coalesce(array_agg(cluster_status), '{}'), coalesce(array_agg(cluster_confidence), '{}'),
        coalesce(array_agg(is_core), '{}'), coalesce(array_agg(is_adopted), '{}'),
        coalesce(array_agg(lambda_val), '{}'), coalesce(array_agg(outlier_score), '{}'),
        coalesce(array_agg(assigned_tier), '{}'), coalesce(array_agg(assigned_run_id), '{}')
      FROM (SELECT id, cluster_id, cluster_status, cluster_confidence, is_core, is_adopted, lambda_val,
          outlier_score, assigned_tier, assigned_run_id
        FROM person_detection d
        WHERE collection_id = \(Self.here) AND cluster_status IS DISTINCT FROM 'invalid'
          AND NOT EXISTS (SELECT FROM kept WHERE kept.id = d.id)
        UNION ALL SELECT * FROM kept ORDER BY id) d
      ON CONFLICT (collection_id, run_id) DO UPDATE SET
        saved_at = now(), last_event_id = excluded.last_event_id,
        last_action_id = excluded.last_action_id, kept_ids = excluded.kept_ids,
        kept_event_id = excluded.kept_event_id, kept_action_id = excluded.kept_action_id,
        detection_ids = excluded.detection_ids,
        cluster_ids = excluded.cluster_ids, statuses = excluded.statuses,
        confidences = excluded.confidences, cores = excluded.cores, adopted = excluded.adopted,
        lambdas = excluded.lambdas, outlier_scores = excluded.outlier_scores, tiers = excluded.tiers,
        assigned_runs = excluded.assigned_runs, passed_over = '{}', restored_event_id = NULL
      """, key(run))
    try saveClusters(run, since: prepared?.horizon, on: connection)
  }

  /// Keeps the shapes of clusters that will most likely be those of the state, before others have to wait
  /// for it.
  public func prepare(
    _ run: Int64, on connection: isolated PostgresConnection
  ) throws -> PreparedRunState {
    let horizon = try TransactionHorizon.now(on: connection)
    try saveClusters(run, since: nil, on: connection)
    return PreparedRunState(horizon: horizon)
  }

  private func saveClusters(
    _ run: Int64, since horizon: TransactionHorizon?, on connection: isolated PostgresConnection
  ) throws {
    try connection.query(
      """
      DELETE FROM hdbscan_run_cluster t
      WHERE t.collection_id = \(Self.here) AND t.run_id = $2 AND NOT t.passed_over
        AND \(horizon == nil ? "true" : """
        NOT EXISTS (SELECT FROM cluster c
          WHERE c.collection_id = \(Self.here) AND c.id = t.cluster_id AND c.retired_at IS NULL)
        """)
      """, key(run))
    let changed = horizon == nil ? "" : "AND " + TransactionHorizon.isNotOlder("xmin", parameter: 3)
    try connection.query(
      """
      INSERT INTO hdbscan_run_cluster (collection_id, run_id, cluster_id, person_id, face_count,
        reference_centroid, reference_count, reference_length, changed_since_medoid,
        medoid_detection_id, epsilon, distance_quantiles, lambda_birth, persistence, hdbscan_run_id,
        origin)
      SELECT $1, $2, id, person_id, face_count, reference_centroid, reference_count, reference_length,
        changed_since_medoid, medoid_detection_id, epsilon, distance_quantiles, lambda_birth,
        persistence, hdbscan_run_id, origin
      FROM cluster WHERE collection_id = \(Self.here) AND retired_at IS NULL \(changed)
      ON CONFLICT (collection_id, run_id, cluster_id) DO UPDATE SET
        person_id = excluded.person_id, face_count = excluded.face_count,
        reference_centroid = excluded.reference_centroid,
        reference_count = excluded.reference_count, reference_length = excluded.reference_length,
        changed_since_medoid = excluded.changed_since_medoid,
        medoid_detection_id = excluded.medoid_detection_id, epsilon = excluded.epsilon,
        distance_quantiles = excluded.distance_quantiles, lambda_birth = excluded.lambda_birth,
        persistence = excluded.persistence, hdbscan_run_id = excluded.hdbscan_run_id,
        origin = excluded.origin
      WHERE NOT hdbscan_run_cluster.passed_over
      """, key(run) + (horizon.map { [$0.parameter] } ?? []))
  }

  /// Whether the state of a run was kept.
  public func isSaved(_ run: Int64, on connection: isolated PostgresConnection) throws -> Bool {
    try !connection.query(
      "SELECT 1 FROM hdbscan_run_state WHERE collection_id = \(Self.here) AND run_id = $2", key(run)
    ).isEmpty
  }

  /// Clusters that live without members though nobody made a promise about them.
  public func hollow(on connection: isolated PostgresConnection) throws -> [Int64] {
    try connection.query(
      """
      SELECT c.id FROM cluster c
      JOIN person p ON p.collection_id = \(Self.here) AND p.id = c.person_id
      WHERE c.collection_id = \(Self.here) AND c.retired_at IS NULL AND NOT c.verified AND p.name IS NULL
        AND NOT EXISTS (SELECT FROM person_detection d
          WHERE d.collection_id = \(Self.here) AND d.cluster_id = c.id)
      ORDER BY c.id
      """, [.int64(collection.id)]
    ).map { try $0.int64(0) }
  }

  /// Faces in the pool, or with open questions, that were not there or new when a run was left, by id.
  public func waitingUnknown(
    to run: Int64, on connection: isolated PostgresConnection
  ) throws -> [Int64] {
    try connection.query(
      """
      SELECT id FROM person_detection
      WHERE collection_id = \(Self.here) AND (in_pool OR is_pending)
        AND id NOT IN (SELECT f.id FROM hdbscan_run_state s
          CROSS JOIN LATERAL unnest(s.detection_ids, s.statuses) AS f (id, status)
          WHERE s.collection_id = \(Self.here) AND s.run_id = $2 AND f.status IS NOT NULL)
      ORDER BY id
      """, key(run)
    ).map { try $0.int64(0) }
  }

  /// Puts a completed run in charge.
  public func putInCharge(_ run: Int64, on connection: isolated PostgresConnection) throws {
    try connection.query(
      """
      UPDATE hdbscan_run SET is_active = false
      WHERE collection_id = \(Self.here) AND is_active AND id <> $2
      """, key(run))
    try connection.query(
      "UPDATE hdbscan_run SET is_active = true WHERE collection_id = \(Self.here) AND id = $2",
      key(run))
  }
}
