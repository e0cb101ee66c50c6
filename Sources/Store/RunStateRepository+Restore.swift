public import PostgresClient

extension RunStateRepository {
  /// Puts faces and clusters back as a run left them, where people have not said otherwise since.
  ///
  /// The caller owns the membership of the collection, and recounts the clusters that are returned.
  ///
  /// - Parameter exclusivePhotos: whether nobody comes beside another face of a photo with the same person.
  /// - Returns: faces that changed their cluster, clusters whose members changed, and clusters that
  ///   were retired.
  public func restore(
    _ run: Int64, exclusivePhotos: Bool, action: Int64, actor: String?,
    on connection: isolated PostgresConnection
  ) throws -> (moved: Int, changed: [Int64], retired: [Int64]) {
    let given = try restorePersons(run, on: connection)
    var passedOver = try wantFaces(run, on: connection)
    passedOver += try heedPeople(on: connection)
    if exclusivePhotos { passedOver += try heedPhotos(run, on: connection) }
    // One that people emptied lives on, so that they can go back to it.
    let retired = try connection.query(
      """
      SELECT id FROM cluster c WHERE c.collection_id = \(Self.here) AND c.retired_at IS NULL
        AND NOT EXISTS (SELECT FROM hdbscan_run_cluster t
          WHERE t.collection_id = \(Self.here) AND t.run_id = $2 AND t.cluster_id = c.id)
        AND NOT EXISTS (SELECT FROM photodb_wanted w WHERE w.cluster_id = c.id)
        AND NOT c.verified AND NOT c.anchored
        AND EXISTS (SELECT FROM person_detection d
          WHERE d.collection_id = \(Self.here) AND d.cluster_id = c.id)
        AND NOT EXISTS (SELECT FROM person p
          WHERE p.collection_id = \(Self.here) AND p.id = c.person_id AND p.name IS NOT NULL)
        AND NOT EXISTS (SELECT FROM person_detection d WHERE d.collection_id = \(Self.here)
          AND d.cluster_id = c.id AND d.cluster_status = 'manual')
      ORDER BY id
      """, key(run)
    ).map { try $0.int64(0) }
    // What the run did not know and what now has no cluster is new again.
    try connection.query(
      """
      INSERT INTO photodb_wanted (id, is_core, is_adopted)
      SELECT d.id, false, false FROM person_detection d
      WHERE d.collection_id = \(Self.here) AND d.cluster_id = ANY($2)
        AND NOT EXISTS (SELECT FROM photodb_wanted w WHERE w.id = d.id)
      """, [.int64(collection.id), .int64Array(retired)])
    try connection.query(
      """
      UPDATE cluster c SET retired_at = NULL, \(TransactionHorizon.stamp)
      WHERE c.collection_id = \(Self.here) AND c.retired_at IS NOT NULL
        AND (c.id IN (SELECT cluster_id FROM photodb_wanted)
          OR c.id IN (SELECT cluster_id FROM hdbscan_run_cluster
            WHERE collection_id = \(Self.here) AND run_id = $2))
      """, key(run))
    let (moved, changed) = try place(run, action: action, actor: actor, on: connection)
    try connection.query(
      """
      UPDATE cluster c SET reference_centroid = t.reference_centroid,
        reference_count = t.reference_count, reference_length = t.reference_length,
        changed_since_medoid = t.changed_since_medoid, epsilon = t.epsilon, \(TransactionHorizon.stamp),
        medoid_detection_id = (SELECT d.id FROM person_detection d
          WHERE d.collection_id = \(Self.here) AND d.id = t.medoid_detection_id),
        distance_quantiles = t.distance_quantiles, lambda_birth = t.lambda_birth,
        persistence = t.persistence, hdbscan_run_id = t.hdbscan_run_id, origin = t.origin
      FROM hdbscan_run_cluster t
      WHERE t.collection_id = \(Self.here) AND t.run_id = $2 AND c.collection_id = \(Self.here)
        AND c.id = t.cluster_id AND NOT c.anchored AND NOT c.verified
      """, key(run))
    // People took it out since; the next change of the members, or maintenance, chooses another.
    try connection.query(
      """
      UPDATE cluster c SET medoid_detection_id = NULL FROM person_detection d
      WHERE c.collection_id = \(Self.here) AND d.collection_id = \(Self.here) AND d.id = c.medoid_detection_id
        AND d.cluster_id IS DISTINCT FROM c.id AND c.retired_at IS NULL
      """, [.int64(collection.id)])
    try ReviewRepository(collection).closeMoot(about: given, on: connection)
    try note(passedOver, run, on: connection)
    try connection.query("DROP TABLE photodb_wanted")
    try connection.query("DROP TABLE photodb_given")
    return (moved, changed, retired)
  }

  /// - Returns: faces that stay where they are: people spoke of them, or hold their cluster.
  private func wantFaces(
    _ run: Int64, on connection: isolated PostgresConnection
  ) throws -> [Int64] {
    try connection.execute(
      script: """
        CREATE TEMPORARY TABLE photodb_wanted (id bigint PRIMARY KEY, cluster_id bigint, status text,
          confidence real, is_core boolean, is_adopted boolean, lambda_val real, outlier_score real, tier text,
          run_id bigint, stays boolean NOT NULL DEFAULT false) ON COMMIT DROP
        """)
    try connection.query(
      """
      INSERT INTO photodb_wanted
      SELECT * FROM (\(Self.facesOfState)) w WHERE w.status IS DISTINCT FROM 'manual'
      """, key(run))
    // Of a table that was just made the server knows nothing, and guesses.
    try connection.execute(script: "ANALYZE photodb_wanted")
    let spokenOf = try connection.query(
      """
      WITH RECURSIVE \(Self.said)
      DELETE FROM photodb_wanted w USING (SELECT DISTINCT * FROM (\(Self.facesSpokenOf)) f) f
      WHERE w.id = f.detection_id RETURNING w.id
      """, key(run))
    let byHand = try connection.query(
      """
      DELETE FROM photodb_wanted w USING person_detection d
      WHERE d.collection_id = \(Self.here) AND d.id = w.id AND d.cluster_status IN ('manual', 'invalid')
      RETURNING w.id
      """, [.int64(collection.id)])
    try connection.query(
      """
      DELETE FROM photodb_wanted w WHERE NOT EXISTS (SELECT FROM person_detection d
        WHERE d.collection_id = \(Self.here) AND d.id = w.id
          AND NOT (w.status IS NOT DISTINCT FROM 'pending'
            AND d.cluster_status IS NOT DISTINCT FROM 'pending'))
      """, [.int64(collection.id)])
    let held = try connection.query(
      """
      WITH held AS MATERIALIZED (
        SELECT c.id FROM cluster c JOIN person p ON p.collection_id = \(Self.here) AND p.id = c.person_id
        WHERE c.collection_id = \(Self.here) AND c.retired_at IS NULL AND (c.verified OR c.anchored
          OR p.name IS NOT NULL AND NOT EXISTS (SELECT FROM hdbscan_run_cluster t
            WHERE t.collection_id = \(Self.here) AND t.run_id = $2 AND t.cluster_id = c.id))
      ), stays AS MATERIALIZED (
        SELECT d.id FROM held CROSS JOIN LATERAL (SELECT d.id FROM person_detection d
          WHERE d.collection_id = \(Self.here) AND d.cluster_id = held.id OFFSET 0) d
      )
      DELETE FROM photodb_wanted w USING stays WHERE w.id = stays.id RETURNING w.id
      """, key(run))
    // Whose cluster goes to somebody else may have to leave it, whether or not the run knew the face.
    try connection.query(
      """
      INSERT INTO photodb_wanted
      SELECT d.id, d.cluster_id, d.cluster_status, d.cluster_confidence, d.is_core, d.is_adopted,
        d.lambda_val, d.outlier_score, d.assigned_tier, d.assigned_run_id, true
      FROM photodb_given g
      JOIN person_detection d ON d.collection_id = \(Self.here) AND d.cluster_id = g.cluster_id
      WHERE NOT EXISTS (SELECT FROM photodb_wanted w WHERE w.id = d.id)
      """, [.int64(collection.id)])
    return try [spokenOf, byHand, held].flatMap { try $0.map { try $0.int64(0) } }
  }

  /// What people said since, and questions that are closed by now, weigh more than the old state.
  ///
  /// - Returns: faces that are not where the run had them.
  private func heedPeople(on connection: isolated PostgresConnection) throws -> [Int64] {
    let scope: [PostgresValue] = [.int64(collection.id)]
    try connection.query("UPDATE photodb_wanted SET \(Self.newAgain) WHERE status = 'pending'")
    let forbidden = try connection.query(
      """
      UPDATE photodb_wanted w SET \(Self.constrained) FROM cluster c
      WHERE c.collection_id = \(Self.here) AND c.id = w.cluster_id
        AND (EXISTS (SELECT FROM cluster_person_cannot_link l
            LEFT JOIN cluster o ON o.collection_id = \(Self.here) AND o.id = l.cluster_id
            WHERE l.collection_id = \(Self.here) AND l.detection_id = w.id
              AND c.person_id IN (l.person_id, o.person_id))
          OR EXISTS (SELECT FROM face_match_candidate m
            JOIN cluster o ON o.collection_id = \(Self.here) AND o.id = m.cluster_id
            WHERE m.collection_id = \(Self.here) AND m.detection_id = w.id AND m.status = 'rejected'
              AND c.person_id = o.person_id))
      RETURNING w.id
      """, scope)
    // The cluster went with the action that had made it.
    try connection.query(
      """
      UPDATE photodb_wanted w SET \(Self.constrained)
      WHERE w.cluster_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM cluster c WHERE c.collection_id = \(Self.here) AND c.id = w.cluster_id)
      """, scope)
    // Of two faces that are different people, the one that the run wants back gives way.
    let different = try connection.query(
      """
      UPDATE photodb_wanted w SET \(Self.constrained)
      FROM detection_constraint l
      JOIN person_detection d ON d.collection_id = \(Self.here)
        AND d.id IN (l.detection_a_id, l.detection_b_id)
      LEFT JOIN photodb_wanted o ON o.id = d.id
      WHERE l.collection_id = \(Self.here) AND l.kind = 'cannot_link'
        AND w.id IN (l.detection_a_id, l.detection_b_id) AND d.id <> w.id
        AND EXISTS (SELECT FROM cluster own
          JOIN cluster other ON other.collection_id = \(Self.here) AND other.person_id = own.person_id
          WHERE own.collection_id = \(Self.here) AND own.id = w.cluster_id
            AND other.id = CASE WHEN o.id IS NULL THEN d.cluster_id ELSE o.cluster_id END)
        AND (o.id IS NULL OR w.id > o.id)
      RETURNING w.id
      """, scope)
    // Who is in a verified or split cluster stays, and is wanted nowhere; nobody else comes there.
    let kept = try connection.query(
      """
      UPDATE photodb_wanted w SET \(Self.newAgain) FROM cluster c
      WHERE c.collection_id = \(Self.here) AND c.id = w.cluster_id AND c.retired_at IS NULL
        AND (c.verified OR c.anchored)
      RETURNING w.id
      """, scope)
    return try [forbidden, different, kept].flatMap { try $0.map { try $0.int64(0) } }
  }

  private static let constrained = """
    cluster_id = NULL, confidence = NULL, is_core = false, is_adopted = false, status = 'constrained'
    """

  /// A face that is wanted, to be decided by the tiers instead.
  private static let newAgain = """
    cluster_id = NULL, status = NULL, confidence = NULL, is_core = false, is_adopted = false,
      lambda_val = NULL, outlier_score = NULL, tier = NULL, run_id = NULL
    """

  /// Nobody comes beside another face of the photo with the same person, unless the run had both with one
  /// person, or they are together already.
  ///
  /// - Returns: faces that are not where the run had them.
  private func heedPhotos(
    _ run: Int64, on connection: isolated PostgresConnection
  ) throws -> [Int64] {
    try connection.query(
      """
      WITH pair AS MATERIALIZED (
        SELECT w.id, own.cluster_id AS own_cluster, own.person_id AS own_person, d.id AS other_id,
          d.cluster_id AS other_cluster, d.person_id AS other_person
        FROM photodb_wanted w
        CROSS JOIN LATERAL (SELECT * FROM person_detection d
          WHERE d.collection_id = \(Self.here) AND d.id = w.id OFFSET 0) own
        CROSS JOIN LATERAL (SELECT * FROM person_detection d WHERE d.collection_id = \(Self.here)
          AND d.photo_id = own.photo_id AND d.id <> own.id OFFSET 0) d
        WHERE w.cluster_id IS NOT NULL
      ), place AS MATERIALIZED (
        SELECT p.*, CASE WHEN o.id IS NULL THEN p.other_cluster ELSE o.cluster_id END AS beside,
          o.id IS NULL AS is_there, coalesce(o.stays, false) AS stays
        FROM pair p LEFT JOIN photodb_wanted o ON o.id = p.other_id
      )
      UPDATE photodb_wanted w SET \(Self.newAgain)
      FROM place p
      CROSS JOIN LATERAL (SELECT c.person_id FROM cluster c
        WHERE c.collection_id = \(Self.here) AND c.id = p.beside OFFSET 0) other
      LEFT JOIN photodb_given own_before ON own_before.cluster_id = p.own_cluster
      LEFT JOIN photodb_given before ON before.cluster_id = p.other_cluster
      WHERE p.id = w.id AND (p.is_there OR w.id > p.other_id)
        AND EXISTS (SELECT FROM cluster home WHERE home.collection_id = \(Self.here)
          AND home.id = w.cluster_id AND home.person_id = other.person_id)
        AND (p.own_person IS DISTINCT FROM other.person_id
          OR p.other_person IS DISTINCT FROM other.person_id
          OR coalesce(own_before.person_id, p.own_person)
            <> coalesce(before.person_id, p.other_person))
        AND (p.is_there OR w.stays OR p.stays
          OR p.beside <> w.cluster_id AND NOT EXISTS (SELECT FROM hdbscan_run_cluster a
            JOIN hdbscan_run_cluster b ON b.collection_id = \(Self.here) AND b.run_id = $2
              AND b.person_id = a.person_id
            WHERE a.collection_id = \(Self.here) AND a.run_id = $2 AND a.cluster_id = w.cluster_id
              AND b.cluster_id = p.beside))
      RETURNING w.id
      """, key(run)
    ).map { try $0.int64(0) }
  }

  /// Remembers who could not go back, and which clusters keep another shape.
  private func note(
    _ passedOver: [Int64], _ run: Int64, on connection: isolated PostgresConnection
  ) throws {
    try connection.query(
      """
      UPDATE hdbscan_run_state SET passed_over = $3, restored_event_id =
        coalesce((SELECT max(id) FROM assignment_event WHERE collection_id = \(Self.here)), 0)
      WHERE collection_id = \(Self.here) AND run_id = $2
      """, key(run) + [.int64Array(passedOver)])
    try connection.query(
      """
      UPDATE hdbscan_run_cluster t SET passed_over = c.verified OR c.anchored FROM cluster c
      WHERE t.collection_id = \(Self.here) AND t.run_id = $2 AND c.collection_id = \(Self.here) AND c.id = t.cluster_id
        AND t.passed_over <> (c.verified OR c.anchored)
      """, key(run))
  }

  private func place(
    _ run: Int64, action: Int64, actor: String?, on connection: isolated PostgresConnection
  ) throws -> (moved: Int, changed: [Int64]) {
    let rows = try connection.query(
      """
      WITH old AS MATERIALIZED (
        SELECT d.id, d.cluster_id, d.cluster_status FROM person_detection d
        JOIN photodb_wanted w ON w.id = d.id
        WHERE d.collection_id = \(Self.here) AND (d.cluster_status, d.cluster_id, d.cluster_confidence,
          d.is_core, d.is_adopted, d.lambda_val, d.outlier_score, d.assigned_tier, d.assigned_run_id)
          IS DISTINCT FROM (w.status, w.cluster_id, w.confidence, w.is_core, w.is_adopted, w.lambda_val,
            w.outlier_score, w.tier, w.run_id)
      ), moved AS (
        UPDATE person_detection d SET cluster_status = w.status, cluster_id = w.cluster_id,
          person_id = c.person_id, cluster_confidence = w.confidence, is_core = w.is_core,
          is_adopted = w.is_adopted,
          pool_seed = false,
          pooled_in = \(DetectionStatus.pooledIn(becoming: "w.status")),
          lambda_val = w.lambda_val, outlier_score = w.outlier_score, assigned_tier = w.tier,
          assigned_run_id = w.run_id, unassigned_since = CASE
            WHEN w.status IN \(DetectionStatus.pool)
            THEN coalesce(d.unassigned_since, now())
            WHEN w.cluster_id IS NULL THEN d.unassigned_since END
        FROM old JOIN photodb_wanted w ON w.id = old.id
          LEFT JOIN cluster c ON c.collection_id = \(Self.here) AND c.id = w.cluster_id
        WHERE d.collection_id = \(Self.here) AND d.id = old.id
        RETURNING d.id, old.cluster_id AS old_cluster, old.cluster_status AS old_status,
          d.cluster_id AS new_cluster, d.cluster_status AS new_status, d.cluster_confidence
      ), event AS (
        INSERT INTO assignment_event (collection_id, detection_id, old_cluster_id, new_cluster_id,
          old_status, new_status, tier, actor, run_id, confidence, action_id)
        SELECT $1, id, old_cluster, new_cluster, old_status, new_status, 'activate', $4, $2,
          cluster_confidence, $3
        FROM moved WHERE (old_cluster, old_status) IS DISTINCT FROM (new_cluster, new_status)
      )
      SELECT id, old_cluster, new_cluster FROM moved
      """, key(run) + [.int64(action), .optional(actor)])
    var changed: Set<Int64> = []
    var faces: [Int64] = []
    for row in rows {
      let (old, new) = (try row.optionalInt64(1), try row.optionalInt64(2))
      changed.formUnion([old, new].compactMap { $0 })
      if old != new { faces.append(try row.int64(0)) }
    }
    try ReviewRepository(collection).expire(
      detections: try rows.map { try $0.int64(0) }, on: connection)
    return (faces.count, changed.sorted())
  }
}
