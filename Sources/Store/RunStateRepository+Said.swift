extension RunStateRepository {
  /// The collection, parameter 1, as a value that the planner does not look up.
  ///
  /// Of a collection that is not among its statistics it expects a row or none, takes any index that begins with
  /// the collection, and reads all of it for each face.
  static let here = "(SELECT $1::bigint)"

  /// Common table expressions, `said (action_id, kind, is_kept)`: actions since the state of run $2 was kept after
  /// which what people did stands otherwise than then; `since`: what the state includes, and where `is_kept` what
  /// the earlier state did that faces were kept of.
  ///
  /// What was done and taken back since, or taken back and done again, was not said: of an action and all undos
  /// that go back to it, each turns it the other way.
  static let said = """
    since AS MATERIALIZED (
      SELECT false AS is_kept, last_event_id AS last_event, coalesce(last_action_id, 0) AS last_action
      FROM hdbscan_run_state WHERE collection_id = \(here) AND run_id = $2
      UNION ALL
      SELECT true, kept_event_id, kept_action_id
      FROM hdbscan_run_state WHERE collection_id = \(here) AND run_id = $2 AND kept_ids <> '{}'
    ), up AS (
      SELECT a.id, a.undoes FROM (SELECT min(last_action) AS last_action FROM since) s
      JOIN human_action a ON a.collection_id = \(here) AND a.id > s.last_action
      UNION
      SELECT a.id, a.undoes FROM up u
      JOIN human_action a ON a.collection_id = \(here) AND a.id = u.undoes
    ), family AS (
      SELECT id AS root, id FROM up WHERE undoes IS NULL
      UNION ALL
      SELECT f.root, a.id FROM family f
      JOIN human_action a ON a.collection_id = \(here) AND a.undoes = f.id
    ), turned AS MATERIALIZED (
      SELECT s.is_kept, r.id AS root, r.kind FROM family f
      CROSS JOIN since s
      JOIN human_action r ON r.collection_id = \(here) AND r.id = f.root
      GROUP BY s.is_kept, r.id, r.kind, r.undone_by
      HAVING (count(*) FILTER (WHERE f.id <= s.last_action) % 2 = 1) <> (r.undone_by IS NULL)
    ), said AS MATERIALIZED (
      SELECT f.id AS action_id, t.kind, t.is_kept FROM turned t
      JOIN family f ON f.root = t.root
      JOIN since s ON s.is_kept = t.is_kept AND f.id > s.last_action
    )
    """

  /// Faces that people spoke of since the state of run $2 was kept, by ``said``.
  static let facesSpokenOf = """
    SELECT e.detection_id FROM since s
    JOIN assignment_event e ON e.collection_id = \(here) AND e.id > s.last_event
      AND e.tier IN ('manual', 'undo') AND s.is_kept = (e.detection_id IN (
        SELECT unnest(kept_ids) FROM hdbscan_run_state WHERE collection_id = \(here) AND run_id = $2))
    WHERE (e.action_id, s.is_kept) IN (SELECT action_id, is_kept FROM said)
    """

  /// The state of run $2, one row for each face.
  static let facesOfState = """
    SELECT w.* FROM hdbscan_run_state s
    CROSS JOIN LATERAL unnest(s.detection_ids, s.cluster_ids, s.statuses, s.confidences, s.cores,
      s.adopted, s.lambdas, s.outlier_scores, s.tiers, s.assigned_runs)
      AS w (id, cluster_id, status, confidence, is_core, is_adopted, lambda_val, outlier_score, tier,
        run_id)
    WHERE s.collection_id = \(here) AND s.run_id = $2
    """
}
