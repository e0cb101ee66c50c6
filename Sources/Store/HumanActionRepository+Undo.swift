public import PostgresClient

extension HumanActionRepository {
  /// Everything that an action changed, and what it said.
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
    // A face leaves one cluster for another: both are concerned even if only their sums changed, and so is
    // the one that programs put it into since.
    for row in try connection.query(
      """
      SELECT DISTINCT (image ->> 'cluster_id')::bigint FROM human_action_change,
        unnest(ARRAY[before, after]) AS image
      WHERE collection_id = $1 AND action_id = $2 AND entity = 'detection'
        AND image ->> 'cluster_id' IS NOT NULL
      UNION
      SELECT d.cluster_id FROM human_action_change h
      JOIN person_detection d ON d.collection_id = $1 AND d.id = h.row_id
      WHERE h.collection_id = $1 AND h.action_id = $2 AND h.entity = 'detection'
        AND d.cluster_id IS NOT NULL
      """, [.int64(collection.id), .int64(action)])
    {
      scope.clusters.insert(try row.int64(0))
    }
    for row in try connection.query(
      """
      SELECT entity, said, row_id FROM human_action_change
      WHERE collection_id = $1 AND action_id = $2 AND said IS NOT NULL ORDER BY entity, row_id
      """, [.int64(collection.id), .int64(action)])
    {
      guard let entity = LoggedEntity(rawValue: try row.text(0)) else { continue }
      scope.say(try row.text(1), of: entity, [try row.int64(2)])
    }
    return scope
  }

  /// Where a face is, and whether by a human's word.
  static func place(_ image: String) -> String {
    "(\(image) ->> 'cluster_id', \(isByHand(image)))"
  }

  static func isByHand(_ image: String) -> String {
    "(\(image) ->> 'cluster_status' IS NOT DISTINCT FROM 'manual')"
  }

  /// Whether a face is elsewhere since, and stays there: programs moved it, and it is nowhere by a human's
  /// word; or the action $2 had left it where it was.
  ///
  /// Nobody stays in a cluster that goes with the action.
  static func isLeftAlone(_ now: String, _ before: String, _ after: String) -> String {
    """
    (\(place(now)) IS DISTINCT FROM \(place(after))
      AND (\(place(before)) IS NOT DISTINCT FROM \(place(after))
        OR NOT (\(isByHand(now)) OR \(isByHand(before)) OR \(isByHand(after))))
      AND NOT EXISTS (SELECT FROM human_action_change made
        WHERE made.collection_id = $1 AND made.action_id = $2 AND made.entity = 'cluster'
          AND made.row_id = (\(now) ->> 'cluster_id')::bigint AND \(isMade("made"))))
    """
  }

  /// Whether an action made a cluster or brought it back, by its row of the log.
  private static func isMade(_ change: String) -> String {
    "(\(change).before IS NULL OR \(change).before ->> 'retired_at' IS NOT NULL)"
  }

  /// Faces `d` in clusters that the action $2 made or brought back, with what it did to them.
  private static let inMadeClusters = """
    FROM human_action_change h
    JOIN person_detection d ON d.collection_id = $1 AND d.cluster_id = h.row_id
    LEFT JOIN human_action_change own ON own.collection_id = $1 AND own.action_id = $2
      AND own.entity = 'detection' AND own.row_id = d.id
    WHERE h.collection_id = $1 AND h.action_id = $2 AND h.entity = 'cluster' AND \(isMade("h"))
    """

  /// Faces that people put, since, into clusters that an action made or brought back.
  public func joinedByHand(
    since action: Int64, on connection: isolated PostgresConnection
  ) throws -> [UndoConflict] {
    try connection.query(
      """
      SELECT 'detection', d.id, 'cluster_id', coalesce(
        (SELECT format('by action %s (%s)', a.id, a.kind)
         FROM human_action_change l JOIN human_action a
           ON a.collection_id = $1 AND a.id = l.action_id
         WHERE l.collection_id = $1 AND l.entity = 'detection' AND l.row_id = d.id
           AND l.action_id <> $2 AND \(Self.place("l.after")) = \(Self.place("to_jsonb(d)"))
         ORDER BY a.kind <> 'undo' AND a.undone_by IS NULL DESC, a.id DESC LIMIT 1), 'since')
      \(Self.inMadeClusters) AND \(Self.isByHand("to_jsonb(d)"))
        AND own.after ->> 'cluster_id' IS DISTINCT FROM d.cluster_id::text
      ORDER BY d.id
      """, [.int64(collection.id), .int64(action)]
    ).map {
      UndoConflict(
        entity: try $0.text(0), rowID: try $0.int64(1), key: try $0.text(2), cause: try $0.text(3))
    }
  }

  /// Faces that programs put, since, into clusters that an action made or brought back, by id; those that
  /// the action moved itself are not among them.
  public func arrivals(
    since action: Int64, on connection: isolated PostgresConnection
  ) throws -> [Int64] {
    try connection.query(
      """
      SELECT d.id \(Self.inMadeClusters) AND NOT \(Self.isByHand("to_jsonb(d)"))
        AND own.row_id IS NULL
      ORDER BY d.id
      """, [.int64(collection.id), .int64(action)]
    ).map { try $0.int64(0) }
  }

  /// Makes faces new again whose clusters go with the action that is taken back; manual faces stay.
  ///
  /// What becomes of the clusters is the caller's.
  ///
  /// - Parameter undo: the action that takes it back, for the events.
  public func free(
    _ ids: [Int64], by undo: Int64, actor: String?, on connection: isolated PostgresConnection
  ) throws {
    if ids.isEmpty { return }
    try connection.query(
      """
      WITH old AS MATERIALIZED (
        SELECT collection_id, id, cluster_id, cluster_status FROM person_detection
        WHERE collection_id = $1 AND id = ANY($2) AND cluster_status = ANY($5)
      ), moved AS (
        UPDATE person_detection d SET cluster_status = NULL, cluster_id = NULL, person_id = NULL,
          cluster_confidence = NULL, is_core = false, is_adopted = false, lambda_val = NULL,
          outlier_score = NULL, assigned_tier = NULL, assigned_run_id = NULL, pool_seed = false
        FROM old WHERE d.collection_id = old.collection_id AND d.id = old.id
      )
      INSERT INTO assignment_event (collection_id, detection_id, old_cluster_id, old_status, tier,
        actor, action_id)
      SELECT $1, id, cluster_id, cluster_status, 'undo', $4, $3 FROM old ORDER BY id
      """,
      [
        .int64(collection.id), .int64Array(ids), .int64(undo), .optional(actor),
        .textArray(DetectionStatus.openToAlgorithms.map(\.rawValue).sorted()),
      ])
  }

  /// Faces that taking an action back put where people said since that they do not belong, and faces that
  /// people put since where they do not belong by what it forbids again.
  ///
  /// A forbidden cluster stands for its person; who is with another of theirs by a program is set aside.
  public func problems(
    after action: Int64, on connection: isolated PostgresConnection
  ) throws -> [UndoConflict] {
    try connection.query(
      """
      SELECT DISTINCT ON (d.id) 'detection', d.id, 'forbidden', coalesce(
        (SELECT format('by action %s (%s)', a.id, a.kind)
         FROM human_action_change p JOIN human_action a
           ON a.collection_id = $1 AND a.id = p.action_id
         WHERE p.collection_id = $1 AND p.entity = 'prohibition' AND p.row_id = l.id
           AND p.after IS NOT NULL ORDER BY a.id DESC LIMIT 1), 'since')
      FROM human_action_change h
      JOIN person_detection d ON d.collection_id = $1 AND d.id = CASE h.entity
        WHEN 'detection' THEN h.row_id ELSE (h.before ->> 'detection_id')::bigint END
      JOIN cluster_person_cannot_link l ON l.collection_id = $1 AND l.detection_id = d.id
      LEFT JOIN cluster c ON c.collection_id = $1 AND c.id = l.cluster_id
      WHERE h.collection_id = $1 AND h.action_id = $2
        AND (l.cluster_id = d.cluster_id OR l.person_id = d.person_id
          OR c.person_id = d.person_id AND \(Self.isByHand("to_jsonb(d)")))
        AND CASE h.entity
          WHEN 'detection' THEN \(Self.place("h.before")) IS DISTINCT FROM \(Self.place("h.after"))
            AND \(Self.place("h.before")) IS NOT DISTINCT FROM \(Self.place("to_jsonb(d)"))
          WHEN 'prohibition' THEN h.after IS NULL AND l.id = h.row_id
            AND \(Self.isByHand("to_jsonb(d)")) END
      ORDER BY d.id, l.id DESC
      """, [.int64(collection.id), .int64(action)]
    ).map {
      UndoConflict(
        entity: try $0.text(0), rowID: try $0.int64(1), key: try $0.text(2), cause: try $0.text(3))
    }
  }

  /// Faces that cannot stay where they are because an undo brought them, or another face of their photo,
  /// to the same person, by id.
  ///
  /// Of the two whom programs put there since the action goes, else whom the undo brought; nobody whom
  /// people put where they are, and nobody out of a verified or split cluster. Who was together before, or when
  /// the action was taken, stays together.
  ///
  /// - Parameter undo: the action that takes it back, not finished yet.
  public func crowded(
    by undo: Int64, since action: Int64, on connection: isolated PostgresConnection
  ) throws -> [Int64] {
    // An undo brings nobody who was not there before; nor did those come who were with that person when the action
    // was taken, wherever they were meanwhile.
    func arrived(_ face: String) -> String {
      let since = """
        e.collection_id = \(face).collection_id AND e.detection_id = \(face).id
          AND e.occurred_at >= (SELECT occurred_at FROM human_action
            WHERE collection_id = $1 AND id = $3)
        """
      return """
        (EXISTS (SELECT FROM assignment_event e WHERE \(since) AND e.tier <> 'undo'
            AND e.new_cluster_id IS NOT NULL AND e.new_cluster_id IS DISTINCT FROM e.old_cluster_id)
          AND \(face).person_id IS DISTINCT FROM (SELECT c.person_id
            FROM (SELECT e.old_cluster_id FROM assignment_event e WHERE \(since)
              ORDER BY e.id LIMIT 1) e
            JOIN cluster c ON c.collection_id = \(face).collection_id AND c.id = e.old_cluster_id))
        """
    }
    func isFree(_ face: String) -> String {
      """
      (\(face).cluster_status <> 'manual' AND NOT EXISTS (SELECT FROM cluster c
        WHERE c.collection_id = \(face).collection_id AND c.id = \(face).cluster_id
          AND (c.verified OR c.anchored)))
      """
    }
    // By the collection that the faces name, not the parameter: the planner need know nothing of it then.
    func change(_ name: String, _ entity: String) -> String {
      """
      human_action_change \(name) ON \(name).collection_id = d.collection_id
          AND \(name).action_id = $2 AND \(name).entity = '\(entity)'
      """
    }
    return try connection.query(
      """
      WITH mine AS MATERIALIZED (
        SELECT collection_id, entity, row_id FROM human_action_change
        WHERE collection_id = $1 AND action_id = $2 AND entity IN ('detection', 'cluster')
      ), scope AS MATERIALIZED (
        SELECT d.collection_id, d.id, d.photo_id, d.person_id, d.cluster_id, d.cluster_status,
          coalesce((hc.before ->> 'person_id')::bigint, c.person_id) AS was
        FROM (SELECT collection_id, row_id AS id FROM mine WHERE entity = 'detection'
          UNION SELECT m.collection_id, m.id FROM mine h JOIN person_detection m
            ON m.collection_id = h.collection_id AND m.cluster_id = h.row_id
          WHERE h.entity = 'cluster') concerned
        JOIN person_detection d
          ON d.collection_id = concerned.collection_id AND d.id = concerned.id
        LEFT JOIN \(change("hd", "detection")) AND hd.row_id = d.id
        CROSS JOIN LATERAL (SELECT CASE WHEN hd.row_id IS NULL THEN d.cluster_id
          ELSE (hd.before ->> 'cluster_id')::bigint END AS id) old
        LEFT JOIN \(change("hc", "cluster")) AND hc.row_id = old.id
        LEFT JOIN cluster c ON c.collection_id = d.collection_id AND c.id = old.id
        WHERE d.person_id IS NOT NULL AND d.photo_id IS NOT NULL
      ), pair AS MATERIALIZED (
        SELECT s.id, o.id AS other, \(isFree("s")) AS is_free, \(isFree("o")) AS other_is_free,
          \(arrived("s")) AS arrived, \(arrived("o")) AS other_arrived
        FROM scope s
        JOIN person_detection o ON o.collection_id = s.collection_id AND o.photo_id = s.photo_id
          AND o.person_id = s.person_id AND o.id <> s.id
        LEFT JOIN scope t ON t.id = o.id
        WHERE s.was IS DISTINCT FROM s.person_id AND (s.was IS NULL
          OR s.was IS DISTINCT FROM CASE WHEN t.id IS NULL THEN o.person_id ELSE t.was END)
      ), chosen AS (
        SELECT CASE
          WHEN other_is_free AND other_arrived AND NOT (is_free AND arrived AND id > other) THEN other
          WHEN is_free THEN id END AS id
        FROM pair WHERE arrived OR other_arrived
      )
      SELECT DISTINCT id FROM chosen WHERE id IS NOT NULL ORDER BY id
      """, [.int64(collection.id), .int64(undo), .int64(action)]
    ).map { try $0.int64(0) }
  }

  /// Retired clusters that an action's questions are about.
  public func retiredWithQuestions(
    of action: Int64, on connection: isolated PostgresConnection
  ) throws -> [Int64] {
    try connection.query(
      """
      SELECT DISTINCT c.id FROM human_action_change h
      JOIN face_match_candidate m ON m.collection_id = $1 AND m.id = h.row_id
        AND m.status = 'pending'
      JOIN cluster c ON c.collection_id = $1 AND c.id = m.cluster_id AND c.retired_at IS NOT NULL
      WHERE h.collection_id = $1 AND h.action_id = $2 AND h.entity = 'candidate'
      ORDER BY 1
      """, [.int64(collection.id), .int64(action)]
    ).map { try $0.int64(0) }
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
