public import PostgresClient
public import Vectors

/// Faces read at one moment, ordered by id; row i of every field is the same face.
public struct FaceSnapshot: Sendable {
  /// Detection ids, ascending.
  public var ids: [Int64]
  /// Photo of each face, where it is known.
  public var photoIDs: [Int64?]
  /// Status of each face; nil for a new one.
  public var statuses: [DetectionStatus?]
  /// Cluster of each face, where it has one.
  public var clusterIDs: [Int64?]
  /// n × d unit vectors; a row is all NaN where what is stored has another length.
  public var embeddings: Matrix<Float>

  /// Number of faces, n.
  public var count: Int { ids.count }

  /// Faces with their vectors; every field has n values.
  public init(
    ids: [Int64], photoIDs: [Int64?], statuses: [DetectionStatus?], clusterIDs: [Int64?],
    embeddings: Matrix<Float>
  ) {
    self.ids = ids
    self.photoIDs = photoIDs
    self.statuses = statuses
    self.clusterIDs = clusterIDs
    self.embeddings = embeddings
  }
}

/// Which faces take part in a bootstrap.
public struct Eligibility: Sendable, Equatable {
  /// Shorter side of the face box, in pixels; faces without a box are eligible.
  public var minFaceSizePixels: Double
  /// Detector confidence, 0…1; faces without one are eligible.
  public var minFaceConfidence: Double

  /// Limits on the face's box and on the detector's confidence.
  public init(minFaceSizePixels: Double, minFaceConfidence: Double) {
    self.minFaceSizePixels = minFaceSizePixels
    self.minFaceConfidence = minFaceConfidence
  }

  // real columns are compared as real, so that 0.9 accepts a stored 0.9.
  private var isLarge: String {
    "coalesce(least(d.face_width, d.face_height) >= '\(minFaceSizePixels)'::real, true)"
  }
  private var isCertain: String {
    "coalesce(d.face_confidence >= '\(minFaceConfidence)'::real, true)"
  }

  var condition: String {
    """
    (least(d.face_width, d.face_height) < '\(minFaceSizePixels)'::real
      OR d.face_confidence < '\(minFaceConfidence)'::real) IS NOT TRUE
    """
  }

  /// Why a face takes no part in a bootstrap, as an expression; NULL where it does.
  var reason: String {
    """
    CASE WHEN d.cluster_status = 'invalid' THEN d.invalid_reason
      WHEN NOT \(isLarge) THEN format('filtered: %s px, below MIN_FACE_SIZE_PX',
        least(d.face_width, d.face_height))
      WHEN NOT \(isCertain) THEN format('filtered: confidence %s, below MIN_FACE_CONFIDENCE',
        d.face_confidence) END
    """
  }
}

/// Reads faces with their embeddings.
public struct FaceReader: Sendable {
  /// The collection that every statement is scoped to.
  public let collection: CollectionRecord

  /// A reader of one collection.
  public init(_ collection: CollectionRecord) { self.collection = collection }

  /// Faces that are not known to be unusable, as a condition.
  static let isUsable = "d.cluster_status IS DISTINCT FROM 'invalid'"
  static let columns = "d.id, d.photo_id, d.cluster_status, d.cluster_id, e.embedding"
  /// A join that the planner may not turn round: where its statistics know nothing of the collection, it would
  /// compare every face with every embedding.
  static let source = """
    person_detection d JOIN LATERAL (SELECT e.xmin, e.embedding FROM face_embedding e
      WHERE e.collection_id = d.collection_id AND e.detection_id = d.id OFFSET 0) e ON true
    """

  /// How many faces the eligibility rule leaves out, and how many it takes.
  public func countEligible(
    _ eligibility: Eligibility, on connection: isolated PostgresConnection
  ) throws -> (eligible: Int, filtered: Int) {
    let row = try connection.query(
      """
      SELECT count(*) FILTER (WHERE \(eligibility.condition)) AS eligible, count(*) AS total
      FROM person_detection d
      WHERE d.collection_id = $1 AND \(Self.isUsable)
      """, [.int64(collection.id)])[0]
    let eligible = Int(try row.int64("eligible"))
    return (eligible, Int(try row.int64("total")) - eligible)
  }

  /// Faces by id; ids that do not exist are left out.
  ///
  /// - Parameter ids: at most some ten thousand; more should come through a condition.
  public func faces(
    ids: [Int64], on connection: isolated PostgresConnection
  ) throws -> FaceSnapshot {
    try collect(
      connection.queryPrepared(
        """
        SELECT \(Self.columns) FROM \(Self.source)
        WHERE d.collection_id = $1 AND d.id = ANY($2) ORDER BY d.id
        """, [.int64(collection.id), .int64Array(ids)]))
  }

  /// The faces of the pool: without a cluster, waiting.
  public func pool(
    _ eligibility: Eligibility, on connection: isolated PostgresConnection
  ) throws -> FaceSnapshot {
    try collect(
      connection.query(
        """
        SELECT \(Self.columns) FROM \(Self.source)
        WHERE d.collection_id = $1 AND d.in_pool AND \(eligibility.condition)
        ORDER BY d.id
        """, [.int64(collection.id)]))
  }

  /// Those of these faces that are in the pool.
  public func pool(
    _ eligibility: Eligibility, among ids: [Int64], on connection: isolated PostgresConnection
  ) throws -> FaceSnapshot {
    if ids.isEmpty { return .empty(dimension: collection.dimension, capacity: 0) }
    return try collect(
      connection.queryPrepared(
        """
        SELECT \(Self.columns) FROM \(Self.source)
        WHERE d.collection_id = $1 AND d.id = ANY($2)
          AND d.cluster_status IN \(DetectionStatus.pool) AND \(eligibility.condition)
        ORDER BY d.id
        """, [.int64(collection.id), .int64Array(ids)]))
  }

  /// The pool, however small or unsure its faces are: that of the tiers, which take every face.
  public func pool(on connection: isolated PostgresConnection) throws -> FaceSnapshot {
    try collect(
      connection.query(
        """
        SELECT \(Self.columns) FROM \(Self.source)
        WHERE d.collection_id = $1 AND d.in_pool
        ORDER BY d.id
        """, [.int64(collection.id)]))
  }

  /// The faces of some clusters.
  public func members(
    ofClusters ids: [Int64], on connection: isolated PostgresConnection
  ) throws -> FaceSnapshot {
    try collect(
      connection.query(
        """
        SELECT \(Self.columns) FROM \(Self.source)
        WHERE d.collection_id = $1 AND d.cluster_id = ANY($2) ORDER BY d.id
        """, [.int64(collection.id), .int64Array(ids)]))
  }

  /// Every face that has a cluster.
  ///
  /// Call it inside a repeatable-read transaction.
  public func assigned(on connection: isolated PostgresConnection) throws -> FaceSnapshot {
    try read(where: "d.cluster_id IS NOT NULL", on: connection)
  }

  /// Every face that has an embedding.
  ///
  /// Call it inside a repeatable-read transaction.
  public func all(on connection: isolated PostgresConnection) throws -> FaceSnapshot {
    try read(where: "true", on: connection)
  }

  /// Claims up to `limit` faces for assignment and locks them until the transaction ends.
  ///
  /// Rows that another worker holds are skipped.
  ///
  /// - Parameters:
  ///   - force: also faces that were assigned incrementally before, or wait; verified and anchored clusters keep
  ///     their members.
  ///   - after: only ids above this one.
  public func claim(
    limit: Int, force: Bool, after: Int64, on connection: isolated PostgresConnection
  ) throws -> FaceSnapshot {
    let open = DetectionStatus.reassignable.map(\.rawValue).sorted()
    let condition =
      force
      ? "(d.is_new OR \(DetectionStatus.isReassignable("d", "$4")))"
      : "d.is_new AND $4::text[] IS NOT NULL"
    return try first(
      limit, after: after, where: condition, "FOR UPDATE OF d SKIP LOCKED", [.textArray(open)],
      on: connection)
  }

  /// Up to `limit` faces without a status above an id, as they are at the moment; nobody is kept from them.
  public func new(
    limit: Int, after: Int64, on connection: isolated PostgresConnection
  ) throws -> FaceSnapshot {
    try first(limit, after: after, where: "d.is_new", "", [], on: connection)
  }

  /// The first faces above an id that meet a condition, whose parameters begin with $4.
  private func first(
    _ limit: Int, after: Int64, where condition: String, _ locking: String,
    _ parameters: [PostgresValue], on connection: isolated PostgresConnection
  ) throws -> FaceSnapshot {
    try collect(
      connection.queryPrepared(
        """
        SELECT \(Self.columns) FROM \(Self.source)
        WHERE d.collection_id = $1 AND d.id > $2 AND \(condition)
        ORDER BY d.id LIMIT $3 \(locking)
        """, [.int64(collection.id), .int64(after), .int64(Int64(limit))] + parameters))
  }

  func collect(_ rows: PostgresRows) throws -> FaceSnapshot {
    var result = FaceSnapshot.empty(dimension: collection.dimension, capacity: rows.count)
    let dimension = collection.dimension
    result.embeddings = try Matrix<Float>(rows: rows.count, columns: dimension) { base, stride in
      for (index, row) in rows.enumerated() {
        let id = try row.int64(0)
        try result.append(
          id: id, photo: try row.optionalInt64(1), status: try row.optionalText(2),
          cluster: row.optionalInt64(3))
        if let values = VectorBytes.floats(try row.bytes(4), count: dimension) {
          (base + index * stride).update(from: values, count: dimension)
        } else {
          (base + index * stride).update(repeating: .nan, count: dimension)
        }
      }
    }
    return result
  }

  /// Two streams, of faces and of vectors: to join and sort them the server would write all vectors into
  /// files of its own.
  private func read(
    where condition: String, on connection: isolated PostgresConnection
  ) throws -> FaceSnapshot {
    let heads = try heads(where: condition, on: connection)
    return try adding(to: heads, inOrder: Array(heads.ids.indices), on: connection)
  }

  /// Faces by id, without their vectors.
  func heads(
    where condition: String, on connection: isolated PostgresConnection
  ) throws -> FaceSnapshot {
    var result = FaceSnapshot.empty(dimension: collection.dimension, capacity: 0)
    // COPY takes no parameters; what is written into the text are numbers of ours.
    _ = try connection.copyOut(
      """
      COPY (SELECT d.id, d.photo_id, d.cluster_status, d.cluster_id FROM person_detection d
        WHERE d.collection_id = \(collection.id) AND \(condition) ORDER BY d.id)
      TO STDOUT (FORMAT binary)
      """
    ) { row in
      try result.append(
        id: try row.int64(0), photo: try row.optionalInt64(1), status: try row.optionalText(2),
        cluster: row.optionalInt64(3))
    }
    return result
  }

  /// The vectors of faces, added to what else is known of them; a face without one is left out.
  ///
  /// - Parameters:
  ///   - heads: faces by id.
  ///   - order: which of them comes first, and so on.
  func adding(
    to heads: FaceSnapshot, inOrder order: [Int], on connection: isolated PostgresConnection
  ) throws -> FaceSnapshot {
    var rowOfFace = order
    for (row, face) in order.enumerated() { rowOfFace[face] = row }
    let (rows, embeddings) = try vectors(
      ofSorted: heads.ids, rows: rowOfFace, isDamagedKept: true, on: connection)
    let faces = rows.map { order[$0] }
    return FaceSnapshot(
      ids: faces.map { heads.ids[$0] }, photoIDs: faces.map { heads.photoIDs[$0] },
      statuses: faces.map { heads.statuses[$0] }, clusterIDs: faces.map { heads.clusterIDs[$0] },
      embeddings: embeddings)
  }
}

extension FaceSnapshot {
  static func empty(dimension: Int, capacity: Int) -> FaceSnapshot {
    var snapshot = FaceSnapshot(
      ids: [], photoIDs: [], statuses: [], clusterIDs: [], embeddings: Matrix([]))
    snapshot.ids.reserveCapacity(capacity)
    return snapshot
  }

  mutating func append(id: Int64, photo: Int64?, status: String?, cluster: Int64?) throws {
    ids.append(id)
    photoIDs.append(photo)
    if let status {
      guard let known = DetectionStatus(rawValue: status) else {
        throw StoreError.damaged(table: "person_detection", id: id, what: "status “\(status)”")
      }
      statuses.append(known)
    } else {
      statuses.append(nil)
    }
    clusterIDs.append(cluster)
  }
}
