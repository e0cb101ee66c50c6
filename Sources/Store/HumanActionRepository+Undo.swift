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

  /// Faces that taking an action back put where people said since that they do not belong.
  public func problems(
    after action: Int64, on connection: isolated PostgresConnection
  ) throws -> [UndoConflict] {
    try connection.query(
      """
      SELECT DISTINCT 'detection', d.id, 'forbidden', 'since'
      FROM human_action_change h
      JOIN person_detection d ON d.collection_id = $1 AND d.id = h.row_id
      JOIN cluster_person_cannot_link l ON l.collection_id = $1 AND l.detection_id = d.id
        AND (l.cluster_id = d.cluster_id OR l.person_id = d.person_id)
      WHERE h.collection_id = $1 AND h.action_id = $2 AND h.entity = 'detection'
        AND \(Self.place("h.before")) IS DISTINCT FROM \(Self.place("h.after"))
        AND \(Self.place("h.before")) IS NOT DISTINCT FROM \(Self.place("to_jsonb(d)"))
      ORDER BY 2
      """, [.int64(collection.id), .int64(action)]
    ).map {
      UndoConflict(
        entity: try $0.text(0), rowID: try $0.int64(1), key: try $0.text(2), cause: try $0.text(3))
    }
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
