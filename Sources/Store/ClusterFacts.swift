public import PostgresClient
public import Vectors

/// What a fit, or the pool, knows about a cluster that it found.
public struct ClusterFacts: Sendable, Equatable {
  /// Number of members and the sum of their embeddings.
  public var faceCount: Int
  /// Members that the fit calls core.
  public var coreCount: Int
  /// Sum of the members' unit vectors, length d.
  public var sum: [Double]
  /// What tier 2 will measure against, unit length.
  public var reference: [Float]
  /// The member nearest to all others by summed cosine distance.
  public var medoidDetectionID: Int64?
  /// Radius of acceptance; nil leaves it to the clustering threshold.
  public var epsilon: CosineDistance?
  /// Cosine distances of the members to the centroid at 1, 5, 10, 25, 50, 75, 90, 95, 99 %.
  public var distanceQuantiles: [Float]
  /// Infinite where the members coincide.
  public var lambdaBirth: Float?
  /// Stability over size and largest lambda of the tree, 0…1.
  public var persistence: Float?
  /// bootstrap, pool or manual.
  public var origin: String

  /// Length of the mean of the members' vectors, 0…1; nil where there are none.
  public var referenceLength: Double? {
    let norm = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return faceCount > 0 ? min(norm / Double(faceCount), 1) : nil
  }

  /// The direction of the sum, unit length; zero where there is none.
  var centroid: [Float] { ClusterSum(id: 0, faceCount: faceCount, sum: sum).centroid }

  /// The facts of one cluster.
  public init(
    faceCount: Int, coreCount: Int, sum: [Double], reference: [Float],
    medoidDetectionID: Int64?, epsilon: CosineDistance?, distanceQuantiles: [Float],
    lambdaBirth: Float? = nil, persistence: Float? = nil, origin: String
  ) {
    self.faceCount = faceCount
    self.coreCount = coreCount
    self.sum = sum
    self.reference = reference
    self.medoidDetectionID = medoidDetectionID
    self.epsilon = epsilon
    self.distanceQuantiles = distanceQuantiles
    self.lambdaBirth = lambdaBirth
    self.persistence = persistence
    self.origin = origin
  }
}

extension ClusterRepository {
  /// Makes clusters, each with an unnamed person of its own unless it is given one.
  ///
  /// - Parameter persons: the person of each new cluster; nil makes one.
  /// - Returns: the new ids, in the order of `facts`.
  public func create(
    _ facts: [ClusterFacts], persons given: [Int64?], runID: Int64?,
    on connection: isolated PostgresConnection
  ) throws -> [Int64] {
    if facts.isEmpty { return [] }
    let persons = try owners(given, on: connection)
    let ids = try connection.query(
      """
      INSERT INTO cluster (collection_id, person_id, face_count, centroid_sum, centroid,
        reference_centroid, origin)
      SELECT $1, t.person_id, 0, '', '', '', 'bootstrap'
      FROM unnest($2::bigint[]) WITH ORDINALITY AS t (person_id, position) ORDER BY t.position
      RETURNING id
      """, [.int64(collection.id), .int64Array(persons)]
    ).map { try $0.int64(0) }.sorted()
    try update(Array(zip(ids, facts)), runID: runID, on: connection)
    return ids
  }

  /// Persons for new clusters; an unnamed one is made where none is given.
  func owners(
    _ given: [Int64?], on connection: isolated PostgresConnection
  ) throws -> [Int64] {
    var new = try connection.query(
      """
      INSERT INTO person (collection_id) SELECT $1 FROM generate_series(1, $2::integer)
      RETURNING id
      """, [.int64(collection.id), .int32(Int32(given.count { $0 == nil }))]
    ).map { try $0.int64(0) }.sorted()[...]
    try connection.countIfThoughtSmall("person", added: new.count)
    return given.map { $0 ?? new.removeFirst() }
  }

  /// Gives clusters the shape that a fit found; ids, persons and flags stay.
  public func update(
    _ clusters: [(id: Int64, facts: ClusterFacts)], runID: Int64?,
    on connection: isolated PostgresConnection
  ) throws {
    if clusters.isEmpty { return }
    let facts = clusters.map(\.facts)
    try connection.query(
      """
      UPDATE cluster c SET face_count = t.face_count, core_count = t.core_count,
        centroid_sum = t.centroid_sum, centroid = t.centroid,
        reference_centroid = t.reference_centroid, medoid_detection_id = t.medoid_id,
        epsilon = t.epsilon, distance_quantiles = t.quantiles::real[],
        lambda_birth = t.lambda_birth, persistence = t.persistence, hdbscan_run_id = $13,
        origin = t.origin, retired_at = NULL, changed_since_medoid = 0, \(TransactionHorizon.stamp),
        reference_count = t.face_count, reference_length = t.reference_length
      FROM unnest($2::bigint[], $3::integer[], $4::integer[], $5::bytea[], $6::bytea[],
        $7::bytea[], $8::bigint[], $9::real[], $10::text[], $11::real[], $12::real[],
        $14::text[], $15::real[])
        AS t (id, face_count, core_count, centroid_sum, centroid, reference_centroid, medoid_id,
          epsilon, quantiles, lambda_birth, persistence, origin, reference_length)
      WHERE c.collection_id = $1 AND c.id = t.id
      """,
      [
        .int64(collection.id), .int64Array(clusters.map(\.id)),
        .int32Array(facts.map { Int32($0.faceCount) }),
        .int32Array(facts.map { Int32($0.coreCount) }),
        .bytesArray(facts.map { VectorBytes.encode($0.sum) }),
        .bytesArray(facts.map { VectorBytes.encode($0.centroid) }),
        .bytesArray(facts.map { VectorBytes.encode($0.reference) }),
        .optionalInt64Array(facts.map(\.medoidDetectionID)),
        .optionalFloatArray(facts.map { $0.epsilon.map { Float($0.value) } }),
        .textArray(facts.map { Self.arrayText($0.distanceQuantiles) }),
        .optionalFloatArray(facts.map(\.lambdaBirth)),
        .optionalFloatArray(facts.map(\.persistence)),
        runID.map(PostgresValue.int64) ?? .null, .textArray(facts.map(\.origin)),
        .optionalFloatArray(facts.map { $0.referenceLength.map { Float($0) } }),
      ])
  }

  /// An array in the notation of PostgreSQL; `unnest` takes no arrays of arrays.
  private static func arrayText(_ values: [Float]) -> String {
    "{\(values.map(\.description).joined(separator: ","))}"
  }

  /// Says of clusters that their last member left; they keep their direction.
  public func empty(
    _ ids: [Int64], on connection: isolated PostgresConnection
  ) throws {
    if ids.isEmpty { return }
    let zero = VectorBytes.encode([Double](repeating: 0, count: collection.dimension))
    try connection.query(
      """
      UPDATE cluster SET face_count = 0, core_count = 0, centroid_sum = $3, \(TransactionHorizon.stamp)
      WHERE collection_id = $1 AND id = ANY($2)
      """, [.int64(collection.id), .int64Array(ids), .bytes(zero)])
  }

  /// Retires clusters that have no members left.
  ///
  /// Their rows stay, for lineage and for going back.
  public func retire(
    _ ids: [Int64], on connection: isolated PostgresConnection
  ) throws {
    if ids.isEmpty { return }
    try connection.query(
      """
      UPDATE cluster SET retired_at = now(), face_count = 0, core_count = 0, centroid_sum = $3,
        \(TransactionHorizon.stamp)
      WHERE collection_id = $1 AND id = ANY($2)
      """,
      [
        .int64(collection.id), .int64Array(ids),
        .bytes(VectorBytes.encode([Double](repeating: 0, count: collection.dimension))),
      ])
  }
}
