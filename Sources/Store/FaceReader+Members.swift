public import PostgresClient

extension FaceReader {
  /// The members of some clusters with their embeddings, by id.
  ///
  /// - Complexity: O(members · d), one copy.
  public func members(
    ofClusters clusters: some Sequence<Int64>, on connection: isolated PostgresConnection
  ) throws -> FaceSnapshot {
    let ids = try DetectionRepository(collection).members(of: clusters, on: connection).map(\.id)
    return try faces(ids: ids, on: connection)
  }
}
