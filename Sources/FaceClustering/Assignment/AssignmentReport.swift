/// What `assign` did, counted by tier.
public struct AssignmentReport: Sendable, Codable {
  /// Faces that got a cluster, by tier.
  public struct Assigned: Sendable, Codable {
    /// By the model of the active run.
    public var predict = 0
    /// By the epsilon ball around a centroid.
    public var epsilonBall = 0
    /// As members of clusters that the pool formed.
    public var pool = 0

    enum CodingKeys: String, CodingKey {
      case predict
      case epsilonBall = "epsilon_ball"
      case pool
    }
  }

  /// Median and 95th percentile.
  public struct Percentiles: Sendable, Codable {
    /// Median.
    public var p50 = 0.0
    /// 95th percentile.
    public var p95 = 0.0
  }

  /// Faces that got a cluster, by tier.
  public var assigned = Assigned()
  /// Faces for which people are asked.
  public var pending = 0
  /// Faces in the pool, near no cluster.
  public var unassigned = 0
  /// In the pool because what people said removed every near cluster.
  public var constrained = 0
  /// Faces whose stored embedding is unusable.
  public var invalid = 0
  /// The first of them, ``InvalidFace/mostNamed`` at most.
  public var invalidFaces: [InvalidFace] = []
  /// Clusters that the pool formed.
  public var newClusters = 0
  /// Questions raised for people.
  public var candidates = 0
  /// Run that was active during the last batch.
  @OrNull public var runID: Int64?
  /// Why tier 1 was not used, where it was not.
  @OrNull public var tierOneSkipped: String?
  /// Seconds from start to end.
  public var seconds = 0.0
  /// Milliseconds a face, from the mean of its batch.
  public var perFaceMilliseconds = Percentiles()

  /// Faces that were looked at.
  public var total: Int {
    assigned.predict + assigned.epsilonBall + assigned.pool + pending + unassigned + constrained
      + invalid
  }

  enum CodingKeys: String, CodingKey {
    case assigned, pending, unassigned, constrained, invalid, candidates, seconds
    case invalidFaces = "invalid_faces"
    case newClusters = "new_clusters"
    case runID = "run_id"
    case tierOneSkipped = "tier_one_skipped"
    case perFaceMilliseconds = "per_face_ms"
  }
}
