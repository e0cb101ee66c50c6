internal import PostgresClient
internal import Store
internal import Synchronization

extension ModelCache {
  /// The live clusters of a collection, kept between batches: most of what is read of them are vectors
  /// that only a bootstrap changes.
  ///
  /// Call it before the transaction changes a cluster.
  func clusters(
    of collection: CollectionRecord, on connection: isolated PostgresConnection
  ) throws -> LiveClusters {
    let known = clusters.withLock { $0[collection.id] }
    let fresh = try ClusterRepository(collection).live(since: known, on: connection)
    clusters.withLock { $0[collection.id] = fresh }
    return fresh.live
  }
}
