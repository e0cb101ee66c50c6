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
  /// - Complexity: one pass over the states of the collection.
  public func facts(
    since run: RunRecord, lastFittedID: Int64, eligibleThen then: Eligibility,
    eligibleNow now: Eligibility,
    on connection: isolated PostgresConnection
  ) throws -> StalenessFacts {
    // Most faces were not decided by the tiers of this run: the tier, a text, is looked at last.
    let arrived =
      "d.assigned_run_id = $2 AND d.assigned_tier IN ('predict', 'epsilon_ball', 'pool')"
    let row = try connection.query(
      """
      SELECT
        count(*) FILTER (WHERE d.id <= $3 AND d.cluster_status IS DISTINCT FROM 'invalid'
          AND \(then.condition)) AS remaining,
        count(*) FILTER (WHERE \(arrived)) AS arrivals,
        count(*) FILTER (WHERE \(arrived) AND d.cluster_id IS NULL) AS in_pool,
        count(*) FILTER (WHERE \(arrived) AND d.assigned_tier <> 'predict') AS not_predicted,
        count(*) FILTER (WHERE \(arrived) AND d.cluster_id IS NOT NULL) AS with_cluster,
        count(*) FILTER (WHERE d.cluster_status IS DISTINCT FROM 'invalid'
          AND \(now.condition)) AS eligible
      FROM person_detection d
      WHERE d.collection_id = $1
      """, [.int64(collection.id), .int64(run.id), .int64(lastFittedID)])[0]
    return StalenessFacts(
      eligible: Int(try row.int64(5)), deleted: max(run.embeddingCount - Int(try row.int64(0)), 0),
      arrivals: Int(try row.int64(1)), arrivalsInPool: Int(try row.int64(2)),
      arrivalsNotPredicted: Int(try row.int64(3)), arrivalsWithCluster: Int(try row.int64(4)),
      meanArrivalDistance: try meanArrivalDistance(run, on: connection))
  }

  /// Taken over the latest arrivals only, so that the check stays quick in any collection.
  private func meanArrivalDistance(
    _ run: RunRecord, on connection: isolated PostgresConnection
  ) throws -> Double? {
    let rows = try connection.query(
      """
      SELECT e.embedding, c.reference_centroid
      FROM person_detection d
      JOIN face_embedding e ON e.collection_id = d.collection_id AND e.detection_id = d.id
      JOIN cluster c ON c.collection_id = d.collection_id AND c.id = d.cluster_id
      WHERE d.collection_id = $1 AND d.assigned_run_id = $2
        AND d.assigned_tier IN ('predict', 'epsilon_ball')
      ORDER BY d.id DESC LIMIT 500
      """, [.int64(collection.id), .int64(run.id)])
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
