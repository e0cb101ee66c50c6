public import PostgresClient
internal import Vectors

/// Clusters as they were read at a moment, and what is needed to read only what changed since.
public struct KnownClusters: Sendable {
  /// The live clusters, by id.
  public internal(set) var live: LiveClusters
  /// Every transaction before this one had ended at that moment.
  var horizon: TransactionHorizon
}

extension ClusterRepository {
  /// The live clusters, of which only those that changed are read again.
  ///
  /// Names of persons may be older: nothing that places faces looks at them. What the transaction at
  /// hand changed itself must not be remembered before it commits; so call it before.
  ///
  /// - Parameter known: what was returned before, by any transaction; nil reads everything.
  /// - Complexity: one pass over the clusters without their vectors, and O(changed · d).
  public func live(
    since known: KnownClusters?, on connection: isolated PostgresConnection
  ) throws -> KnownClusters {
    // Looked at first: what commits between this and the clusters is read again the next time.
    let horizon = try TransactionHorizon.now(on: connection)
    if var known, try refresh(&known.live, since: known.horizon, on: connection) {
      known.horizon = horizon
      return known
    }
    return KnownClusters(live: try live(on: connection), horizon: horizon)
  }

  /// - Returns: false where a cluster was born, was retired or has another reference, so that all must
  ///   be read.
  private func refresh(
    _ live: inout LiveClusters, since horizon: TransactionHorizon,
    on connection: isolated PostgresConnection
  ) throws -> Bool {
    let scan = try connection.queryPrepared(
      """
      SELECT coalesce(
          array_agg(id) FILTER (WHERE \(TransactionHorizon.isNotOlder("xmin", parameter: 2))), '{}'),
        count(*) FILTER (WHERE retired_at IS NULL)
      FROM cluster WHERE collection_id = $1
      """, [.int64(collection.id), horizon.parameter]
    ).single()
    let changed = try scan.int64Array(0)
    // A row that was deleted tells nothing of itself. Where most changed, reading all is no dearer.
    guard try Int(scan.int64(1)) == live.count, changed.count <= live.count / 4 else {
      return false
    }
    if changed.isEmpty { return true }
    for row in try connection.queryPrepared(
      """
      SELECT id, person_id, face_count, verified, anchored, epsilon, hdbscan_run_id,
        reference_count, reference_length, reference_centroid, retired_at IS NOT NULL
      FROM cluster WHERE collection_id = $1 AND id = ANY($2)
      """, [.int64(collection.id), .int64Array(changed)])
    {
      let id = try row.int64(0)
      guard let index = live.row(of: id) else {
        if try row.bool(10) { continue }
        return false
      }
      guard try !row.bool(10),
        let reference = VectorBytes.floats(try row.bytes(9), count: collection.dimension),
        live.references.values(ofRow: index) == reference
      else { return false }
      live.personIDs[index] = try row.int64(1)
      live.faceCounts[index] = Int(try row.int32(2))
      live.verified[index] = try row.bool(3)
      live.anchored[index] = try row.bool(4)
      live.epsilons[index] = try row.optionalFloat(5).map { CosineDistance(Double($0)) }
      live.runIDs[index] = try row.optionalInt64(6)
      live.referenceCounts[index] = Int(try row.int32(7))
      live.referenceLengths[index] = try row.optionalFloat(8).map(Double.init)
    }
    return true
  }
}

extension LiveClusters {
  /// Row of a cluster, by bisection.
  public func row(of id: Int64) -> Int? {
    let row = ids.firstPosition(notBelow: id)
    return row < ids.count && ids[row] == id ? row : nil
  }
}
