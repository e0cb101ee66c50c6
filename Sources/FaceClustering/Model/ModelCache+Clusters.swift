internal import PostgresClient
internal import Store
internal import Synchronization

extension ModelCache {
  /// The live clusters between batches, with what screens their references.
  struct Clusters: Sendable {
    var known: KnownClusters
    var screen: KeptScreen
    /// When every row was looked at last.
    var lookedAtAll: ContinuousClock.Instant
  }

  /// The live clusters of a collection, kept between batches: most of what is read of them are vectors
  /// that only a bootstrap changes.
  ///
  /// Call it before the transaction changes a cluster.
  func clusters(
    of collection: CollectionRecord, on connection: isolated PostgresConnection
  ) throws -> Clusters {
    let source = try source(of: collection, on: connection)
    let before = clusters.withLock { $0[source] }
    let now = ContinuousClock.now
    let looksAtAll = before.map { now - $0.lookedAtAll >= pause } ?? true
    let known = try ClusterRepository(collection).live(
      since: before?.known, looksAtAll: looksAtAll, on: connection)
    let fresh = Clusters(
      known: known, screen: try KeptScreen(of: known.firstReferences, before: before?.screen),
      lookedAtAll: looksAtAll ? now : before?.lookedAtAll ?? now)
    clusters.withLock { $0[source] = fresh }
    return fresh
  }
}
