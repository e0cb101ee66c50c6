public import PostgresClient

/// What happened to a collection since a run.
public struct StalenessFacts: Sendable, Equatable {
  /// Faces that a fit would see now.
  public var eligible: Int
  /// Faces of the fit that no longer exist.
  public var deleted: Int
  /// Faces decided incrementally since the run.
  public var arrivals: Int
  /// Those of them without a cluster.
  public var arrivalsInPool: Int
  /// Those of them that tier 1 did not place.
  public var arrivalsNotPredicted: Int
  /// Those of them that have a cluster.
  public var arrivalsWithCluster: Int
  /// Mean cosine distance of the latest arrivals to the reference centroid of their cluster.
  public var meanArrivalDistance: Double?
}

/// Reads what the staleness signals are made from.
public struct StalenessRepository: Sendable {
  /// The collection that every statement is scoped to.
  public let collection: CollectionRecord

  /// A repository of one collection.
  public init(_ collection: CollectionRecord) { self.collection = collection }

  /// Counts since a run finished.
  ///
  /// - Parameters:
  ///   - lastFittedID: highest id of the faces of the fit.
  ///   - then: which faces the fit saw.
  ///   - now: which faces a fit would see.
  /// - Complexity: two passes over the states of the collection.
  public func facts(
    since run: RunRecord, lastFittedID: Int64, eligibleThen then: Eligibility,
    eligibleNow now: Eligibility,
    on connection: isolated PostgresConnection
  ) throws -> StalenessFacts {
    // An invalid face has a reason, and whether there is one is quicker told than what the status is.
    // Each face is looked at once, not twice, as long as nobody changed which faces a fit sees.
    let eligible = "count(*) FILTER (WHERE d.invalid_reason IS NULL AND \(now.condition))"
    let remaining =
      then == now
      ? """
      \(eligible)
        - count(*) FILTER (WHERE d.id > $2 AND d.invalid_reason IS NULL AND \(now.condition))
      """
      : "count(*) FILTER (WHERE d.id <= $2 AND d.invalid_reason IS NULL AND \(then.condition))"
    let faces = try connection.query(
      """
      SELECT \(remaining) AS remaining, \(eligible) AS eligible
      FROM person_detection d WHERE d.collection_id = $1
      """, [.int64(collection.id), .int64(lastFittedID)]
    ).single()
    // A statement of its own: both are passes that the server shares out to its processors, which it
    // does not do where an order is asked for among all faces.
    let row = try connection.query(
      """
      SELECT count(*) AS arrivals, count(*) FILTER (WHERE assigned_tier <> 'predict')
          AS not_predicted,
        count(cluster_id) AS with_cluster,
        coalesce((array_agg(id ORDER BY id DESC) FILTER (
          WHERE assigned_tier IN ('predict', 'epsilon_ball')))[1:500], '{}') AS latest
      FROM person_detection
      WHERE collection_id = $1 AND assigned_run_id = $2
        AND assigned_tier IN ('predict', 'epsilon_ball', 'pool')
      """, [.int64(collection.id), .int64(run.id)]
    ).single()
    let (arrivals, withCluster) = (
      Int(try row.int64("arrivals")), Int(try row.int64("with_cluster"))
    )
    return StalenessFacts(
      eligible: Int(try faces.int64("eligible")),
      deleted: max(run.embeddingCount - Int(try faces.int64("remaining")), 0),
      arrivals: arrivals, arrivalsInPool: arrivals - withCluster,
      arrivalsNotPredicted: Int(try row.int64("not_predicted")),
      arrivalsWithCluster: withCluster,
      meanArrivalDistance: try meanDistance(try row.int64Array("latest"), on: connection))
  }

  /// Mean cosine distance of faces to the reference centroid of the cluster that they are in.
  private func meanDistance(
    _ ids: [Int64], on connection: isolated PostgresConnection
  ) throws -> Double? {
    let rows = try connection.query(
      """
      SELECT e.embedding, c.reference_centroid
      FROM person_detection d
      JOIN face_embedding e ON e.collection_id = d.collection_id AND e.detection_id = d.id
      JOIN cluster c ON c.collection_id = d.collection_id AND c.id = d.cluster_id
      WHERE d.collection_id = $1 AND d.id = ANY($2)
      """, [.int64(collection.id), .int64Array(ids)])
    if rows.isEmpty { return nil }
    var total = 0.0
    var count = 0
    for row in rows {
      // Spoilt vectors tell nothing about drift; assign and bootstrap find and name them.
      guard let face = VectorBytes.floats(try row.bytes(0), count: collection.dimension),
        let centroid = VectorBytes.floats(try row.bytes(1), count: collection.dimension)
      else { continue }
      let distance = 1 - zip(face, centroid).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
      if distance.isFinite {
        total += distance
        count += 1
      }
    }
    return count > 0 ? total / Double(count) : nil
  }
}
