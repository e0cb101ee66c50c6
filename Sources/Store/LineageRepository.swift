public import PostgresClient

/// How a cluster of one run became one of the next.
public struct LineageRecord: Sendable, Equatable {
  /// continued, split, merged, born, died or kept (an anchor that the fit did not find again).
  public var kind: String
  /// Cluster before the run; nil for one that was born.
  public var oldClusterID: Int64?
  /// Cluster after the run; nil for one that died.
  public var newClusterID: Int64?
  /// Cosine similarity of the centroids.
  public var similarity: Float?
  /// Faces that both have.
  public var sharedMembers: Int

  /// One row of a run's lineage.
  public init(
    kind: String, oldClusterID: Int64?, newClusterID: Int64?, similarity: Float?,
    sharedMembers: Int
  ) {
    self.kind = kind
    self.oldClusterID = oldClusterID
    self.newClusterID = newClusterID
    self.similarity = similarity
    self.sharedMembers = sharedMembers
  }
}

/// Reads and writes lineage.
public struct LineageRepository: Sendable {
  /// The collection that every statement is scoped to.
  public let collection: CollectionRecord

  /// A repository of one collection.
  public init(_ collection: CollectionRecord) { self.collection = collection }

  /// Stores the lineage between two runs.
  public func add(
    _ records: [LineageRecord], from: Int64?, to: Int64,
    on connection: isolated PostgresConnection
  ) throws {
    if records.isEmpty { return }
    try connection.query(
      """
      INSERT INTO cluster_lineage (collection_id, from_run_id, to_run_id, kind, old_cluster_id,
        new_cluster_id, similarity, shared_members)
      SELECT $1, $2, $3, * FROM unnest($4::text[], $5::bigint[], $6::bigint[], $7::real[],
        $8::integer[])
      """,
      [
        .int64(collection.id), from.map(PostgresValue.int64) ?? .null, .int64(to),
        .textArray(records.map(\.kind)), .optionalInt64Array(records.map(\.oldClusterID)),
        .optionalInt64Array(records.map(\.newClusterID)),
        .optionalFloatArray(records.map(\.similarity)),
        .int32Array(records.map { Int32($0.sharedMembers) }),
      ])
  }

  /// The lineage that led to a run.
  public func records(
    to run: Int64, on connection: isolated PostgresConnection
  ) throws -> [LineageRecord] {
    try connection.query(
      """
      SELECT kind, old_cluster_id, new_cluster_id, similarity, shared_members
      FROM cluster_lineage WHERE collection_id = $1 AND to_run_id = $2
      ORDER BY old_cluster_id NULLS LAST, new_cluster_id
      """, [.int64(collection.id), .int64(run)]
    ).map {
      LineageRecord(
        kind: try $0.text(0), oldClusterID: try $0.optionalInt64(1),
        newClusterID: try $0.optionalInt64(2), similarity: try $0.optionalFloat(3),
        sharedMembers: Int(try $0.int32(4)))
    }
  }
}
