internal import Store

/// How two runs differ: what they fitted, and which faces each cluster had.
public struct RunDifference: Sendable, Codable, Equatable {
  /// One figure in both runs.
  public struct Figure: Sendable, Codable, Equatable {
    /// embedding_count, cluster_count or noise_count.
    public var name: String
    /// In the first run.
    public var before: Int
    /// In the second run.
    public var after: Int
  }

  /// A setting that differs.
  public struct Setting: Sendable, Codable, Equatable {
    /// Name of the setting.
    public var name: String
    /// In the first run.
    @OrNull public var before: String?
    /// In the second run.
    @OrNull public var after: String?

    enum CodingKeys: String, CodingKey {
      case name, before, after
    }
  }

  /// A cluster whose faces differ.
  public struct Cluster: Sendable, Codable, Equatable {
    /// Id of the cluster.
    public var clusterID: Int64
    /// Faces in the first run; 0 where it did not exist.
    public var before: Int
    /// Faces in the second run.
    public var after: Int
    /// Faces in both.
    public var stayed: Int

    enum CodingKeys: String, CodingKey {
      case clusterID = "cluster_id"
      case before, after, stayed
    }
  }

  /// The first run.
  public var fromRunID: Int64
  /// The second run.
  public var toRunID: Int64
  /// Counts of the fits.
  public var figures: [Figure]
  /// Settings that differ, by name.
  public var settings: [Setting]
  /// Clusters with the same faces in both.
  public var sameClusters: Int
  /// Faces that are in one cluster in both.
  public var stayed: Int
  /// Clusters that differ, by id.
  public var clusters: [Cluster]

  enum CodingKeys: String, CodingKey {
    case fromRunID = "from_run_id"
    case toRunID = "to_run_id"
    case sameClusters = "same_clusters"
    case figures, settings, stayed, clusters
  }

  init(_ first: RunRecord, _ second: RunRecord, _ differences: [ClusterDifference]) throws {
    fromRunID = first.id
    toRunID = second.id
    figures = [
      Figure(
        name: "embedding_count", before: first.embeddingCount, after: second.embeddingCount),
      Figure(name: "cluster_count", before: first.clusterCount, after: second.clusterCount),
      Figure(name: "noise_count", before: first.noiseCount, after: second.noiseCount),
    ]
    let old = try JSONText.decode([String: String].self, from: first.parametersJSON)
    let new = try JSONText.decode([String: String].self, from: second.parametersJSON)
    settings = Set(old.keys).union(new.keys).sorted().filter { old[$0] != new[$0] }
      .map { Setting(name: $0, before: old[$0], after: new[$0]) }
    stayed = differences.reduce(0) { $0 + $1.stayed }
    let changed = differences.filter { $0.before != $0.stayed || $0.after != $0.stayed }
    sameClusters = differences.count - changed.count
    clusters = changed.map {
      Cluster(clusterID: $0.clusterID, before: $0.before, after: $0.after, stayed: $0.stayed)
    }
  }
}
