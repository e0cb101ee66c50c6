internal import Crypto
public import PostgresClient
internal import Vectors

/// What a bootstrap will write, on the server before anybody has to wait for it.
///
/// It lies in temporary tables of the transaction. Clusters are counted by numbers of the caller, because
/// new ones have no id yet; these are written once, and only where they belong.
public struct BootstrapStaging: Sendable {
  /// The collection that every statement is scoped to.
  public let collection: CollectionRecord

  /// The staging of one collection.
  public init(_ collection: CollectionRecord) { self.collection = collection }

  /// Makes the tables, which go with the transaction.
  public func begin(on connection: isolated PostgresConnection) throws {
    try connection.execute(
      script: """
        CREATE TEMPORARY TABLE photodb_facts (number integer, face_count integer,
          core_count integer, centroid_sum bytea, centroid bytea, reference_centroid bytea,
          medoid_detection_id bigint, epsilon real, distance_quantiles real[], lambda_birth real,
          persistence real, origin text, reference_length real) ON COMMIT DROP;
        ALTER TABLE photodb_facts ALTER COLUMN centroid_sum SET STORAGE EXTERNAL,
          ALTER COLUMN centroid SET STORAGE EXTERNAL,
          ALTER COLUMN reference_centroid SET STORAGE EXTERNAL;
        CREATE TEMPORARY TABLE photodb_placement (id bigint, status text, number integer,
          confidence real, is_core boolean, is_adopted boolean, lambda_val real,
          outlier_score real, tier text) ON COMMIT DROP;
        CREATE TEMPORARY TABLE photodb_change (id bigint, status text, cluster_id bigint,
          person_id bigint, confidence real, is_core boolean, is_adopted boolean, lambda_val real,
          outlier_score real, tier text, old_cluster bigint, old_status text) ON COMMIT DROP;
        CREATE TEMPORARY TABLE photodb_same (id bigint, number integer, row_version xid,
          row_place tid) ON COMMIT DROP
        """)
  }

  /// Facts of a cluster that exists.
  public struct Shape: Sendable, Equatable {
    /// The cluster.
    public var id: Int64
    /// What the fit says about it.
    public var facts: ClusterFacts
    /// Whether its reference is to be that of the facts.
    public var hasNewReference: Bool

    /// Facts of a cluster that exists.
    public init(id: Int64, facts: ClusterFacts, hasNewReference: Bool) {
      (self.id, self.facts, self.hasNewReference) = (id, facts, hasNewReference)
    }
  }

  /// Brings facts of clusters that exist, in place of those that were brought under the same numbers.
  ///
  /// Vectors that the server has already are not sent: those of a cluster are most of what a bootstrap
  /// writes. Whether it has them is told by a hash (SHA-256 of the sum).
  ///
  /// - Complexity: O(clusters · d).
  public func put(
    _ shapes: [(number: Int, shape: Shape)], on connection: isolated PostgresConnection
  ) throws {
    if shapes.isEmpty { return }
    let numbers = shapes.map { Int64($0.number) }
    try remove("photodb_facts", "number", numbers, on: connection)
    try remove("photodb_same", "number", numbers, on: connection)
    let same = Set(
      try connection.query(
        """
        INSERT INTO photodb_same
        SELECT c.id, m.number, c.xmin, c.ctid
        FROM unnest($2::bigint[], $3::integer[], $4::bytea[]) AS m (id, number, hash)
        JOIN cluster c ON c.collection_id = $1 AND c.id = m.id
        WHERE sha256(c.centroid_sum) = m.hash
        RETURNING number
        """,
        [
          .int64(collection.id), .int64Array(shapes.map(\.shape.id)),
          .int32Array(shapes.map { Int32($0.number) }),
          .bytesArray(
            shapes.map { Array(SHA256.hash(data: VectorBytes.encode($0.shape.facts.sum))) }),
        ]
      ).map { Int(try $0.int32(0)) })
    try connection.copyIn(
      """
      COPY photodb_facts (number, \(Self.factColumns.joined(separator: ", ")))
      FROM STDIN (FORMAT binary)
      """, columns: 1 + Self.factColumns.count
    ) { writer in
      for (number, shape) in shapes {
        try writer.row { row in
          row.int32(Int32(number))
          Self.write(
            shape.facts, sum: !same.contains(number), reference: shape.hasNewReference, to: &row)
        }
      }
    }
  }

  /// What both a temporary table and the real one hold of facts, in the order of ``write(_:sum:reference:to:)``.
  private static let factColumns = [
    "face_count", "core_count", "centroid_sum", "centroid", "reference_centroid",
    "medoid_detection_id", "epsilon", "distance_quantiles", "lambda_birth", "persistence", "origin",
    "reference_length",
  ]

  /// Writes the fields of ``factColumns``; vectors that are not wanted are NULL.
  private static func write(
    _ facts: ClusterFacts, sum: Bool = true, reference: Bool = true,
    to row: inout CopyBinaryRowWriter
  ) {
    row.int32(Int32(facts.faceCount))
    row.int32(Int32(facts.coreCount))
    row.value(sum ? .bytes(VectorBytes.encode(facts.sum)) : .null)
    row.value(sum ? .bytes(VectorBytes.encode(facts.centroid)) : .null)
    row.value(reference ? .bytes(VectorBytes.encode(facts.reference)) : .null)
    row.value(.optional(facts.medoidDetectionID))
    row.value(.optional(facts.epsilon.map { Float($0.value) }))
    row.value(.floatArray(facts.distanceQuantiles))
    row.value(.optional(facts.lambdaBirth))
    row.value(.optional(facts.persistence))
    row.text(facts.origin)
    row.value(.optional(facts.referenceLength.map { Float($0) }))
  }

  /// Brings placements, each with the number of its cluster.
  public func put(
    _ placements: [(placement: Placement, number: Int?)],
    on connection: isolated PostgresConnection
  ) throws {
    if placements.isEmpty { return }
    try connection.copyIn(
      """
      COPY photodb_placement (id, status, number, confidence, is_core, is_adopted, lambda_val,
        outlier_score, tier) FROM STDIN (FORMAT binary)
      """, columns: 9
    ) { writer in
      for (placement, number) in placements {
        precondition(placement.status != .manual, "algorithms place nothing by hand")
        try writer.row { row in
          row.int64(placement.detectionID)
          row.text(placement.status.rawValue)
          row.value(number.map { .int32(Int32($0)) } ?? .null)
          row.value(.optional(placement.confidence))
          row.bool(placement.isCore)
          row.bool(placement.isAdopted)
          row.value(.optional(placement.lambda))
          row.value(.optional(placement.outlierScore))
          row.text(placement.tier)
        }
      }
    }
  }

  /// Lets the planner know what was brought; of temporary tables nobody else tells it.
  public func count(on connection: isolated PostgresConnection) throws {
    try connection.query("ANALYZE photodb_facts, photodb_placement")
  }

  /// Takes placements of faces out again.
  public func removePlacements(
    _ ids: [Int64], on connection: isolated PostgresConnection
  ) throws { try remove("photodb_placement", "id", ids, on: connection) }

  private func remove(
    _ table: String, _ column: String, _ values: [Int64],
    on connection: isolated PostgresConnection
  ) throws {
    if values.isEmpty { return }
    try connection.query("DELETE FROM \(table) WHERE \(column) = ANY($1)", [.int64Array(values)])
  }

  /// Makes clusters, each with an unnamed person of its own unless it is given one.
  ///
  /// - Returns: the new ids, in the order of `facts`.
  /// - Complexity: O(clusters · d).
  public func create(
    _ facts: [ClusterFacts], persons: [Int64?], runID: Int64,
    on connection: isolated PostgresConnection
  ) throws -> [Int64] {
    precondition(persons.count == facts.count, "a person, or none, for each cluster")
    if facts.isEmpty { return [] }
    let persons = try ClusterRepository(collection).owners(persons, on: connection)
    let ids = try connection.newIDs(facts.count, of: "cluster")
    try connection.copyIn(
      """
      COPY cluster (collection_id, id, person_id, hdbscan_run_id, reference_count,
        \(Self.factColumns.joined(separator: ", "))) FROM STDIN (FORMAT binary)
      """, columns: 5 + Self.factColumns.count
    ) { writer in
      for ((id, person), facts) in zip(zip(ids, persons), facts) {
        try writer.row { row in
          row.int64(collection.id)
          row.int64(id)
          row.int64(person)
          row.int64(runID)
          row.int32(Int32(facts.faceCount))
          Self.write(facts, to: &row)
        }
      }
    }
    try connection.countIfThoughtSmall("cluster", added: ids.count)
    return ids
  }

  /// Which of the clusters whose vectors were not sent were written since by somebody else.
  ///
  /// Whoever owns the membership of the collection has their facts brought again, and may then
  /// ``update(_:runID:on:)``: nobody else changes the sum of a cluster meanwhile.
  ///
  /// - Returns: their numbers.
  public func changedSince(on connection: isolated PostgresConnection) throws -> Set<Int> {
    Set(
      try connection.query(
        """
        SELECT s.number FROM photodb_same s WHERE NOT EXISTS (SELECT FROM cluster c
          WHERE c.collection_id = $1 AND c.id = s.id AND c.xmin = s.row_version
            AND c.ctid = s.row_place)
        """, [.int64(collection.id)]
      ).map { Int(try $0.int32(0)) })
  }

  /// Gives clusters the shape of facts that were brought; ids, persons and flags stay.
  ///
  /// - Parameters:
  ///   - clusters: the cluster and the number of its facts.
  ///   - isOldFit: whether the fit is that of an earlier run. What it does not know of a cluster stays as it was then.
  public func update(
    _ clusters: [(id: Int64, number: Int)], runID: Int64, isOldFit: Bool,
    on connection: isolated PostgresConnection
  ) throws {
    if clusters.isEmpty { return }
    try connection.query(
      """
      UPDATE cluster c SET face_count = t.face_count, core_count = t.core_count,
        centroid_sum = coalesce(t.centroid_sum, c.centroid_sum),
        centroid = coalesce(t.centroid, c.centroid),
        reference_centroid = coalesce(t.reference_centroid, c.reference_centroid),
        medoid_detection_id = t.medoid_detection_id, epsilon = t.epsilon,
        distance_quantiles = t.distance_quantiles,
        lambda_birth = CASE WHEN $5 THEN coalesce(t.lambda_birth, c.lambda_birth)
          ELSE t.lambda_birth END,
        persistence = CASE WHEN $5 THEN coalesce(t.persistence, c.persistence)
          ELSE t.persistence END, hdbscan_run_id = $4,
        origin = CASE WHEN $5 AND t.lambda_birth IS NULL THEN c.origin ELSE t.origin END,
        retired_at = NULL,
        changed_since_medoid = 0, \(TransactionHorizon.stamp), reference_count = t.face_count,
        reference_length = t.reference_length
      FROM unnest($2::bigint[], $3::integer[]) AS m (id, number)
      JOIN photodb_facts t ON t.number = m.number
      WHERE c.collection_id = $1 AND c.id = m.id
      """,
      [
        .int64(collection.id), .int64Array(clusters.map(\.id)),
        .int32Array(clusters.map { Int32($0.number) }), .int64(runID), .bool(isOldFit),
      ])
  }

  /// Finds the faces that the placements move or change, and records an event for each that moves.
  ///
  /// Locks no row: whoever owns the membership of the collection may take the time.
  /// ``moveFaces(runID:on:)`` does what was found.
  ///
  /// - Parameter clusters: the id of each number that a placement names.
  /// - Returns: the ids of those faces, ascending.
  public func findMoves(
    clusters: [(number: Int, id: Int64)], runID: Int64,
    on connection: isolated PostgresConnection
  ) throws -> [Int64] {
    try connection.query(
      """
      INSERT INTO photodb_change
      SELECT d.id, t.status, t.cluster_id, c.person_id, t.confidence, t.is_core, t.is_adopted,
        t.lambda_val, t.outlier_score, t.tier, d.cluster_id, d.cluster_status
      FROM (SELECT p.*, m.cluster_id FROM photodb_placement p
        LEFT JOIN unnest($3::integer[], $4::bigint[]) AS m (number, cluster_id)
          ON m.number = p.number) t
      JOIN person_detection d ON d.collection_id = $1 AND d.id = t.id
      LEFT JOIN cluster c ON c.collection_id = $1 AND c.id = t.cluster_id
      WHERE \(DetectionRepository.isOpen(parameter: 2)) AND \(DetectionRepository.isElsewhere)
      """,
      [
        .int64(collection.id),
        .textArray(DetectionStatus.openToAlgorithms.map(\.rawValue).sorted()),
        .int32Array(clusters.map { Int32($0.number) }), .int64Array(clusters.map(\.id)),
      ])
    try connection.query(
      """
      INSERT INTO assignment_event (collection_id, detection_id, old_cluster_id, new_cluster_id,
        old_status, new_status, tier, run_id, confidence)
      SELECT $1, id, old_cluster, cluster_id, old_status, status, tier, $2, confidence
      FROM photodb_change
      WHERE (old_cluster, old_status) IS DISTINCT FROM (cluster_id, status)
      ORDER BY id
      """, [.int64(collection.id), .int64(runID)])
    return try connection.query("SELECT id FROM photodb_change ORDER BY id").map {
      try $0.int64(0)
    }
  }

  /// Puts the faces that ``findMoves(clusters:runID:on:)`` found where they belong now.
  ///
  /// From here on their rows are locked. A face that somebody took away or moved since, without asking for the
  /// membership of the collection, is left alone, and no event says that it moved.
  ///
  /// - Parameter found: how many it found.
  public func moveFaces(_ found: Int, runID: Int64, on connection: isolated PostgresConnection)
    throws
  {
    let moved = try connection.query(
      """
      UPDATE person_detection d SET person_id = t.person_id, assigned_run_id = $2,
        \(DetectionRepository.placed)
      FROM photodb_change t WHERE d.collection_id = $1 AND d.id = t.id
        AND (d.cluster_id, d.cluster_status) IS NOT DISTINCT FROM (t.old_cluster, t.old_status)
      """, [.int64(collection.id), .int64(runID)]
    ).affectedRows
    if moved == found { return }
    try connection.query(
      """
      DELETE FROM assignment_event e USING photodb_change t
      WHERE e.collection_id = $1 AND e.run_id = $2 AND e.tier = t.tier AND e.detection_id = t.id
        AND NOT EXISTS (SELECT FROM person_detection d WHERE d.collection_id = $1 AND d.id = t.id
          AND d.assigned_run_id = $2)
      """, [.int64(collection.id), .int64(runID)])
  }
}
