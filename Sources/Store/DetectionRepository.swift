public import PostgresClient

/// Where an algorithm or a human puts a face.
public struct Placement: Sendable, Equatable {
  /// Face that is placed.
  public var detectionID: Int64
  /// Status that it gets.
  public var status: DetectionStatus
  /// Cluster that it joins; nil unless the status is an assigned one.
  public var clusterID: Int64?
  /// Strength of the assignment, 0…1.
  public var confidence: Float?
  /// Whether a bootstrap calls it a core member.
  public var isCore: Bool
  /// Whether it joined its cluster by evidence, not by density.
  public var isAdopted: Bool
  /// Density (1/Euclidean distance) at which it left its cluster in the fit.
  public var lambda: Float?
  /// GLOSH outlier score, 0 (inlier) … 1.
  public var outlierScore: Float?
  /// bootstrap, predict, epsilon_ball, pool or manual.
  public var tier: String

  /// A placement; everything that is not named is absent.
  public init(
    detectionID: Int64, status: DetectionStatus, clusterID: Int64? = nil,
    confidence: Float? = nil, isCore: Bool = false, lambda: Float? = nil,
    outlierScore: Float? = nil, isAdopted: Bool = false, tier: String
  ) {
    self.detectionID = detectionID
    self.status = status
    self.clusterID = clusterID
    self.confidence = confidence
    self.isCore = isCore
    self.isAdopted = isAdopted
    self.lambda = lambda
    self.outlierScore = outlierScore
    self.tier = tier
  }
}

/// The state of one face, without its embedding.
public struct DetectionState: Sendable, Equatable {
  /// Id of the detection.
  public var id: Int64
  /// Status; nil for a new face.
  public var status: DetectionStatus?
  /// Cluster that it belongs to, if any.
  public var clusterID: Int64?
  /// Whether a bootstrap called it a core member.
  public var isCore: Bool
}

/// Writes where faces belong.
///
/// The one place that changes `cluster_status`.
public struct DetectionRepository: Sendable {
  /// The collection that every statement is scoped to.
  public let collection: CollectionRecord

  /// A repository of one collection.
  public init(_ collection: CollectionRecord) { self.collection = collection }

  /// The state of every face, by id.
  public func states(on connection: isolated PostgresConnection) throws -> [DetectionState] {
    var result: [DetectionState] = []
    _ = try connection.copyOut(
      """
      COPY (SELECT id, cluster_status, cluster_id, is_core FROM person_detection
            WHERE collection_id = \(collection.id) ORDER BY id) TO STDOUT (FORMAT binary)
      """
    ) { row in
      result.append(
        DetectionState(
          id: try row.int64(0),
          status: try row.optionalText(1).flatMap(DetectionStatus.init),
          clusterID: try row.optionalInt64(2), isCore: try row.bool(3)))
    }
    return result
  }

  /// Puts faces where an algorithm says, and records an event for each that changed.
  ///
  /// Faces that became `manual` or `invalid` meanwhile, and faces of which nothing would change, are
  /// left alone.
  ///
  /// - Parameters:
  ///   - runID: the run in force.
  ///   - only: statuses from which a face may move; nil stands for every open status.
  /// - Returns: the ids of the faces that moved or changed, ascending.
  public func place(
    _ placements: [Placement], runID: Int64?, only: Set<DetectionStatus>? = nil,
    on connection: isolated PostgresConnection
  ) throws -> [Int64] {
    precondition(placements.allSatisfy { $0.status != .manual }, "algorithms place nothing by hand")
    if placements.isEmpty { return [] }
    let open = only ?? DetectionStatus.openToAlgorithms
    if placements.count == 1, let only = placements.first {
      // The server plans this once; of lists it cannot know that they are as short.
      return try place(
        from: """
          SELECT $4::bigint, $5::text, $6::bigint, $7::real, $8::boolean, $9::real, $10::real,
            $11::text, $12::boolean
          """,
        [
          .int64(only.detectionID), .text(only.status.rawValue), .optional(only.clusterID),
          .optional(only.confidence), .bool(only.isCore), .optional(only.lambda),
          .optional(only.outlierScore), .text(only.tier), .bool(only.isAdopted),
        ], open: open, runID: runID, on: connection)
    }
    return try place(
      from: """
        SELECT * FROM unnest($4::bigint[], $5::text[], $6::bigint[], $7::real[], $8::boolean[],
          $9::real[], $10::real[], $11::text[], $12::boolean[])
        """,
      [
        .int64Array(placements.map(\.detectionID)),
        .textArray(placements.map(\.status.rawValue)),
        .optionalInt64Array(placements.map(\.clusterID)),
        .optionalFloatArray(placements.map(\.confidence)),
        .boolArray(placements.map(\.isCore)), .optionalFloatArray(placements.map(\.lambda)),
        .optionalFloatArray(placements.map(\.outlierScore)), .textArray(placements.map(\.tier)),
        .boolArray(placements.map(\.isAdopted)),
      ], open: open, runID: runID, on: connection)
  }

  /// The same, from placements wherever they are.
  ///
  /// Rows are joined by the collection that the list names, here and in other statements over many rows of two
  /// tables: to a collection that its statistics do not hold yet, asked for by `$1`, the planner gives one row
  /// and compares every row with every other.
  ///
  /// - Parameters:
  ///   - source: a query of them: id, status, cluster, confidence, core, lambda, outlier score, tier,
  ///     adopted; its parameters begin with $4.
  ///   - open: statuses from which a face may move.
  func place(
    from source: String, _ parameters: [PostgresValue], open: Set<DetectionStatus>, runID: Int64?,
    on connection: isolated PostgresConnection
  ) throws -> [Int64] {
    try connection.queryPrepared(
      """
      WITH target (collection_id, id, status, cluster_id, confidence, is_core, lambda_val,
        outlier_score, tier, is_adopted) AS MATERIALIZED (
        SELECT $1::bigint, s.* FROM (\(source)) s
      ), t AS MATERIALIZED (
        SELECT t.*, c.person_id, d.cluster_id AS old_cluster, d.cluster_status AS old_status
        FROM target t
        JOIN person_detection d ON d.collection_id = t.collection_id AND d.id = t.id
        LEFT JOIN cluster c ON c.collection_id = t.collection_id AND c.id = t.cluster_id
        WHERE \(Self.isOpen(parameter: 2)) AND \(Self.isElsewhere)
      ), moved AS (
        UPDATE person_detection d SET person_id = t.person_id, assigned_run_id = $3,
          \(Self.placed)
        FROM t WHERE d.collection_id = t.collection_id AND d.id = t.id
        RETURNING d.id, t.old_cluster, d.cluster_id AS new_cluster, t.old_status,
          d.cluster_status AS new_status, t.tier, d.cluster_confidence
      ), event AS (
        INSERT INTO assignment_event (collection_id, detection_id, old_cluster_id, new_cluster_id,
          old_status, new_status, tier, run_id, confidence)
        SELECT $1, id, old_cluster, new_cluster, old_status, new_status, tier, $3,
          cluster_confidence
        FROM moved
        WHERE (old_cluster, old_status) IS DISTINCT FROM (new_cluster, new_status)
      )
      SELECT id FROM moved ORDER BY id
      """,
      [
        .int64(collection.id), .textArray(open.map(\.rawValue).sorted()),
        runID.map(PostgresValue.int64) ?? .null,
      ] + parameters
    ).map { try $0.int64(0) }
  }

  /// A condition: a face `d` may be moved, because its status is one of the parameter's.
  static func isOpen(parameter: Int) -> String {
    "(d.cluster_status IS NULL OR d.cluster_status = ANY($\(parameter)))"
  }

  /// A condition: a face `d` is not as a placement `t` wants it.
  static let isElsewhere = """
    (d.cluster_status, d.cluster_id, d.cluster_confidence, d.is_core, d.lambda_val, d.outlier_score,
      d.is_adopted)
    IS DISTINCT FROM (t.status, t.cluster_id, t.confidence, t.is_core, t.lambda_val, t.outlier_score,
      t.is_adopted)
    """

  /// What a placement `t` sets of a face `d`, but for its person and the run.
  static let placed = """
    cluster_status = t.status, cluster_id = t.cluster_id, cluster_confidence = t.confidence,
    is_core = t.is_core, is_adopted = t.is_adopted, lambda_val = t.lambda_val,
    outlier_score = t.outlier_score, assigned_tier = t.tier,
    pool_seed = t.tier = 'pool' AND t.cluster_id IS NULL,
    pooled_in = \(DetectionStatus.pooledIn(becoming: "t.status")),
    unassigned_since = CASE WHEN t.cluster_id IS NULL THEN coalesce(d.unassigned_since, now()) END
    """

  /// Makes faces new again, so that the next `assign` tries them; manual faces stay.
  ///
  /// - Parameter tier: who made them so, for the events.
  public func reset(
    _ ids: [Int64], runID: Int64?, tier: String = "bootstrap",
    on connection: isolated PostgresConnection
  ) throws {
    if ids.isEmpty { return }
    try connection.query(
      """
      WITH old AS MATERIALIZED (
        SELECT collection_id, id, cluster_id, cluster_status FROM person_detection
        WHERE collection_id = $1 AND id = ANY($2) AND cluster_status = ANY($3)
      ), moved AS (
        UPDATE person_detection d SET cluster_status = NULL, cluster_id = NULL, person_id = NULL,
          cluster_confidence = NULL, is_core = false, is_adopted = false, lambda_val = NULL, outlier_score = NULL,
          assigned_tier = NULL, assigned_run_id = NULL, pool_seed = false
        FROM old WHERE d.collection_id = old.collection_id AND d.id = old.id
      )
      INSERT INTO assignment_event (collection_id, detection_id, old_cluster_id, old_status, tier,
        run_id)
      SELECT $1, id, cluster_id, cluster_status, $5, $4 FROM old
      """,
      [
        .int64(collection.id), .int64Array(ids),
        .textArray(DetectionStatus.openToAlgorithms.map(\.rawValue).sorted()),
        runID.map(PostgresValue.int64) ?? .null, .text(tier),
      ])
  }

  /// Sets faces aside whose embedding cannot be used; manual faces stay.
  ///
  /// They leave their clusters, whose counts and sums are the caller's.
  ///
  /// - Parameter reasons: why, by detection id.
  public func markInvalid(
    _ reasons: [Int64: String], runID: Int64?, on connection: isolated PostgresConnection
  ) throws {
    if reasons.isEmpty { return }
    let faces = reasons.sorted { $0.key < $1.key }
    try connection.query(
      """
      WITH old AS MATERIALIZED (
        SELECT d.collection_id, d.id, d.cluster_id, d.cluster_status, t.reason
        FROM unnest($2::bigint[], $3::text[]) AS t (id, reason)
        JOIN person_detection d ON d.collection_id = $1 AND d.id = t.id
        WHERE d.cluster_status IS NULL OR d.cluster_status = ANY($4)
      ), moved AS (
        UPDATE person_detection d SET cluster_status = 'invalid', invalid_reason = old.reason,
          cluster_id = NULL, person_id = NULL, cluster_confidence = NULL, is_core = false, is_adopted = false,
          lambda_val = NULL, outlier_score = NULL, assigned_tier = NULL, assigned_run_id = NULL,
          pool_seed = false
        FROM old WHERE d.collection_id = old.collection_id AND d.id = old.id
      )
      INSERT INTO assignment_event (collection_id, detection_id, old_cluster_id, old_status,
        new_status, tier, run_id)
      SELECT $1, id, cluster_id, cluster_status, 'invalid', 'invalid', $5 FROM old
      """,
      [
        .int64(collection.id), .int64Array(faces.map(\.key)), .textArray(faces.map(\.value)),
        .textArray(DetectionStatus.openToAlgorithms.map(\.rawValue).sorted()),
        runID.map(PostgresValue.int64) ?? .null,
      ])
  }

  /// A condition: a face `d` is new and has no embedding.
  static let isNewAndBare = """
    d.is_new AND (SELECT true FROM face_embedding e
      WHERE e.collection_id = $1 AND e.detection_id = d.id) IS NULL
    """

  /// Locks new faces that have no embedding at all, which no tier could ever decide.
  public func lockNewWithoutEmbedding(
    on connection: isolated PostgresConnection
  ) throws -> [Int64] {
    try connection.queryPrepared(
      """
      SELECT d.id FROM person_detection d
      WHERE d.collection_id = $1 AND \(Self.isNewAndBare)
      ORDER BY d.id FOR UPDATE SKIP LOCKED
      """, [.int64(collection.id)]
    ).map { try $0.int64(0) }
  }

  /// External ids by id, of those of these faces that exist.
  public func externalIDs(
    of ids: [Int64], on connection: isolated PostgresConnection
  ) throws -> [Int64: String] {
    if ids.isEmpty { return [:] }
    return try connection.query(
      "SELECT id, external_id FROM person_detection WHERE collection_id = $1 AND id = ANY($2)",
      [.int64(collection.id), .int64Array(ids)]
    ).reduce(into: [:]) { $0[try $1.int64(0)] = try $1.text(1) }
  }
}
