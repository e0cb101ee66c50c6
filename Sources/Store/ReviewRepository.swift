public import PostgresClient

/// A question for people: whether this face belongs to this cluster.
public struct CandidateQuestion: Sendable, Equatable {
  /// Detection that is asked about.
  public var detectionID: Int64
  /// Cluster that it may belong to.
  public var clusterID: Int64
  /// Cosine similarity, −1…1.
  public var similarity: Float
  /// ambiguous, same_photo, verified, bootstrap_conflict or association.
  public var reason: String

  /// Reason of a question about two persons: whether that of the face is that of the cluster.
  public static let association = "association"

  /// A question about one face and one cluster.
  public init(detectionID: Int64, clusterID: Int64, similarity: Float, reason: String) {
    self.detectionID = detectionID
    self.clusterID = clusterID
    self.similarity = similarity
    self.reason = reason
  }
}

/// Questions for people, and what people forbade.
public struct ReviewRepository: Sendable {
  /// The collection that every statement is scoped to.
  public let collection: CollectionRecord

  /// A repository of one collection.
  public init(_ collection: CollectionRecord) { self.collection = collection }

  /// Raises questions; one that waits already, or that a human answered, is not asked again.
  ///
  /// But a yes holds only while the face is with that person: when people took it away, tiers may ask again. Of two
  /// about one face and one cluster, the more similar is asked.
  ///
  /// - Returns: how many were raised, among them those that are open again.
  @discardableResult
  public func ask(
    _ questions: [CandidateQuestion], on connection: isolated PostgresConnection
  ) throws -> Int {
    if questions.isEmpty { return 0 }
    return try connection.queryPrepared(
      """
      INSERT INTO face_match_candidate (collection_id, detection_id, cluster_id, similarity, reason)
      SELECT DISTINCT ON (detection, cluster) $1::bigint, detection, cluster, similarity, reason
      FROM unnest($2::bigint[], $3::bigint[], $4::real[], $5::text[])
        AS t (detection, cluster, similarity, reason)
      ORDER BY detection, cluster, similarity DESC
      ON CONFLICT (collection_id, detection_id, cluster_id) DO UPDATE
        SET status = 'pending', similarity = excluded.similarity, reason = excluded.reason,
          decided_at = NULL, decided_by = NULL
        WHERE face_match_candidate.status = 'expired'
          OR face_match_candidate.status = 'accepted'
            AND excluded.reason IN ('ambiguous', 'same_photo', 'verified')
            AND NOT EXISTS (SELECT FROM person_detection d
              JOIN cluster c ON c.collection_id = d.collection_id AND c.person_id = d.person_id
              WHERE d.collection_id = excluded.collection_id AND d.id = excluded.detection_id
                AND c.id = excluded.cluster_id)
      RETURNING id
      """,
      [
        .int64(collection.id), .int64Array(questions.map(\.detectionID)),
        .int64Array(questions.map(\.clusterID)), .floatArray(questions.map(\.similarity)),
        .textArray(questions.map(\.reason)),
      ]
    ).count
  }

  /// Closes the open questions of faces that were decided otherwise.
  ///
  /// - Parameter kept: questions that are still asked, for the same reason.
  public func expire(
    detections ids: [Int64], keeping kept: [CandidateQuestion] = [],
    on connection: isolated PostgresConnection
  ) throws {
    if ids.isEmpty { return }
    try connection.queryPrepared(
      """
      UPDATE face_match_candidate SET status = 'expired', decided_at = now()
      WHERE collection_id = $1 AND detection_id = ANY($2) AND status = 'pending'
        AND (detection_id, cluster_id, reason) NOT IN (
          SELECT * FROM unnest($3::bigint[], $4::bigint[], $5::text[]))
      """,
      [
        .int64(collection.id), .int64Array(ids), .int64Array(kept.map(\.detectionID)),
        .int64Array(kept.map(\.clusterID)), .textArray(kept.map(\.reason)),
      ])
  }

  /// Closes the open questions about clusters that are gone.
  ///
  /// - Returns: faces that wait for an answer although no question about them is open any more.
  public func expire(
    clusters ids: [Int64], on connection: isolated PostgresConnection
  ) throws -> [Int64] {
    if ids.isEmpty { return [] }
    try connection.query(
      """
      UPDATE face_match_candidate SET status = 'expired', decided_at = now()
      WHERE collection_id = $1 AND cluster_id = ANY($2) AND status = 'pending'
      """, [.int64(collection.id), .int64Array(ids)])
    return try connection.query(
      """
      SELECT d.id FROM person_detection d
      WHERE d.collection_id = $1 AND d.is_pending AND NOT EXISTS (
        SELECT FROM face_match_candidate m
        WHERE m.collection_id = $1 AND m.detection_id = d.id AND m.status = 'pending')
      ORDER BY d.id
      """, [.int64(collection.id)]
    ).map { try $0.int64(0) }
  }

  /// Which of these questions were asked before and are not open to be asked again.
  public func asked(
    _ pairs: [(detectionID: Int64, clusterID: Int64)], on connection: isolated PostgresConnection
  ) throws -> [Int64: Set<Int64>] {
    if pairs.isEmpty { return [:] }
    var result: [Int64: Set<Int64>] = [:]
    for row in try connection.query(
      """
      SELECT detection_id, cluster_id FROM face_match_candidate
      WHERE collection_id = $1 AND status <> 'expired'
        AND (detection_id, cluster_id) IN (SELECT * FROM unnest($2::bigint[], $3::bigint[]))
      """,
      [
        .int64(collection.id), .int64Array(pairs.map(\.detectionID)),
        .int64Array(pairs.map(\.clusterID)),
      ])
    {
      result[try row.int64(0), default: []].insert(try row.int64(1))
    }
    return result
  }
}
