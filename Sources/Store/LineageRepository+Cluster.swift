public import PostgresClient

/// One step in the life of a cluster.
public struct LineageStep: Sendable, Equatable {
  /// Run before, where there was one.
  public var fromRunID: Int64?
  /// Run that made the step.
  public var toRunID: Int64
  /// When that run ended, in seconds since 1970.
  public var finishedAt: Double?
  /// What happened.
  public var record: LineageRecord
}

/// Faces of one cluster in two runs.
public struct ClusterDifference: Sendable, Equatable {
  /// Cluster of the two runs, or of one.
  public var clusterID: Int64
  /// Faces in the first run; 0 where it did not exist.
  public var before: Int
  /// Faces in the second run.
  public var after: Int
  /// Faces in both.
  public var stayed: Int
}

extension LineageRepository {
  /// Everything that runs did to one cluster, oldest first.
  public func steps(
    of cluster: Int64, on connection: isolated PostgresConnection
  ) throws -> [LineageStep] {
    try connection.query(
      """
      SELECT l.from_run_id, l.to_run_id, r.finished_at, l.kind, l.old_cluster_id,
        l.new_cluster_id, l.similarity, l.shared_members
      FROM cluster_lineage l
      JOIN hdbscan_run r ON r.collection_id = $1 AND r.id = l.to_run_id
      WHERE l.collection_id = $1 AND (l.old_cluster_id = $2 OR l.new_cluster_id = $2)
      ORDER BY l.to_run_id, l.old_cluster_id NULLS LAST, l.new_cluster_id
      """, [.int64(collection.id), .int64(cluster)]
    ).map {
      LineageStep(
        fromRunID: try $0.optionalInt64(0), toRunID: try $0.int64(1),
        finishedAt: try $0.optionalTimestamp(2),
        record: LineageRecord(
          kind: try $0.text(3), oldClusterID: try $0.optionalInt64(4),
          newClusterID: try $0.optionalInt64(5), similarity: try $0.optionalFloat(6),
          sharedMembers: try $0.int(7)))
    }
  }

  /// How the clusters of two runs differ, as each was when it was last in charge.
  ///
  /// - Parameter active: the run in charge, whose state is that of the collection now.
  /// - Complexity: O(faces).
  public func differences(
    _ first: Int64, _ second: Int64, active: Int64?, on connection: isolated PostgresConnection
  ) throws -> [ClusterDifference] {
    func source(_ parameter: Int, _ run: Int64) -> String {
      run == active
        ? """
        SELECT id, cluster_id FROM person_detection
        WHERE collection_id = $1 AND cluster_id IS NOT NULL AND $\(parameter)::bigint IS NOT NULL
        """
        : """
        SELECT w.id, w.cluster_id FROM hdbscan_run_state s
        CROSS JOIN LATERAL unnest(s.detection_ids, s.cluster_ids) AS w (id, cluster_id)
        WHERE s.collection_id = $1 AND s.run_id = $\(parameter) AND w.cluster_id IS NOT NULL
        """
    }
    return try connection.query(
      """
      WITH a AS MATERIALIZED (\(source(2, first))), b AS MATERIALIZED (\(source(3, second)))
      SELECT cluster_id, sum(before)::bigint, sum(after)::bigint, sum(stayed)::bigint FROM (
        SELECT cluster_id, 1 AS before, 0 AS after, 0 AS stayed FROM a
        UNION ALL SELECT cluster_id, 0, 1, 0 FROM b
        UNION ALL SELECT a.cluster_id, 0, 0, 1 FROM a JOIN b USING (id, cluster_id)
      ) counted GROUP BY cluster_id ORDER BY cluster_id
      """, [.int64(collection.id), .int64(first), .int64(second)]
    ).map {
      ClusterDifference(
        clusterID: try $0.int64(0), before: try $0.int(1), after: try $0.int(2),
        stayed: try $0.int(3))
    }
  }
}
