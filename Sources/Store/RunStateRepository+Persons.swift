internal import PostgresClient

extension RunStateRepository {
  /// Gives clusters back to the persons that they were of when the run was left, where a later run put
  /// them under others; `photodb_given` then tells the persons that they were of until now.
  ///
  /// Who is known to people, or was spoken of since, stays where it is: held clusters, those with faces
  /// placed by hand, and clusters and persons that an action was about.
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
      WITH said AS MATERIALIZED (
        SELECT h.entity, h.row_id FROM hdbscan_run_state s
        JOIN human_action a ON a.collection_id = $1 AND a.id > s.last_action_id
          AND a.undone_by IS NULL AND a.kind <> '\(HumanActionRepository.association)'
          AND (a.undoes IS NULL OR a.undoes <= s.last_action_id)
        JOIN human_action_change h ON h.collection_id = $1 AND h.action_id = a.id
          AND h.entity IN ('person', 'cluster')
        WHERE s.collection_id = $1 AND s.run_id = $2
      )
      INSERT INTO photodb_given
      SELECT c.id, c.person_id FROM hdbscan_run_state s
      JOIN hdbscan_run_cluster t ON t.collection_id = $1 AND t.run_id = $2
      JOIN cluster c ON c.collection_id = $1 AND c.id = t.cluster_id AND c.person_id <> t.person_id
      JOIN person p ON p.collection_id = $1 AND p.id = t.person_id
      WHERE s.collection_id = $1 AND s.run_id = $2 AND s.last_action_id IS NOT NULL
        AND NOT c.verified AND NOT c.anchored
        AND NOT EXISTS (SELECT FROM said WHERE said.entity = 'cluster' AND said.row_id = c.id
          OR said.entity = 'person' AND said.row_id IN (c.person_id, t.person_id))
        AND NOT EXISTS (SELECT FROM person_detection d WHERE d.collection_id = $1
          AND d.cluster_id = c.id AND d.cluster_status = 'manual')
      """, key(run))
    return try connection.query(
      """
      WITH target AS MATERIALIZED (
        SELECT g.cluster_id, t.person_id FROM photodb_given g
        JOIN hdbscan_run_cluster t ON t.collection_id = $1 AND t.run_id = $2
          AND t.cluster_id = g.cluster_id
      ), given AS (
        UPDATE cluster c SET person_id = target.person_id, \(TransactionHorizon.stamp)
        FROM target WHERE c.collection_id = $1 AND c.id = target.cluster_id
      ), faces AS (
        UPDATE person_detection d SET person_id = target.person_id
        FROM target WHERE d.collection_id = $1 AND d.cluster_id = target.cluster_id
      )
      SELECT cluster_id FROM target ORDER BY cluster_id
      """, key(run)
    ).map { try $0.int64(0) }
  }
}
