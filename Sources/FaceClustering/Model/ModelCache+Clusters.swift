internal import PostgresClient
internal import Store
internal import Synchronization

extension ModelCache {
  /// The live clusters between batches, with what screens their references.
  struct Clusters: Sendable {
    var known: KnownClusters
    var screen: KeptScreen
  }

  /// The live clusters of a collection, kept between batches: most of what is read of them are vectors
  /// that only a bootstrap changes.
  ///
  /// Call it before the transaction changes a cluster.
  func clusters(
    of collection: CollectionRecord, on connection: isolated PostgresConnection
  ) throws -> Clusters {
    let before = clusters.withLock { $0[collection.id] }
    let known = try ClusterRepository(collection).live(since: before?.known, on: connection)
    let fresh = Clusters(
      known: known, screen: try KeptScreen(of: known.firstReferences, before: before?.screen))
    clusters.withLock { $0[collection.id] = fresh }
    return fresh
  }
}
