public import PostgresClient
public import Vectors

/// The clusters that live, as the gates and the lineage need them; row i is cluster i.
public struct LiveClusters: Sendable {
  /// Cluster ids, ascending.
  public var ids: [Int64] = []
  /// Person of each cluster.
  public var personIDs: [Int64] = []
  /// Name of that person, where it has one.
  public var personNames: [String?] = []
  /// Members of each cluster.
  public var faceCounts: [Int] = []
  /// Whether a human verified each cluster.
  public var verified: [Bool] = []
  /// Whether people drew each cluster's boundary: they split it, or took its person apart.
  public var anchored: [Bool] = []
  /// Radius of acceptance; absent where the cluster has none.
  public var epsilons: [CosineDistance?] = []
  /// Birth run of each cluster's present shape.
  public var runIDs: [Int64?] = []
  /// What tier 2 measures against, m × d, unit rows.
  public var references: Matrix<Float> = Matrix([])
  /// Members when each reference was made; empty where it is not known of any.
  public var referenceCounts: [Int] = []
  /// Length of the mean of those members' vectors, 0…1; nil where it is not known.
  public var referenceLengths: [Double?] = []

  /// Number of clusters, m.
  public var count: Int { ids.count }

  /// Whether a cluster keeps its members whatever a fit says: people verified or split it, or took its person apart.
  public func holdsMembers(_ row: Int) -> Bool {
    verified[row] || (row < anchored.count && anchored[row])
  }
}

/// A cluster's members in sum: what its count and centroid are made from.
public struct ClusterSum: Sendable, Equatable {
  /// Id of the cluster.
  public var id: Int64
  /// Members in all.
  public var faceCount: Int
  /// Members that a bootstrap called core.
  public var coreCount: Int
  /// Sum of the members' embeddings, length d.
  public var sum: [Double]
  /// Members that came or went with this change.
  public var moves = 0
  /// Members that came or went since the medoid was computed.
  public var changesSinceMedoid = 0
  /// Whether the medoid is a member.
  public var hasMedoid = false

  /// A sum over `faceCount` unit vectors.
  public init(id: Int64, faceCount: Int, coreCount: Int = 0, sum: [Double]) {
    self.id = id
    self.faceCount = faceCount
    self.coreCount = coreCount
    self.sum = sum
  }

  /// The direction of the sum; zero where there is none.
  public var centroid: [Float] {
    let norm = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return sum.map { norm > 0 ? Float($0 / norm) : 0 }
  }
}

/// Reads and changes clusters.
///
/// Counts and sums are only changed under row locks.
public struct ClusterRepository: Sendable {
  /// The collection that every statement is scoped to.
  public let collection: CollectionRecord

  /// A repository of one collection.
  public init(_ collection: CollectionRecord) { self.collection = collection }

  /// Every cluster that is not retired, by id.
  public func live(on connection: isolated PostgresConnection) throws -> LiveClusters {
    try live(where: "true", [], on: connection)
  }

  /// Those of these clusters that are not retired, by id.
  public func live(
    ids: [Int64], on connection: isolated PostgresConnection
  ) throws -> LiveClusters {
    try live(where: "c.id = ANY($2)", [.int64Array(ids)], on: connection)
  }

  /// The clusters of a person that are not retired, by id.
  public func live(
    ofPerson id: Int64, on connection: isolated PostgresConnection
  ) throws -> LiveClusters {
    try live(where: "c.person_id = $2", [.int64(id)], on: connection)
  }

  private func live(
    where condition: String, _ parameters: [PostgresValue],
    on connection: isolated PostgresConnection
  ) throws -> LiveClusters {
    let rows = try connection.query(
      """
      SELECT c.id, c.person_id, (SELECT p.name FROM person p
          WHERE p.collection_id = c.collection_id AND p.id = c.person_id),
        c.face_count, c.verified, c.epsilon, c.hdbscan_run_id, c.reference_centroid,
        c.reference_count, c.reference_length, c.anchored
      FROM cluster c
      WHERE c.collection_id = $1 AND c.retired_at IS NULL AND \(condition) ORDER BY c.id
      """, [.int64(collection.id)] + parameters)
    var result = LiveClusters()
    let dimension = collection.dimension
    result.references = try Matrix<Float>(rows: rows.count, columns: dimension) { base, stride in
      for (index, row) in rows.enumerated() {
        let id = try row.int64(0)
        result.ids.append(id)
        result.personIDs.append(try row.int64(1))
        result.personNames.append(try row.optionalText(2))
        result.faceCounts.append(Int(try row.int32(3)))
        result.verified.append(try row.bool(4))
        result.anchored.append(try row.bool(10))
        result.epsilons.append(try row.optionalFloat(5).map { CosineDistance(Double($0)) })
        result.runIDs.append(try row.optionalInt64(6))
        result.referenceCounts.append(Int(try row.int32(8)))
        result.referenceLengths.append(try row.optionalFloat(9).map(Double.init))
        guard let values = VectorBytes.floats(try row.bytes(7), count: dimension) else {
          throw StoreError.damaged(table: "cluster", id: id, what: "centroid of wrong length")
        }
        (base + index * stride).update(from: values, count: dimension)
      }
    }
    return result
  }

  /// Whether a cluster exists and is not retired.
  public func isLive(_ id: Int64, on connection: isolated PostgresConnection) throws -> Bool {
    try !connection.query(
      "SELECT 1 FROM cluster WHERE collection_id = $1 AND id = $2 AND retired_at IS NULL",
      [.int64(collection.id), .int64(id)]
    ).isEmpty
  }

  /// Locks clusters in ascending order of id and returns their sums.
  ///
  /// The lock lets foreign keys to the clusters pass: a question about a cluster need not wait for
  /// whoever moves faces of it.
  public func lock(
    _ ids: some Collection<Int64>, on connection: isolated PostgresConnection
  ) throws -> [ClusterSum] {
    try sums(of: ids, locking: "FOR NO KEY UPDATE OF c", on: connection)
  }

  /// The sums of clusters, by id.
  public func sums(
    of ids: some Collection<Int64>, on connection: isolated PostgresConnection
  ) throws -> [ClusterSum] { try sums(of: ids, locking: "", on: connection) }

  private func sums(
    of ids: some Collection<Int64>, locking: String, on connection: isolated PostgresConnection
  ) throws -> [ClusterSum] {
    let dimension = collection.dimension
    return try connection.queryPrepared(
      """
      SELECT c.id, c.face_count, c.centroid_sum, c.core_count, c.changed_since_medoid,
        EXISTS (SELECT FROM person_detection d WHERE d.collection_id = $1
          AND d.id = c.medoid_detection_id AND d.cluster_id = c.id)
      FROM cluster c WHERE c.collection_id = $1 AND c.id = ANY($2) ORDER BY c.id
      \(locking)
      """, [.int64(collection.id), .int64Array(ids.sorted())]
    ).map { row in
      let id = try row.int64(0)
      guard let sum = VectorBytes.doubles(try row.bytes(2), count: dimension) else {
        throw StoreError.damaged(table: "cluster", id: id, what: "sum of wrong length")
      }
      var cluster = ClusterSum(
        id: id, faceCount: Int(try row.int32(1)), coreCount: Int(try row.int32(3)), sum: sum)
      cluster.changesSinceMedoid = Int(try row.int32(4))
      cluster.hasMedoid = try row.bool(5)
      return cluster
    }
  }

  /// Writes counts, sums and centroids of clusters that the caller has locked.
  public func update(
    _ sums: [ClusterSum], on connection: isolated PostgresConnection
  ) throws {
    if sums.isEmpty { return }
    if sums.count == 1, let only = sums.first {
      // The server plans this once; of lists it cannot know that they are as short.
      return try update(
        from: "(SELECT $2::bigint, $3::integer, $4::bytea, $5::bytea, $6::integer, $7::integer)",
        [
          .int64(only.id), .int32(Int32(only.faceCount)), .bytes(VectorBytes.encode(only.sum)),
          .bytes(VectorBytes.encode(only.centroid)), .int32(Int32(only.coreCount)),
          .int32(Int32(only.moves)),
        ], on: connection)
    }
    try update(
      from: """
        unnest($2::bigint[], $3::integer[], $4::bytea[], $5::bytea[], $6::integer[], $7::integer[])
        """,
      [
        .int64Array(sums.map(\.id)), .int32Array(sums.map { Int32($0.faceCount) }),
        .bytesArray(sums.map { VectorBytes.encode($0.sum) }),
        .bytesArray(sums.map { VectorBytes.encode($0.centroid) }),
        .int32Array(sums.map { Int32($0.coreCount) }), .int32Array(sums.map { Int32($0.moves) }),
      ], on: connection)
  }

  private func update(
    from source: String, _ parameters: [PostgresValue], on connection: isolated PostgresConnection
  ) throws {
    try connection.queryPrepared(
      """
      UPDATE cluster c SET face_count = t.face_count, centroid_sum = t.centroid_sum,
        centroid = CASE WHEN t.face_count > 0 THEN t.centroid ELSE c.centroid END,
        core_count = t.core_count, changed_since_medoid = c.changed_since_medoid + t.moves,
        \(TransactionHorizon.stamp)
      FROM \(source) AS t (id, face_count, centroid_sum, centroid, core_count, moves)
      WHERE c.collection_id = $1 AND c.id = t.id
      """, [.int64(collection.id)] + parameters)
  }

  /// Those of these clusters whose medoid is out of date, ascending.
  ///
  /// Its face left, or more than a share of the members came or went since it was computed.
  public func withOldMedoid(
    _ ids: [Int64], changedShare: Double, on connection: isolated PostgresConnection
  ) throws -> [Int64] {
    try connection.queryPrepared(
      """
      SELECT c.id FROM cluster c
      WHERE c.collection_id = $1 AND c.id = ANY($2) AND c.face_count > 0
        AND (c.changed_since_medoid > $3 * c.face_count OR NOT EXISTS (
          SELECT FROM person_detection d WHERE d.collection_id = $1
            AND d.id = c.medoid_detection_id AND d.cluster_id = c.id))
      ORDER BY c.id
      """, [.int64(collection.id), .int64Array(ids), .double(changedShare)]
    ).map { try $0.int64(0) }
  }

  /// Writes medoids that were just computed, of clusters that the caller has locked.
  public func setMedoids(
    _ medoids: [Int64: Int64], on connection: isolated PostgresConnection
  ) throws {
    if medoids.isEmpty { return }
    let pairs = medoids.sorted { $0.key < $1.key }
    try connection.queryPrepared(
      """
      UPDATE cluster c SET medoid_detection_id = t.medoid_id, changed_since_medoid = 0
      FROM unnest($2::bigint[], $3::bigint[]) AS t (id, medoid_id)
      WHERE c.collection_id = $1 AND c.id = t.id
      """, [.int64(collection.id), .int64Array(pairs.map(\.key)), .int64Array(pairs.map(\.value))])
  }
}
