internal import PostgresClient
internal import Store
internal import Vectors

/// Faces that wait, in the pool or for an answer, are new again when why they wait has changed.
///
/// Nothing else would look at them before the next bootstrap. Faces that somebody else holds at the
/// moment are left to them.
struct WaitingFaces {
  let collection: CollectionRecord
  let settings: StageSettings

  private var review: ReviewRepository { ReviewRepository(collection) }

  /// Tries faces again whose question has no cause any more: the other face of their photo left that
  /// person, or the cluster is verified no longer.
  ///
  /// - Returns: how many are new again.
  @discardableResult
  func tryAgainWhereTheCauseIsGone(on connection: isolated PostgresConnection) throws -> Int {
    let ids = try review.lockWaitingWithoutCause(on: connection)
    try tryAgain(ids, on: connection)
    return ids.count
  }

  /// Tries faces of the pool again that clusters which were just made may take.
  ///
  /// - Complexity: O(pool · made · d) in matrix products, and one read of the pool.
  func tryAgain(near made: [Int64], on connection: isolated PostgresConnection) throws {
    if made.isEmpty { return }
    var clusters = try ClusterRepository(collection).live(on: connection)
    let evidence = try EvidenceGates.inForce(collection, settings, on: connection)
    let reach =
      evidence?.reach(clusters)
      ?? clusters.epsilons.map { ($0 ?? settings.clusteringThreshold).value }
    let rows = clusters.ids.indices.filter { made.contains(clusters.ids[$0]) }
    clusters.ids = rows.map { clusters.ids[$0] }
    clusters.references = clusters.references.selecting(rows: rows)
    let pool = try FaceReader(collection).pool(on: connection)
    let near = NearClusters.within(
      faces: pool.embeddings, clusters: clusters, radii: rows.map { reach[$0] }, threads: 1)
    let free = try DetectionRepository(collection).lockPool(
      pool.ids.indices.filter { !near[$0].isEmpty }.map { pool.ids[$0] }, on: connection)
    try tryAgain(free, on: connection)
  }

  /// Makes faces new again and closes the questions about them.
  func tryAgain(_ ids: [Int64], on connection: isolated PostgresConnection) throws {
    try review.expire(detections: ids, on: connection)
    try DetectionRepository(collection).reset(ids, runID: nil, tier: "again", on: connection)
  }
}
