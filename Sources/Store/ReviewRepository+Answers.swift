public import PostgresClient

/// A question as people see one.
public struct CandidateRecord: Sendable, Equatable {
  /// Id within the collection.
  public var id: Int64
  /// Face that is asked about.
  public var detectionID: Int64
  /// Its external id.
  public var externalID: String
  /// Cluster that it may belong to.
  public var clusterID: Int64
  /// Person of that cluster.
  public var personID: Int64
  /// Name of that person, where it has one.
  public var personName: String?
  /// Cosine similarity of face and centroid.
  public var similarity: Float
  /// pending, accepted, rejected or expired.
  public var status: String
  /// ambiguous, same_photo, verified, bootstrap_conflict or association.
  public var reason: String
  /// Who answered.
  public var decidedBy: String?
}

extension ReviewRepository {
  private static let columns = """
    m.id, m.detection_id, d.external_id, m.cluster_id, c.person_id, p.name, m.similarity, m.status,
    m.reason, m.decided_by
    """
  private static let source = """
    face_match_candidate m
    JOIN person_detection d ON d.collection_id = m.collection_id AND d.id = m.detection_id
    JOIN cluster c ON c.collection_id = m.collection_id AND c.id = m.cluster_id
    JOIN person p ON p.collection_id = m.collection_id AND p.id = c.person_id
    """

  /// Open questions, most similar first; of several about one face and one person, the best.
  public func open(
    limit: Int, on connection: isolated PostgresConnection
  ) throws -> [CandidateRecord] {
    try connection.query(
      """
      SELECT * FROM (
        SELECT DISTINCT ON (m.detection_id, c.person_id) \(Self.columns) FROM \(Self.source)
        WHERE m.collection_id = $1 AND m.status = 'pending'
        ORDER BY m.detection_id, c.person_id, m.similarity DESC, m.id
      ) best ORDER BY similarity DESC, id LIMIT $2
      """, [.int64(collection.id), .int64(Int64(limit))]
    ).map(Self.record)
  }

  /// One question.
  ///
  /// - Throws: ``StoreError/unknownCandidate(_:collection:)``.
  public func find(
    _ id: Int64, on connection: isolated PostgresConnection
  ) throws -> CandidateRecord {
    guard
      let row = try connection.query(
        "SELECT \(Self.columns) FROM \(Self.source) WHERE m.collection_id = $1 AND m.id = $2",
        [.int64(collection.id), .int64(id)]
      ).first
    else { throw StoreError.unknownCandidate(id, collection: collection.name) }
    return try Self.record(row)
  }

  /// Answers the open questions about a face and clusters.
  public func answer(
    detectionID: Int64, clusters: [Int64], accepted: Bool, actor: String?,
    on connection: isolated PostgresConnection
  ) throws {
    try connection.query(
      """
      UPDATE face_match_candidate SET status = $4, decided_at = now(), decided_by = $5
      WHERE collection_id = $1 AND detection_id = $2 AND cluster_id = ANY($3)
        AND status = 'pending'
      """,
      [
        .int64(collection.id), .int64(detectionID), .int64Array(clusters),
        .text(accepted ? "accepted" : "rejected"), .optional(actor),
      ])
  }

  /// Which of these faces wait although no question about them is open.
  public func waitingWithoutQuestion(
    _ ids: [Int64], on connection: isolated PostgresConnection
  ) throws -> [Int64] {
    try connection.query(
      """
      SELECT d.id FROM person_detection d
      WHERE d.collection_id = $1 AND d.id = ANY($2) AND d.cluster_status = 'pending'
        AND NOT EXISTS (SELECT FROM face_match_candidate m WHERE m.collection_id = $1
          AND m.detection_id = d.id AND m.status = 'pending')
      ORDER BY d.id
      """, [.int64(collection.id), .int64Array(ids)]
    ).map { try $0.int64(0) }
  }

  /// Locks waiting faces with an open question whose cause is gone; faces that others hold are skipped.
  ///
  /// - Returns: their ids, ascending.
  public func lockWaitingWithoutCause(
    on connection: isolated PostgresConnection
  ) throws -> [Int64] {
    try connection.query(
      """
      SELECT d.id FROM person_detection d
      WHERE d.collection_id = $1 AND d.is_pending AND EXISTS (
        SELECT FROM face_match_candidate m
        JOIN cluster c ON c.collection_id = $1 AND c.id = m.cluster_id
        WHERE m.collection_id = $1 AND m.detection_id = d.id AND m.status = 'pending'
          AND (m.reason = 'verified' AND NOT c.verified
            OR m.reason = 'same_photo' AND NOT EXISTS (SELECT FROM person_detection o
              WHERE o.collection_id = $1 AND o.photo_id = d.photo_id AND o.id <> d.id
                AND o.person_id = c.person_id)))
      ORDER BY d.id FOR UPDATE OF d SKIP LOCKED
      """, [.int64(collection.id)]
    ).map { try $0.int64(0) }
  }

  /// Waiting faces about which it is open to which of several of these persons they belong, or whether to one
  /// while another is forbidden for them, by id.
  public func waiting(
    betweenPersons persons: [Int64], on connection: isolated PostgresConnection
  ) throws -> [Int64] {
    try connection.query(
      """
      SELECT m.detection_id FROM face_match_candidate m
      JOIN person_detection d ON d.collection_id = $1 AND d.id = m.detection_id
        AND d.cluster_status = 'pending'
      JOIN cluster c ON c.collection_id = $1 AND c.id = m.cluster_id
      WHERE m.collection_id = $1 AND m.status = 'pending' AND c.person_id = ANY($2)
        AND \(Self.isForbidden("ANY($2)"))
      UNION
      SELECT d.id FROM face_match_candidate m
      JOIN person_detection d ON d.collection_id = $1 AND d.id = m.detection_id
        AND d.cluster_status = 'pending'
      JOIN cluster c ON c.collection_id = $1 AND c.id = m.cluster_id
      WHERE m.collection_id = $1 AND m.status = 'pending' AND c.person_id = ANY($2)
      GROUP BY d.id HAVING count(DISTINCT c.person_id) > 1 ORDER BY 1
      """, [.int64(collection.id), .int64Array(persons)]
    ).map { try $0.int64(0) }
  }

  /// Faces about which it is open whether they are in one of these clusters, and that are in another of them or
  /// were said not to be of one of their persons, by id.
  public func asking(
    within clusters: [Int64], on connection: isolated PostgresConnection
  ) throws -> [Int64] {
    let persons = "ANY(SELECT person_id FROM cluster WHERE collection_id = $1 AND id = ANY($2))"
    return try connection.query(
      """
      SELECT DISTINCT d.id FROM face_match_candidate m
      JOIN person_detection d ON d.collection_id = $1 AND d.id = m.detection_id
      WHERE m.collection_id = $1 AND m.cluster_id = ANY($2) AND m.status = 'pending'
        AND (d.cluster_id = ANY($2) OR d.cluster_status IS DISTINCT FROM 'pending'
          AND \(Self.isForbidden(persons)))
      ORDER BY 1
      """, [.int64(collection.id), .int64Array(clusters)]
    ).map { try $0.int64(0) }
  }

  /// Closes the open questions about clusters that are answered by where their faces are, or by what people said.
  public func closeMoot(
    about clusters: [Int64], on connection: isolated PostgresConnection
  ) throws {
    try closeMoot("m.cluster_id", clusters, on: connection)
  }

  /// Closes the open questions about faces that are answered by where the faces are, or by what people said.
  public func closeMoot(
    ofDetections ids: [Int64], on connection: isolated PostgresConnection
  ) throws {
    try closeMoot("m.detection_id", ids, on: connection)
  }

  private func closeMoot(
    _ column: String, _ ids: [Int64], on connection: isolated PostgresConnection
  ) throws {
    try connection.query(
      """
      UPDATE face_match_candidate m SET status = 'expired', decided_at = now()
      FROM person_detection d, cluster c
      WHERE m.collection_id = $1 AND \(column) = ANY($2) AND m.status = 'pending'
        AND d.collection_id = $1 AND d.id = m.detection_id
        AND c.collection_id = $1 AND c.id = m.cluster_id
        AND d.cluster_status IS DISTINCT FROM 'pending'
        AND (\(Self.isForbidden("c.person_id"))
          OR (m.reason NOT IN ('association', 'bootstrap_conflict')
              OR c.person_id = d.person_id IS NOT FALSE)
            AND NOT (m.reason IN ('same_photo', 'verified') AND d.cluster_status = 'auto'
              AND c.person_id <> d.person_id))
      """, [.int64(collection.id), .int64Array(ids)])
  }

  /// Records for many faces that they are not of these clusters and not of their persons.
  ///
  /// - Returns: ids of the rows that say so, whoever said it first.
  @discardableResult
  public func forbid(
    _ pairs: [(detectionID: Int64, clusterID: Int64?, personID: Int64?)], actor: String?,
    on connection: isolated PostgresConnection
  ) throws -> [Int64] {
    if pairs.isEmpty { return [] }
    let parameters: [PostgresValue] = [
      .int64(collection.id), .int64Array(pairs.map(\.detectionID)),
      .optionalInt64Array(pairs.map(\.clusterID)), .optionalInt64Array(pairs.map(\.personID)),
    ]
    try connection.query(
      """
      INSERT INTO cluster_person_cannot_link (collection_id, detection_id, cluster_id, person_id,
        created_by)
      SELECT $1, *, $5 FROM unnest($2::bigint[], $3::bigint[], $4::bigint[]) ON CONFLICT DO NOTHING
      """, parameters + [.optional(actor)])
    return try connection.query(
      """
      SELECT l.id FROM unnest($2::bigint[], $3::bigint[], $4::bigint[]) AS p (face, cluster, person)
      JOIN cluster_person_cannot_link l ON l.collection_id = $1 AND l.detection_id = p.face
        AND coalesce(l.cluster_id, 0) = coalesce(p.cluster, 0)
        AND coalesce(l.person_id, 0) = coalesce(p.person, 0)
      """, parameters
    ).map { try $0.int64(0) }
  }

  /// What is forbidden for some persons is forbidden for another one, too.
  ///
  /// - Returns: ids of the rows that say so of any of them, whoever said it first.
  @discardableResult
  public func inheritProhibitions(
    ofPersons persons: [Int64], for heir: Int64, actor: String?,
    on connection: isolated PostgresConnection
  ) throws -> [Int64] {
    try connection.query(
      """
      INSERT INTO cluster_person_cannot_link (collection_id, detection_id, person_id, created_by)
      SELECT DISTINCT $1, detection_id, $3, $4 FROM cluster_person_cannot_link
      WHERE collection_id = $1 AND person_id = ANY($2) ON CONFLICT DO NOTHING
      """,
      [.int64(collection.id), .int64Array(persons), .int64(heir), .optional(actor)])
    return try connection.query(
      """
      SELECT l.id FROM cluster_person_cannot_link l
      WHERE l.collection_id = $1 AND (l.person_id = ANY($2)
        OR l.person_id = $3 AND l.cluster_id IS NULL
          AND l.detection_id IN (SELECT detection_id FROM cluster_person_cannot_link
            WHERE collection_id = $1 AND person_id = ANY($2)))
      """, [.int64(collection.id), .int64Array(persons), .int64(heir)]
    ).map { try $0.int64(0) }
  }

  /// What is forbidden for faces `l.detection_id`: a cluster, a person or both, rejected questions among it.
  private static let forbidden = """
    (SELECT detection_id, cluster_id, person_id FROM cluster_person_cannot_link
      WHERE collection_id = $1
      UNION ALL SELECT detection_id, cluster_id, NULL FROM face_match_candidate
      WHERE collection_id = $1 AND status = 'rejected') l
    """

  /// Whether people said that the face of a question `m` is not of its cluster or not of these persons, as SQL.
  private static func isForbidden(_ persons: String) -> String {
    """
    EXISTS (SELECT FROM \(forbidden)
      LEFT JOIN cluster f ON f.collection_id = $1 AND f.id = l.cluster_id
      WHERE l.detection_id = m.detection_id AND (l.cluster_id = m.cluster_id
        OR l.person_id = \(persons) OR f.person_id = \(persons)))
    """
  }

  /// Faces in these clusters for which another of the persons, or a cluster that is one of theirs by now, is
  /// forbidden, by id.
  public func contradictions(
    inClusters clusters: [Int64], persons: [Int64], on connection: isolated PostgresConnection
  ) throws -> [Int64] {
    try connection.query(
      """
      SELECT DISTINCT d.id FROM \(Self.forbidden)
      JOIN person_detection d ON d.collection_id = $1 AND d.id = l.detection_id
      LEFT JOIN cluster c ON c.collection_id = $1 AND c.id = l.cluster_id
      WHERE d.cluster_id = ANY($2) AND (l.person_id = ANY($3) AND l.person_id <> d.person_id
        OR c.person_id = ANY($3) AND c.person_id <> d.person_id)
      ORDER BY 1
      """, [.int64(collection.id), .int64Array(clusters), .int64Array(persons)]
    ).map { try $0.int64(0) }
  }

  /// Faces that programs put where people said that they do not belong, among some faces and all of some
  /// persons, by id; of two faces that are different people, the one that people placed stays, or the first.
  public func misplaced(
    _ faces: [Int64], ofPersons persons: [Int64], on connection: isolated PostgresConnection
  ) throws -> [Int64] {
    try connection.query(
      """
      SELECT d.id FROM \(Self.forbidden)
      JOIN person_detection d ON d.collection_id = $1 AND d.id = l.detection_id
      LEFT JOIN cluster c ON c.collection_id = $1 AND c.id = l.cluster_id
      WHERE d.cluster_status <> 'manual' AND d.person_id IN (l.person_id, c.person_id)
        AND (d.id = ANY($2) OR d.person_id = ANY($3))
      UNION
      SELECT d.id FROM detection_constraint l
      CROSS JOIN LATERAL (VALUES (l.detection_a_id, l.detection_b_id),
        (l.detection_b_id, l.detection_a_id)) AS pair (own, other)
      JOIN person_detection d ON d.collection_id = $1 AND d.id = pair.own
      JOIN person_detection o ON o.collection_id = $1 AND o.id = pair.other
      WHERE l.collection_id = $1 AND l.kind = 'cannot_link' AND d.cluster_status <> 'manual'
        AND d.person_id = o.person_id AND (o.cluster_status = 'manual' OR o.id < d.id)
        AND (d.id = ANY($2) OR d.person_id = ANY($3))
      ORDER BY 1
      """, [.int64(collection.id), .int64Array(faces), .int64Array(persons)]
    ).map { try $0.int64(0) }
  }

  /// Pairs of faces that people said are different and that are of different persons, both among the
  /// members of clusters.
  public func differentFaces(
    inClusters clusters: [Int64], on connection: isolated PostgresConnection
  ) throws -> [(a: Int64, b: Int64)] {
    try connection.query(
      """
      SELECT l.detection_a_id, l.detection_b_id FROM detection_constraint l
      JOIN person_detection a ON a.collection_id = $1 AND a.id = l.detection_a_id
      JOIN person_detection b ON b.collection_id = $1 AND b.id = l.detection_b_id
      WHERE l.collection_id = $1 AND l.kind = 'cannot_link' AND a.cluster_id = ANY($2)
        AND b.cluster_id = ANY($2) AND a.person_id <> b.person_id
      ORDER BY 1, 2
      """, [.int64(collection.id), .int64Array(clusters)]
    ).map { (try $0.int64(0), try $0.int64(1)) }
  }

  /// Takes back that faces are different from others.
  public func forgetPairs(
    _ pairs: [(a: Int64, b: Int64)], on connection: isolated PostgresConnection
  ) throws {
    try connection.query(
      """
      DELETE FROM detection_constraint WHERE collection_id = $1 AND kind = 'cannot_link'
        AND (detection_a_id, detection_b_id)
          IN (SELECT least(a, b), greatest(a, b) FROM unnest($2::bigint[], $3::bigint[]) AS t (a, b))
      """,
      [.int64(collection.id), .int64Array(pairs.map(\.a)), .int64Array(pairs.map(\.b))])
  }

  private static func record(_ row: PostgresRow) throws -> CandidateRecord {
    CandidateRecord(
      id: try row.int64(0), detectionID: try row.int64(1), externalID: try row.text(2),
      clusterID: try row.int64(3), personID: try row.int64(4), personName: try row.optionalText(5),
      similarity: try row.float(6), status: try row.text(7), reason: try row.text(8),
      decidedBy: try row.optionalText(9))
  }
}
