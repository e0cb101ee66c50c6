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
  /// Where the pool may be known; nil reads it.
  var models: ModelCache?

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
  /// - Complexity: O(pool · made · d) in matrix products.
  func tryAgain(near made: [Int64], on connection: isolated PostgresConnection) throws {
    if made.isEmpty { return }
    let clusters = try ClusterRepository(collection).live(ids: made, on: connection)
    let evidence = try EvidenceGates.inForce(collection, settings, on: connection)
    let reach =
      evidence?.reach(clusters)
      ?? clusters.epsilons.map { ($0 ?? settings.clusteringThreshold).value }
    // What is remembered only nominates: who left is not locked, and the tiers look at the rest anew.
    let known = try models?.passingPool(of: collection, on: connection)
    let parts = try known?.parts ?? [FaceReader(collection).wholePool(on: connection)]
    let nominated = parts.flatMap { part in
      let near = NearClusters.within(
        faces: part.embeddings, clusters: clusters, radii: reach, threads: 1)
      return part.ids.indices.filter { !near[$0].isEmpty }.map { part.ids[$0] }
    }
    let free = try DetectionRepository(collection).lockPool(
      Set(nominated).sorted(), on: connection)
    try tryAgain(free, on: connection)
  }

  /// Makes faces new again and closes the questions about them.
  func tryAgain(_ ids: [Int64], on connection: isolated PostgresConnection) throws {
    try review.expire(detections: ids, on: connection)
    try DetectionRepository(collection).reset(ids, runID: nil, tier: "again", on: connection)
  }
}
