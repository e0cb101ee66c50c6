public import PostgresClient

/// Something that came after an action and stands in the way of taking it back.
public struct UndoConflict: Sendable, Equatable {
  /// person, cluster, detection or candidate.
  public var entity: String
  /// Id of the row.
  public var rowID: Int64
  /// What is not as the action left it, such as `cluster_id`; `gone` where the row is.
  public var key: String
  /// What changed it, for people, such as `by action 7 (merge)`.
  public var cause: String
}

extension HumanActionRepository {
  /// Everything that an action changed.
  public func scope(
    of action: Int64, on connection: isolated PostgresConnection
  ) throws -> ActionScope {
    var scope = ActionScope()
    for row in try connection.query(
      """
      SELECT entity, row_id, coalesce(before, after) -> 'detection_id' FROM human_action_change
      WHERE collection_id = $1 AND action_id = $2 ORDER BY entity, row_id
      """, [.int64(collection.id), .int64(action)])
    {
      let id = try row.int64(1)
      switch LoggedEntity(rawValue: try row.text(0)) {
      case .person: scope.persons.insert(id)
      case .cluster: scope.clusters.insert(id)
      case .detection: scope.detections.insert(id)
      case .candidate, .prohibition, .constraint, nil: break
      }
    }
    // Questions and prohibitions are remembered with the faces that they are about.
    for row in try connection.query(
      """
      SELECT DISTINCT (coalesce(before, after) ->> key)::bigint FROM human_action_change,
        unnest(ARRAY['detection_id', 'detection_a_id', 'detection_b_id']) AS key
      WHERE collection_id = $1 AND action_id = $2
        AND entity IN ('candidate', 'prohibition', 'constraint')
        AND coalesce(before, after) ? key
      UNION
      SELECT m.detection_id FROM human_action_change h
      JOIN face_match_candidate m ON m.collection_id = $1 AND m.id = h.row_id
      WHERE h.collection_id = $1 AND h.action_id = $2 AND h.entity = 'candidate'
      """, [.int64(collection.id), .int64(action)])
    {
      scope.detections.insert(try row.int64(0))
    }
    // A face leaves one cluster for another: both are concerned even if only their sums changed.
    for row in try connection.query(
      """
      SELECT DISTINCT (image ->> 'cluster_id')::bigint FROM human_action_change,
        unnest(ARRAY[before, after]) AS image
      WHERE collection_id = $1 AND action_id = $2 AND entity = 'detection'
        AND image ->> 'cluster_id' IS NOT NULL
      """, [.int64(collection.id), .int64(action)])
    {
      scope.clusters.insert(try row.int64(0))
    }
    return scope
  }

  /// What an action's undo would have to go back from, or to, and cannot, by kind and id: what is not as the
  /// action left it, where it is not as it was before either or a later action that stands made it so; what a
  /// later action that stands said again; what is retired or gone.
  ///
  /// Sums, centroids and what a fit says of a cluster do not count: they follow from the members. Nor does a
  /// face that programs alone moved: it stays where they put it.
  public func conflicts(
    of action: Int64, on connection: isolated PostgresConnection
  ) throws -> [UndoConflict] {
    try connection.query(
      """
      WITH own AS MATERIALIZED (
        SELECT * FROM human_action_change WHERE collection_id = $1 AND action_id = $2
      ), changed AS (
        SELECT h.entity, h.row_id, a.key, a.value AS after, h.before -> a.key AS before,
          h.before IS NULL AS made, h.before AS image_before, h.after AS image_after,
          CASE h.entity
            WHEN 'person' THEN (SELECT to_jsonb(t) FROM person t
              WHERE t.collection_id = $1 AND t.id = h.row_id)
            WHEN 'cluster' THEN (SELECT to_jsonb(t) FROM cluster t
              WHERE t.collection_id = $1 AND t.id = h.row_id)
            WHEN 'candidate' THEN (SELECT to_jsonb(t) FROM face_match_candidate t
              WHERE t.collection_id = $1 AND t.id = h.row_id)
            ELSE (SELECT to_jsonb(t) FROM person_detection t
              WHERE t.collection_id = $1 AND t.id = h.row_id)
          END AS now
        FROM own h, LATERAL jsonb_each(h.after) a
        WHERE a.key = ANY(CASE h.entity
            WHEN 'person' THEN ARRAY['name', 'hidden']
            WHEN 'cluster' THEN ARRAY['person_id', 'verified', 'hidden', 'anchored',
              'representative_detection_id', 'retired_at']
            WHEN 'candidate' THEN ARRAY['status']
            WHEN 'detection' THEN ARRAY['cluster_id'] END)
      ), conflict AS (
        SELECT entity, row_id, key, NULL::bigint AS later FROM changed c
        WHERE now IS NOT NULL AND CASE entity
          -- Who waits, waits, whatever a bootstrap calls it; a human's word is another matter.
          WHEN 'detection' THEN NOT \(Self.isLeftAlone("now", "image_before", "image_after"))
            AND \(Self.place("now")) IS DISTINCT FROM \(Self.place("image_after"))
          -- A question that a program closed.
          WHEN 'candidate' THEN now -> key IS DISTINCT FROM after
            AND NOT (now ->> key = 'expired' AND after #>> '{}' = 'pending')
          ELSE now -> key IS DISTINCT FROM after END
        AND (made OR CASE entity
          WHEN 'detection' THEN \(Self.place("now")) IS DISTINCT FROM \(Self.place("image_before"))
          ELSE now -> key IS DISTINCT FROM before END
        -- As it was before, but by another action since.
        OR EXISTS (SELECT FROM human_action_change l
          JOIN human_action a ON a.collection_id = $1 AND a.id = l.action_id
          WHERE l.collection_id = $1 AND l.entity = c.entity AND l.row_id = c.row_id
            AND l.action_id > $2 AND a.kind <> 'undo' AND a.undone_by IS NULL
            AND CASE c.entity
              WHEN 'detection' THEN \(Self.place("l.before")) IS DISTINCT FROM \(Self.place("l.after"))
              ELSE l.before -> c.key IS DISTINCT FROM l.after -> c.key END))
        UNION
        SELECT s.* FROM (\(Self.saidAgain)) s
        JOIN human_action a ON a.collection_id = $1 AND a.id = s.later
        WHERE a.kind <> 'undo' AND a.undone_by IS NULL
        UNION
        SELECT h.entity, h.row_id, 'retired_at', NULL FROM own h
        JOIN cluster t ON t.collection_id = $1 AND t.id = h.row_id
        WHERE h.entity = 'cluster'
          AND t.retired_at IS NOT NULL AND h.after ->> 'retired_at' IS NULL
          AND NOT coalesce((h.before ->> 'was_retired')::boolean, h.before ->> 'retired_at' IS NOT NULL)
        UNION
        SELECT 'cluster', t.id, 'retired_at', NULL FROM own h
        JOIN person_detection d ON d.collection_id = $1 AND d.id = h.row_id
        JOIN cluster t ON t.collection_id = $1 AND t.id = (h.before ->> 'cluster_id')::bigint
        WHERE h.entity = 'detection' AND t.retired_at IS NOT NULL
          AND NOT \(Self.isLeftAlone("to_jsonb(d)", "h.before", "h.after"))
          AND NOT EXISTS (SELECT FROM own o
            WHERE o.entity = 'cluster' AND o.row_id = t.id AND o.after ->> 'retired_at' IS NOT NULL)
        UNION
        SELECT w.entity, w.row_id, 'gone', NULL FROM (
          SELECT entity, row_id FROM own WHERE entity IN ('person', 'cluster') AND after IS NOT NULL
          UNION
          SELECT 'person', (before ->> 'person_id')::bigint FROM own
          WHERE entity = 'cluster' OR entity = 'prohibition' AND after IS NULL
          UNION
          SELECT 'cluster', (h.before ->> 'cluster_id')::bigint FROM own h
          JOIN person_detection d ON d.collection_id = $1 AND d.id = CASE h.entity
            WHEN 'detection' THEN h.row_id ELSE (h.before ->> 'detection_id')::bigint END
          WHERE h.entity = 'detection'
              AND NOT \(Self.isLeftAlone("to_jsonb(d)", "h.before", "h.after"))
            OR h.entity IN ('prohibition', 'candidate') AND h.after IS NULL
        ) w
        WHERE w.row_id IS NOT NULL
          AND NOT EXISTS (SELECT FROM own o
            WHERE o.entity = w.entity AND o.row_id = w.row_id AND o.after IS NULL)
          AND CASE w.entity
            WHEN 'person' THEN NOT EXISTS (SELECT FROM person t
              WHERE t.collection_id = $1 AND t.id = w.row_id)
            ELSE NOT EXISTS (SELECT FROM cluster t
              WHERE t.collection_id = $1 AND t.id = w.row_id) END
      )
      SELECT c.entity, c.row_id, c.key, coalesce(
        (SELECT format('by action %s (%s)', a.id, a.kind) FROM human_action a
         WHERE a.collection_id = $1 AND a.id = c.later),
        (SELECT format('by action %s (%s)', a.id, a.kind)
         FROM human_action_change h JOIN human_action a
           ON a.collection_id = $1 AND a.id = h.action_id
         WHERE h.collection_id = $1 AND h.entity = c.entity AND h.row_id = c.row_id
           AND h.before IS DISTINCT FROM h.after AND a.id > $2 ORDER BY a.id DESC LIMIT 1),
        (SELECT format('by run %s', max(l.to_run_id)) FROM cluster_lineage l
         WHERE c.entity = 'cluster' AND l.collection_id = $1 AND l.old_cluster_id = c.row_id
         HAVING max(l.to_run_id) IS NOT NULL),
        (SELECT CASE WHEN e.run_id IS NOT NULL
             THEN format('by %s, run %s', replace(e.tier, '_', ' '), e.run_id)
             ELSE format('by %s', e.tier) END
         FROM assignment_event e WHERE c.entity = 'detection' AND e.collection_id = $1
           AND e.detection_id = c.row_id ORDER BY e.id DESC LIMIT 1),
        'since') AS cause
      FROM conflict c ORDER BY c.entity, c.row_id, c.key
      """, [.int64(collection.id), .int64(action)]
    ).map {
      UndoConflict(
        entity: try $0.text(0), rowID: try $0.int64(1), key: try $0.text(2), cause: try $0.text(3))
    }
  }

  /// What later actions said though it was so by this one already, and what they forbade that this one had
  /// allowed: taking this one back must not take their word back.
  private static let saidAgain = """
    SELECT CASE WHEN o.entity IN ('prohibition', 'constraint') THEN 'detection' ELSE o.entity END,
      CASE o.entity WHEN 'prohibition' THEN (o.after ->> 'detection_id')::bigint
        WHEN 'constraint' THEN (o.after ->> 'detection_a_id')::bigint ELSE o.row_id END,
      CASE WHEN o.entity IN ('prohibition', 'constraint') THEN 'forbidden_again' ELSE 'said' END,
      l.action_id AS later
    FROM own o JOIN human_action_change l ON l.collection_id = $1 AND l.entity = o.entity
      AND l.row_id = o.row_id AND l.action_id > $2
    WHERE l.said IS NOT NULL AND l.before IS NOT NULL AND l.after IS NOT NULL
      AND CASE o.entity
        WHEN 'detection' THEN \(place("l.before")) IS NOT DISTINCT FROM \(place("l.after"))
          AND \(place("o.before")) IS DISTINCT FROM \(place("o.after"))
        WHEN 'prohibition' THEN o.before IS NULL
        WHEN 'constraint' THEN o.before -> 'kind' IS DISTINCT FROM o.after -> 'kind'
          AND l.before -> 'kind' IS NOT DISTINCT FROM l.after -> 'kind'
        ELSE l.before -> l.said IS NOT DISTINCT FROM l.after -> l.said
          AND (o.before IS NULL OR o.before -> l.said IS DISTINCT FROM o.after -> l.said) END
    UNION
    SELECT 'detection', p.detection_id, 'forbidden_again', l.action_id
    FROM own o JOIN cluster_person_cannot_link p ON p.collection_id = $1
      AND p.detection_id = (o.before ->> 'detection_id')::bigint AND p.id <> o.row_id
      AND (p.cluster_id, p.person_id) IS NOT DISTINCT FROM
        ((o.before ->> 'cluster_id')::bigint, (o.before ->> 'person_id')::bigint)
    JOIN human_action_change l ON l.collection_id = $1 AND l.entity = o.entity AND l.row_id = p.id
      AND l.action_id > $2
    WHERE o.entity = 'prohibition' AND o.after IS NULL
    """

  /// Where a face is, and whether by a human's word.
  static func place(_ image: String) -> String {
    "(\(image) ->> 'cluster_id', \(isByHand(image)))"
  }

  private static func isByHand(_ image: String) -> String {
    "(\(image) ->> 'cluster_status' IS NOT DISTINCT FROM 'manual')"
  }

  /// Whether programs moved a face since, and it is nowhere by a human's word: it stays where it is.
  static func isLeftAlone(_ now: String, _ before: String, _ after: String) -> String {
    """
    (\(place(now)) IS DISTINCT FROM \(place(after))
      AND NOT (\(isByHand(now)) OR \(isByHand(before)) OR \(isByHand(after))))
    """
  }

  /// The clusters that an action made, or brought back, and that hold faces which it did not put there.
  public func outgrown(
    by action: Int64, on connection: isolated PostgresConnection
  ) throws -> [(clusterID: Int64, faces: Int)] {
    try connection.query(
      """
      SELECT h.row_id, count(*) FROM human_action_change h
      JOIN person_detection d ON d.collection_id = $1 AND d.cluster_id = h.row_id
      WHERE h.collection_id = $1 AND h.action_id = $2 AND h.entity = 'cluster'
        AND (h.before IS NULL OR h.before ->> 'retired_at' IS NOT NULL)
        AND NOT EXISTS (SELECT FROM human_action_change f
          WHERE f.collection_id = $1 AND f.action_id = $2 AND f.entity = 'detection'
            AND f.row_id = d.id AND (f.after ->> 'cluster_id')::bigint = h.row_id)
      GROUP BY 1 ORDER BY 1
      """, [.int64(collection.id), .int64(action)]
    ).map { (try $0.int64(0), Int(try $0.int64(1))) }
  }

  /// What would be wrong after an action was taken back, because of what people said since or because
  /// a run retired the cluster that a question is about.
  public func problems(
    after action: Int64, on connection: isolated PostgresConnection
  ) throws -> [UndoConflict] {
    try connection.query(
      """
      SELECT 'detection', d.id, 'forbidden', 'since'
      FROM human_action_change h
      JOIN person_detection d ON d.collection_id = $1 AND d.id = h.row_id
      JOIN cluster_person_cannot_link l ON l.collection_id = $1 AND l.detection_id = d.id
        AND (l.cluster_id = d.cluster_id OR l.person_id = d.person_id)
      WHERE h.collection_id = $1 AND h.action_id = $2 AND h.entity = 'detection'
      UNION
      SELECT 'cluster', c.id, 'retired_at', coalesce((SELECT format('by run %s', max(l.to_run_id))
        FROM cluster_lineage l WHERE l.collection_id = $1 AND l.old_cluster_id = c.id
        HAVING max(l.to_run_id) IS NOT NULL), 'since')
      FROM human_action_change h
      JOIN face_match_candidate m ON m.collection_id = $1 AND m.id = h.row_id
        AND m.status = 'pending'
      JOIN cluster c ON c.collection_id = $1 AND c.id = m.cluster_id AND c.retired_at IS NOT NULL
      WHERE h.collection_id = $1 AND h.action_id = $2 AND h.entity = 'candidate'
      ORDER BY 1, 2
      """, [.int64(collection.id), .int64(action)]
    ).map {
      UndoConflict(
        entity: try $0.text(0), rowID: try $0.int64(1), key: try $0.text(2), cause: try $0.text(3))
    }
  }

  /// Clusters of an action whose count is not that of their members.
  public func miscounted(
    _ clusters: some Sequence<Int64>, on connection: isolated PostgresConnection
  ) throws -> [Int64] {
    try connection.query(
      """
      SELECT c.id FROM cluster c
      WHERE c.collection_id = $1 AND c.id = ANY($2) AND (c.face_count, c.core_count) <>
        (SELECT count(*), count(*) FILTER (WHERE d.is_core) FROM person_detection d
          WHERE d.collection_id = $1 AND d.cluster_id = c.id)
      ORDER BY c.id
      """, [.int64(collection.id), .int64Array(clusters.sorted())]
    ).map { try $0.int64(0) }
  }
}
