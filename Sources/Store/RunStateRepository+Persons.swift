internal import PostgresClient

extension RunStateRepository {
  /// Gives clusters back to the persons that they were of when the run was left, where a later run put
  /// them under others; `photodb_given` then tells the persons that they were of until now.
  ///
  /// What people know or said since stands: held clusters, those with faces placed by hand, clusters whose
  /// person an action was about, and those of persons that an action was about.
  ///
  /// - Returns: ids of the clusters.
  func restorePersons(
    _ run: Int64, on connection: isolated PostgresConnection
  ) throws -> [Int64] {
    try connection.execute(
      script: """
        CREATE TEMPORARY TABLE photodb_given (cluster_id bigint PRIMARY KEY, person_id bigint NOT NULL)
          ON COMMIT DROP
        """)
    try connection.query(
      """
      WITH RECURSIVE \(Self.said), spoken AS MATERIALIZED (
        SELECT h.entity, h.row_id FROM said
        JOIN human_action_change h ON h.collection_id = \(Self.here) AND h.action_id = said.action_id
          AND (h.entity = 'person' OR h.entity = 'cluster' AND (h.before IS NULL OR h.after IS NULL
            OR h.before ? 'person_id' OR h.said = 'person_id'))
        WHERE NOT said.is_kept AND said.kind <> '\(HumanActionRepository.association)'
      ), state AS MATERIALIZED (
        SELECT t.cluster_id, t.person_id FROM hdbscan_run_cluster t
        WHERE t.collection_id = \(Self.here) AND t.run_id = $2 AND t.person_id IS NOT NULL
      )
      INSERT INTO photodb_given
      SELECT c.id, c.person_id FROM state t
      CROSS JOIN LATERAL (SELECT * FROM cluster c
        WHERE c.collection_id = \(Self.here) AND c.id = t.cluster_id OFFSET 0) c
      WHERE c.person_id <> t.person_id AND NOT c.verified AND NOT c.anchored
        AND EXISTS (SELECT FROM person p WHERE p.collection_id = \(Self.here) AND p.id = t.person_id)
        AND NOT EXISTS (SELECT FROM spoken WHERE spoken.entity = 'cluster' AND spoken.row_id = c.id
          OR spoken.entity = 'person' AND spoken.row_id IN (c.person_id, t.person_id))
        AND NOT EXISTS (SELECT FROM person_detection d WHERE d.collection_id = \(Self.here)
          AND d.cluster_id = c.id AND d.cluster_status = 'manual')
      """, key(run))
    return try connection.query(
      """
      WITH target AS MATERIALIZED (
        SELECT g.cluster_id, t.person_id FROM photodb_given g
        JOIN hdbscan_run_cluster t ON t.collection_id = \(Self.here) AND t.run_id = $2
          AND t.cluster_id = g.cluster_id
      ), given AS (
        UPDATE cluster c SET person_id = target.person_id, \(TransactionHorizon.stamp)
        FROM target WHERE c.collection_id = \(Self.here) AND c.id = target.cluster_id
      ), faces AS (
        UPDATE person_detection d SET person_id = target.person_id
        FROM target WHERE d.collection_id = \(Self.here) AND d.cluster_id = target.cluster_id
      )
      SELECT cluster_id FROM target ORDER BY cluster_id
      """, key(run)
    ).map { try $0.int64(0) }
  }
}
