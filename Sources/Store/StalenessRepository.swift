public import PostgresClient

/// What happened to a collection since a run.
public struct StalenessFacts: Sendable, Equatable {
  /// Faces that a fit would not see now.
  public var unfitNow: Int
  /// Faces as old as those of the fit, or older, that it did not see.
  public var unfitThen: Int
  /// Faces decided incrementally since the run.
  public var arrivals: Int
  /// Those of them without a cluster.
  public var arrivalsInPool: Int
  /// Those of them that tier 1 did not place.
  public var arrivalsNotPredicted: Int
  /// Those of them that have a cluster.
  public var arrivalsWithCluster: Int
}

/// Reads what the staleness signals are made from.
public struct StalenessRepository: Sendable {
  /// The collection that every statement is scoped to.
  public let collection: CollectionRecord

  /// A repository of one collection.
  public init(_ collection: CollectionRecord) { self.collection = collection }

  /// How many faces there are, and how many of them are not younger than a fit.
  ///
  /// - Parameter lastFittedID: highest id of the faces of the fit.
  /// - Complexity: one pass over the ids of the collection.
  public func faceCounts(
    lastFittedID: Int64, on connection: isolated PostgresConnection
  ) throws -> (all: Int, fitted: Int) {
    try withoutParallelWorkers(on: connection)
    let row = try connection.query(
      """
      SELECT count(*) AS faces, count(*) FILTER (WHERE id <= $2) AS fitted
      FROM person_detection WHERE collection_id = $1
      """, [.int64(collection.id), .int64(lastFittedID)]
    ).single()
    return (Int(try row.int64("faces")), Int(try row.int64("fitted")))
  }

  /// Workers of the server cost more than they take over: other statements of the check run beside.
  private func withoutParallelWorkers(on connection: isolated PostgresConnection) throws {
    try connection.query("SET LOCAL max_parallel_workers_per_gather = 0")
  }

  /// Counts since a run finished.
  ///
  /// - Parameters:
  ///   - lastFittedID: highest id of the faces of the fit.
  ///   - lastSeenID: highest id of the faces that the run looked at; whoever came later is an arrival.
  ///   - then: which faces the fit saw.
  ///   - now: which faces a fit would see.
  /// - Complexity: one pass over the states of the collection.
  public func facts(
    since run: RunRecord, lastFittedID: Int64, lastSeenID: Int64, eligibleThen then: Eligibility,
    eligibleNow now: Eligibility,
    on connection: isolated PostgresConnection
  ) throws -> StalenessFacts {
    try withoutParallelWorkers(on: connection)
    // Most faces are eligible and were not decided by the tiers of this run, so the others are counted.
    let unfitNow = "(d.invalid_reason IS NOT NULL OR NOT \(now.condition))"
    let unfitThen = "(d.invalid_reason IS NOT NULL OR NOT \(then.condition))"
    let unfit = then == now ? unfitNow : "(\(unfitNow) OR \(unfitThen))"
    let arrived =
      "d.assigned_run_id = $2 AND d.id > $4 AND d.assigned_tier IN ('predict', 'epsilon_ball', 'pool')"
    let row = try connection.query(
      """
      SELECT count(*) FILTER (WHERE \(unfitNow)) AS unfit_now,
        count(*) FILTER (WHERE d.id <= $3 AND \(unfitThen)) AS unfit_then,
        count(*) FILTER (WHERE \(arrived)) AS arrivals,
        count(*) FILTER (WHERE \(arrived) AND d.assigned_tier <> 'predict') AS not_predicted,
        count(d.cluster_id) FILTER (WHERE \(arrived)) AS with_cluster
      FROM person_detection d
      WHERE d.collection_id = $1 AND (\(unfit) OR \(arrived))
      """, [.int64(collection.id), .int64(run.id), .int64(lastFittedID), .int64(lastSeenID)]
    ).single()
    let (arrivals, withCluster) = (
      Int(try row.int64("arrivals")), Int(try row.int64("with_cluster"))
    )
    return StalenessFacts(
      unfitNow: Int(try row.int64("unfit_now")), unfitThen: Int(try row.int64("unfit_then")),
      arrivals: arrivals, arrivalsInPool: arrivals - withCluster,
      arrivalsNotPredicted: Int(try row.int64("not_predicted")),
      arrivalsWithCluster: withCluster)
  }

  /// Mean cosine distance of the latest arrivals to the reference centroid of their cluster.
  ///
  /// - Parameters:
  ///   - run: the run since which they arrived.
  ///   - lastSeenID: highest id of the faces that it looked at.
  /// - Returns: nil where there are none.
  /// - Complexity: the faces back to the five hundredth arrival.
  public func meanArrivalDistance(
    since run: Int64, lastSeenID: Int64, on connection: isolated PostgresConnection
  ) throws -> Double? {
    let rows = try connection.query(
      """
      SELECT e.embedding, c.reference_centroid
      FROM (SELECT collection_id, id, cluster_id FROM person_detection
        WHERE collection_id = $1 AND id > $3 AND assigned_run_id = $2 AND cluster_id IS NOT NULL
          AND assigned_tier IN ('predict', 'epsilon_ball')
        ORDER BY id DESC LIMIT 500) d
      JOIN face_embedding e ON e.collection_id = d.collection_id AND e.detection_id = d.id
      JOIN cluster c ON c.collection_id = d.collection_id AND c.id = d.cluster_id
      """, [.int64(collection.id), .int64(run), .int64(lastSeenID)])
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
