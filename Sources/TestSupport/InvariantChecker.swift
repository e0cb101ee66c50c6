public import PostgresClient
public import Store

/// Recomputes what must hold of a collection after every transaction.
///
/// Counts, sums and centroids from the members; statuses, questions, dates, events and constraints
/// against each other. Nothing here uses the code under test but the byte format of vectors.
public struct InvariantChecker: Sendable {
  private let collection: CollectionRecord

  /// A checker of one collection.
  public init(_ collection: CollectionRecord) { self.collection = collection }

  /// Everything that does not hold, one line each; empty where all is well.
  ///
  /// - Throws: `PostgresError`.
  public func violations(in pool: PostgresPool) async throws -> [String] {
    let checker = self
    return try await pool.withTransaction(.snapshot) { connection in
      var found: [String] = []
      for rule in Self.rules {
        for row in try connection.query(rule.sql, [.int64(checker.collection.id)]) {
          found.append("\(rule.name): \(try row.text(0))")
        }
      }
      return found + (try checker.sumViolations(on: connection))
    }
  }

  /// Statements that return one row, a text, for every violation in collection $1.
  private static let rules: [(name: String, sql: String)] = [
    (
      "core_count is not the number of core members",
      """
      SELECT format('cluster %s says %s', c.id, c.core_count) FROM cluster c
      WHERE c.collection_id = $1 AND c.core_count <> (SELECT count(*) FROM person_detection d
        WHERE d.collection_id = $1 AND d.cluster_id = c.id AND d.is_core)
      """
    ),
    (
      "a face is in a retired cluster, or of another person than its cluster",
      """
      SELECT format('detection %s in cluster %s', d.id, c.id)
      FROM person_detection d JOIN cluster c ON c.collection_id = $1 AND c.id = d.cluster_id
      WHERE d.collection_id = $1 AND (c.retired_at IS NOT NULL OR c.person_id <> d.person_id)
      """
    ),
    (
      "unassigned_since is there exactly while a face waits",
      """
      SELECT format('detection %s, %s', id, cluster_status) FROM person_detection
      WHERE collection_id = $1 AND (
        (cluster_id IS NOT NULL AND unassigned_since IS NOT NULL)
        OR (cluster_status IN ('pending', 'unassigned', 'constrained')
          AND unassigned_since IS NULL))
      """
    ),
    (
      "a pending face has an open question",
      """
      SELECT format('detection %s', d.id) FROM person_detection d
      WHERE d.collection_id = $1 AND d.cluster_status = 'pending' AND NOT EXISTS (
        SELECT FROM face_match_candidate m WHERE m.collection_id = $1
          AND m.detection_id = d.id AND m.status = 'pending')
      """
    ),
    (
      "an open question is about a live cluster and a face that waits or was contradicted",
      """
      SELECT format('detection %s, cluster %s, %s; it is %s in %s of person %s by %s, the cluster is of '
        'person %s, retired %s', m.detection_id, m.cluster_id, m.reason, d.cluster_status, d.cluster_id,
        d.person_id, d.assigned_tier, c.person_id, c.retired_at)
      FROM face_match_candidate m
      JOIN person_detection d ON d.collection_id = $1 AND d.id = m.detection_id
      JOIN cluster c ON c.collection_id = $1 AND c.id = m.cluster_id
      WHERE m.collection_id = $1 AND m.status = 'pending' AND (c.retired_at IS NOT NULL
        OR m.reason = 'association' AND c.person_id = d.person_id IS NOT FALSE
        OR (m.reason NOT IN ('bootstrap_conflict', 'association') AND d.cluster_status IS DISTINCT FROM 'pending'
          AND NOT (m.reason IN ('same_photo', 'verified') AND d.cluster_status = 'auto'
            AND c.person_id <> d.person_id)))
      """
    ),
    (
      "the last event of a face says where it is",
      """
      SELECT format('detection %s is %s in %s, the event says %s in %s', d.id, d.cluster_status,
        d.cluster_id, e.new_status, e.new_cluster_id)
      FROM person_detection d
      LEFT JOIN LATERAL (SELECT * FROM assignment_event e WHERE e.collection_id = $1
        AND e.detection_id = d.id ORDER BY e.id DESC LIMIT 1) e ON true
      WHERE d.collection_id = $1 AND d.cluster_status IS DISTINCT FROM 'invalid'
        AND (d.cluster_status, d.cluster_id) IS DISTINCT FROM (e.new_status, e.new_cluster_id)
      """
    ),
    (
      "core faces are those that a bootstrap calls core",
      """
      SELECT format('detection %s, %s', id, cluster_status) FROM person_detection
      WHERE collection_id = $1
        AND is_core IS DISTINCT FROM (cluster_status IS NOT DISTINCT FROM 'hdbscan_core')
      """
    ),
    (
      "density values belong to faces that a bootstrap placed or that wait",
      """
      SELECT format('detection %s, %s', id, cluster_status) FROM person_detection
      WHERE collection_id = $1 AND cluster_status IN ('auto', 'manual')
        AND (lambda_val IS NOT NULL OR outlier_score IS NOT NULL OR is_core)
      """
    ),
    (
      "no algorithm puts a face where people said it does not belong",
      """
      SELECT format('detection %s in cluster %s', d.id, d.cluster_id)
      FROM person_detection d
      JOIN cluster_person_cannot_link l ON l.collection_id = $1 AND l.detection_id = d.id
      WHERE d.collection_id = $1 AND d.cluster_status <> 'manual'
        AND (d.person_id = l.person_id OR d.person_id = (SELECT c.person_id FROM cluster c
          WHERE c.collection_id = $1 AND c.id = l.cluster_id))
      """
    ),
    (
      "two faces that are different people share no person",
      """
      SELECT format('detections %s and %s of person %s', a.id, b.id, a.person_id)
      FROM detection_constraint l
      JOIN person_detection a ON a.collection_id = $1 AND a.id = l.detection_a_id
      JOIN person_detection b ON b.collection_id = $1 AND b.id = l.detection_b_id
      WHERE l.collection_id = $1 AND l.kind = 'cannot_link' AND a.person_id = b.person_id
        AND NOT (a.cluster_status = 'manual' AND b.cluster_status = 'manual')
      """
    ),
    (
      "who is adopted has a cluster and is not core",
      """
      SELECT format('detection %s', id) FROM person_detection
      WHERE collection_id = $1 AND is_adopted AND (cluster_id IS NULL OR is_core)
      """
    ),
    (
      "a completed run is active, and the label map names clusters that exist",
      """
      SELECT format('run %s', r.id) FROM hdbscan_run r
      WHERE r.collection_id = $1 AND r.is_active AND EXISTS (
        SELECT FROM jsonb_each_text(r.label_to_cluster_id) m WHERE NOT EXISTS (
          SELECT FROM cluster c WHERE c.collection_id = $1 AND c.id = m.value::bigint))
      UNION ALL SELECT 'none, though one completed' FROM collection
      WHERE id = $1
        AND EXISTS (SELECT FROM hdbscan_run WHERE collection_id = $1 AND status = 'completed')
        AND NOT EXISTS (SELECT FROM hdbscan_run WHERE collection_id = $1 AND is_active)
      """
    ),
  ]

  private func sumViolations(on connection: isolated PostgresConnection) throws -> [String] {
    let dimension = collection.dimension
    var counts: [Int64: Int] = [:]
    var sums: [Int64: [Double]] = [:]
    for row in try connection.query(
      """
      SELECT d.cluster_id, e.embedding FROM person_detection d
      JOIN face_embedding e ON e.collection_id = $1 AND e.detection_id = d.id
      WHERE d.collection_id = $1 AND d.cluster_id IS NOT NULL ORDER BY d.id
      """, [.int64(collection.id)])
    {
      let cluster = try row.int64(0)
      let vector = VectorBytes.floats(try row.bytes(1), count: dimension) ?? []
      counts[cluster, default: 0] += 1
      var sum = sums[cluster] ?? [Double](repeating: 0, count: dimension)
      sums[cluster] = sum
      // What is no unit vector (any more) adds nothing.
      let squares = vector.reduce(0.0) { $0 + Double($1) * Double($1) }
      guard abs(squares - 1) <= 0.01 else { continue }
      for (column, value) in vector.enumerated() { sum[column] += Double(value) }
      sums[cluster] = sum
    }
    var found: [String] = []
    for row in try connection.query(
      """
      SELECT id, face_count, centroid_sum, centroid FROM cluster
      WHERE collection_id = $1 ORDER BY id
      """, [.int64(collection.id)])
    {
      let id = try row.int64(0)
      let expected = sums[id] ?? [Double](repeating: 0, count: dimension)
      if Int(try row.int32(1)) != counts[id] ?? 0 {
        found.append("cluster \(id) counts \(try row.int32(1)) faces, it has \(counts[id] ?? 0)")
      }
      let sum = VectorBytes.doubles(try row.bytes(2), count: dimension) ?? []
      if !Self.close(sum, expected, within: 1e-9 * Double(1 + (counts[id] ?? 0))) {
        found.append("cluster \(id) has a sum that is not that of its members")
      }
      let centroid = VectorBytes.floats(try row.bytes(3), count: dimension)?.map(Double.init) ?? []
      let norm = expected.reduce(0) { $0 + $1 * $1 }.squareRoot()
      // Sums that cancel have no direction to compare.
      if norm > 1e-6, !Self.close(centroid, expected.map { $0 / norm }, within: 1e-6) {
        found.append("cluster \(id) has a centroid that is not the direction of its sum")
      }
    }
    return found
  }

  private static func close(_ a: [Double], _ b: [Double], within tolerance: Double) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance }
  }
}
