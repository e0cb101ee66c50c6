/// Faces in clusters, and clusters under people.
///
/// A cluster is a node of the hierarchy and the faces that it adopted. Clusters are numbered by
/// their smallest face, people by their first cluster.
public struct PeopleGrouping: Sendable {
  /// One cluster.
  public struct Cluster: Sendable, Equatable {
    /// Id of its node in the hierarchy; below n where it grew around a single face.
    public var node: Int
    /// Lambda (1/Euclidean distance) at which the node joins what is above it; 0 for the root.
    public var lambdaBirth: Double
    /// Share of the distance at which it is born for which it lasts, 0…1.
    public var persistence: Double
    /// Its person.
    public var person: Int
    /// Evidence that it is the same person as the other clusters of its person, less the
    /// threshold for that; nil for a person's only cluster.
    public var surplus: Double?
  }

  /// The clusters.
  public var clusters: [Cluster]
  /// Cluster of each face; −1 for a face on its own.
  public var clusterOfFace: [Int]
  /// Whether a face was adopted by its cluster, rather than being below its node.
  public var isAdopted: [Bool]
  /// Number of people.
  public var personCount: Int
  /// The calibration behind it.
  public var calibration: SimilarityCalibration

  /// Person of each face; −1 for a face on its own.
  public var personOfFace: [Int] {
    clusterOfFace.map { $0 < 0 ? -1 : clusters[$0].person }
  }
}
