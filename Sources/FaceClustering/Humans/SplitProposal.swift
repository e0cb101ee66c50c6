/// How a cluster would come apart along the stored hierarchy.
public struct SplitProposal: Sendable, Codable, Equatable {
  /// One sub-cluster of the condensed tree.
  public struct Part: Sendable, Codable, Equatable {
    /// Node of the condensed tree.
    public var node: Int
    /// Whether it keeps the cluster's id and person: it has the most faces that people placed, or is
    /// the largest.
    public var keepsID: Bool
    /// Members after the split.
    public var faceCount: Int
    /// Lambda (1/Euclidean distance) at which the part was born.
    public var lambdaBirth: Double
    /// Stability over size and largest lambda of the tree, 0…1.
    public var persistence: Double
    /// External ids of the members, by id.
    public var faces: [String]

    enum CodingKeys: String, CodingKey {
      case node, persistence, faces
      case keepsID = "keeps_id"
      case faceCount = "face_count"
      case lambdaBirth = "lambda_birth"
    }
  }

  /// Cluster that would be split.
  public var clusterID: Int64
  /// Run whose hierarchy is followed.
  public var runID: Int64
  /// The parts, the one that keeps the id first, then by size.
  public var parts: [Part]

  enum CodingKeys: String, CodingKey {
    case clusterID = "cluster_id"
    case runID = "run_id"
    case parts
  }
}
