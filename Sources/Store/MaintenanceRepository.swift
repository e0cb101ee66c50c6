public import PostgresClient
public import Vectors

/// A live cluster as maintenance finds it stored.
public struct StoredCluster: Sendable, Equatable {
  /// Id of the cluster.
  public var id: Int64
  /// Faces that it says it has.
  public var faceCount: Int
  /// Its centroid; empty where what is stored has another length than the collection's vectors.
  public var centroid: [Float]
  /// Its medoid, if it has one.
  public var medoidDetectionID: Int64?
  /// Faces that came or went since the medoid was computed.
  public var changedSinceMedoid: Int
}

/// A live cluster without faces.
public struct EmptyCluster: Sendable, Equatable {
  /// Id of the cluster.
  public var id: Int64
  /// Why it is kept: what people said about it; nil where it can go.
  public var kept: String?
}

/// Reads what maintenance looks at.
public struct MaintenanceRepository: Sendable {
  /// The collection that every statement is scoped to.
  public let collection: CollectionRecord

  /// A repository of one collection.
  public init(_ collection: CollectionRecord) { self.collection = collection }

  private var scope: PostgresValue { .int64(collection.id) }

  /// The live clusters by id, each with the faces that it says it has.
  public func liveSizes(
    on connection: isolated PostgresConnection
  ) throws -> [(id: Int64, faceCount: Int)] {
    try connection.query(
      """
      SELECT id, face_count FROM cluster
      WHERE collection_id = $1 AND retired_at IS NULL ORDER BY id
      """, [scope]
    ).map { (try $0.int64(0), Int(try $0.int32(1))) }
  }

  /// What is stored about some clusters, by id.
  public func stored(
    clusters ids: [Int64], on connection: isolated PostgresConnection
  ) throws -> [StoredCluster] {
    try connection.query(
      """
      SELECT c.id, c.face_count, c.centroid, d.id, c.changed_since_medoid
      FROM cluster c LEFT JOIN person_detection d ON d.collection_id = $1
        AND d.id = c.medoid_detection_id AND d.cluster_id = c.id
      WHERE c.collection_id = $1 AND c.id = ANY($2) ORDER BY c.id
      """, [scope, .int64Array(ids)]
    ).map { row in
      StoredCluster(
        id: try row.int64(0), faceCount: Int(try row.int32(1)),
        centroid: VectorBytes.floats(try row.bytes(2), count: collection.dimension) ?? [],
        medoidDetectionID: try row.optionalInt64(3), changedSinceMedoid: Int(try row.int32(4)))
    }
  }

  /// Which members of some clusters are core.
  public func coreMembers(
    ofClusters ids: [Int64], on connection: isolated PostgresConnection
  ) throws -> Set<Int64> {
    Set(
      try connection.query(
        """
        SELECT id FROM person_detection
        WHERE collection_id = $1 AND cluster_id = ANY($2) AND is_core
        """, [scope, .int64Array(ids)]
      ).map { try $0.int64(0) })
  }

  /// Live clusters without faces, by id.
  public func emptyClusters(
    on connection: isolated PostgresConnection
  ) throws -> [EmptyCluster] {
    try connection.query(
      """
      WITH emptied AS (
        SELECT DISTINCT (h.before ->> 'cluster_id')::bigint AS id
        FROM human_action_change h JOIN human_action a ON a.collection_id = $1 AND a.id = h.action_id
        WHERE h.collection_id = $1 AND h.entity = 'detection' AND a.undone_by IS NULL
      )
      SELECT c.id, concat_ws(', ', CASE WHEN c.verified THEN 'verified' END,
        CASE WHEN c.hidden OR p.hidden THEN 'hidden' END, 'named “' || p.name || '”',
        CASE WHEN c.id IN (SELECT id FROM emptied) THEN 'people took faces out and may undo it' END)
      FROM cluster c JOIN person p ON p.collection_id = $1 AND p.id = c.person_id
      WHERE c.collection_id = $1 AND c.retired_at IS NULL AND NOT EXISTS (
        SELECT FROM person_detection d WHERE d.collection_id = $1 AND d.cluster_id = c.id)
      ORDER BY c.id
      """, [scope]
    ).map { row in
      let kept = try row.text(1)
      return EmptyCluster(id: try row.int64(0), kept: kept.isEmpty ? nil : kept)
    }
  }

  /// Open questions that are none any more, by id.
  ///
  /// Their cluster is gone, or the face belongs to the person that it was asked about, or it is
  /// waiting no longer.
  public func staleQuestions(on connection: isolated PostgresConnection) throws -> [Int64] {
    try connection.query(
      """
      SELECT m.id FROM face_match_candidate m
      JOIN person_detection d ON d.collection_id = $1 AND d.id = m.detection_id
      JOIN cluster c ON c.collection_id = $1 AND c.id = m.cluster_id
      WHERE m.collection_id = $1 AND m.status = 'pending' AND (c.retired_at IS NOT NULL
        OR c.person_id = d.person_id
        OR m.reason = 'association' AND d.cluster_id IS NULL
        OR m.reason = 'ambiguous' AND d.cluster_status IS DISTINCT FROM 'pending')
      ORDER BY m.id
      """, [scope]
    ).map { try $0.int64(0) }
  }

  /// Closes questions.
  public func expire(
    questions ids: [Int64], on connection: isolated PostgresConnection
  ) throws {
    if ids.isEmpty { return }
    try connection.query(
      """
      UPDATE face_match_candidate SET status = 'expired', decided_at = now()
      WHERE collection_id = $1 AND id = ANY($2) AND status = 'pending'
      """, [scope, .int64Array(ids)])
  }

  /// Locks faces that wait for an answer to no question; faces that others hold are skipped.
  public func lockFacesWithoutQuestion(
    on connection: isolated PostgresConnection
  ) throws -> [Int64] {
    try connection.query(
      """
      SELECT d.id FROM person_detection d
      WHERE d.collection_id = $1 AND d.is_pending AND NOT EXISTS (
        SELECT FROM face_match_candidate m WHERE m.collection_id = $1
          AND m.detection_id = d.id AND m.status = 'pending')
      ORDER BY d.id FOR UPDATE OF d SKIP LOCKED
      """, [scope]
    ).map { try $0.int64(0) }
  }

  /// Where faces stand against what people said, one line each.
  public func contradictions(on connection: isolated PostgresConnection) throws -> [String] {
    try connection.query(
      """
      SELECT format('“%s” and “%s” are different people and both of person %s', a.external_id,
        b.external_id, a.person_id)
      FROM detection_constraint l
      JOIN person_detection a ON a.collection_id = $1 AND a.id = l.detection_a_id
      JOIN person_detection b ON b.collection_id = $1 AND b.id = l.detection_b_id
      WHERE l.collection_id = $1 AND l.kind = 'cannot_link' AND a.person_id = b.person_id
      UNION ALL
      SELECT format('“%s” and “%s” are one person and of persons %s and %s', a.external_id,
        b.external_id, a.person_id, b.person_id)
      FROM detection_constraint l
      JOIN person_detection a ON a.collection_id = $1 AND a.id = l.detection_a_id
      JOIN person_detection b ON b.collection_id = $1 AND b.id = l.detection_b_id
      WHERE l.collection_id = $1 AND l.kind = 'must_link' AND a.person_id <> b.person_id
      UNION ALL
      SELECT DISTINCT format('“%s” is not of person %s and is there', d.external_id, d.person_id)
      FROM cluster_person_cannot_link l
      JOIN person_detection d ON d.collection_id = $1 AND d.id = l.detection_id
      LEFT JOIN cluster c ON c.collection_id = $1 AND c.id = l.cluster_id
      WHERE l.collection_id = $1 AND d.person_id IN (l.person_id, c.person_id)
      UNION ALL
      SELECT format('person %s has %s faces in photo “%s”', d.person_id, count(*), p.path)
      FROM person_detection d JOIN photo p ON p.collection_id = $1 AND p.id = d.photo_id
      WHERE d.collection_id = $1 AND d.person_id IS NOT NULL
      GROUP BY d.person_id, p.id, p.path HAVING count(*) > 1
      ORDER BY 1
      """, [scope]
    ).map { try $0.text(0) }
  }

  /// Pairs of persons that have a face each in one photo: they are hardly one.
  public func seenTogether(
    on connection: isolated PostgresConnection
  ) throws -> [(Int64, Int64)] {
    try connection.query(
      """
      SELECT DISTINCT a.person_id, b.person_id FROM person_detection a
      JOIN person_detection b ON b.collection_id = $1 AND b.photo_id = a.photo_id
        AND b.person_id > a.person_id
      WHERE a.collection_id = $1
      """, [scope]
    ).map { (try $0.int64(0), try $0.int64(1)) }
  }

  /// Pairs of persons that people said are not one, because of a face in one of them, or because they
  /// took back that maintenance had joined them.
  public func keptApart(
    on connection: isolated PostgresConnection
  ) throws -> [(Int64, Int64)] {
    try connection.query(
      """
      SELECT a.person_id, b.person_id FROM detection_constraint l
      JOIN person_detection a ON a.collection_id = $1 AND a.id = l.detection_a_id
      JOIN person_detection b ON b.collection_id = $1 AND b.id = l.detection_b_id
      WHERE l.collection_id = $1 AND l.kind = 'cannot_link' AND a.person_id <> b.person_id
      UNION
      SELECT d.person_id, coalesce(l.person_id, c.person_id) FROM cluster_person_cannot_link l
      JOIN person_detection d ON d.collection_id = $1 AND d.id = l.detection_id
      LEFT JOIN cluster c ON c.collection_id = $1 AND c.id = l.cluster_id
      WHERE l.collection_id = $1 AND d.person_id IS NOT NULL
      UNION
      SELECT d.person_id, c.person_id FROM face_match_candidate m
      JOIN person_detection d ON d.collection_id = $1 AND d.id = m.detection_id
      JOIN cluster c ON c.collection_id = $1 AND c.id = m.cluster_id
      WHERE m.collection_id = $1 AND m.status = 'rejected' AND d.person_id IS NOT NULL
      UNION
      SELECT one.id::bigint, other.id::bigint FROM human_action a,
        jsonb_array_elements_text(a.details -> 'person_ids') AS one (id),
        jsonb_array_elements_text(a.details -> 'person_ids') AS other (id)
      WHERE a.collection_id = $1 AND one.id::bigint < other.id::bigint
        AND (a.kind IN ('separate', 'split') AND a.undone_by IS NULL
          OR a.kind = '\(HumanActionRepository.association)' AND a.undone_by IS NOT NULL)
      """, [scope]
    ).map { (try $0.int64(0), try $0.int64(1)) }
  }

  /// Which members of some clusters the active run's fit placed, and which came after it.
  public func origins(
    ofClusters ids: [Int64], runID: Int64, on connection: isolated PostgresConnection
  ) throws -> (fitted: Set<Int64>, arrived: Set<Int64>) {
    var result: (fitted: Set<Int64>, arrived: Set<Int64>) = ([], [])
    for row in try connection.query(
      """
      SELECT id, assigned_tier FROM person_detection
      WHERE collection_id = $1 AND cluster_id = ANY($2) AND assigned_run_id = $3
        AND assigned_tier IN ('bootstrap', 'predict', 'epsilon_ball')
      """, [scope, .int64Array(ids), .int64(runID)])
    {
      let id = try row.int64(0)
      if try row.text(1) == "bootstrap" {
        result.fitted.insert(id)
      } else {
        result.arrived.insert(id)
      }
    }
    return result
  }

  /// The live clusters with faces; their references are their centroids of now.
  public func centroids(on connection: isolated PostgresConnection) throws -> LiveClusters {
    let live = try ClusterRepository(collection).live(on: connection)
    let stored = try stored(clusters: live.ids, on: connection)
    let rows = live.ids.indices.filter {
      live.faceCounts[$0] > 0 && stored[$0].centroid.count == collection.dimension
    }
    var result = LiveClusters()
    for row in rows {
      result.ids.append(live.ids[row])
      result.personIDs.append(live.personIDs[row])
      result.personNames.append(live.personNames[row])
      result.faceCounts.append(live.faceCounts[row])
      result.referenceCounts.append(live.referenceCounts[row])
      result.referenceLengths.append(live.referenceLengths[row])
    }
    result.references = Matrix<Float>(rows.map { stored[$0].centroid })
    return result
  }

  /// Half of a live cluster's members were within this of its centroid when it was made.
  public func medianDistances(
    on connection: isolated PostgresConnection
  ) throws -> [Int64: CosineDistance] {
    try connection.query(
      """
      SELECT id, distance_quantiles[5] FROM cluster
      WHERE collection_id = $1 AND retired_at IS NULL AND distance_quantiles[5] IS NOT NULL
      """, [scope]
    ).reduce(into: [:]) { $0[try $1.int64(0)] = CosineDistance(Double(try $1.float(1))) }
  }
}
