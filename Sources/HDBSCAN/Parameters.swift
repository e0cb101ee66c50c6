/// Everything that decides the result of a fit, named as in the Python package `hdbscan`.
public struct Parameters: Sendable, Hashable, Codable {
  /// How clusters are taken from the condensed tree.
  public enum SelectionMethod: String, Sendable, Hashable, Codable, CaseIterable {
    /// Excess of mass: the antichain of greatest total stability (Campello et al. 2013).
    case eom
    /// The leaves of the tree: the finest clusters.
    case leaf
  }

  /// The distance between points.
  public enum Metric: String, Sendable, Hashable, Codable, CaseIterable {
    /// Euclidean distance of the vectors as they are given.
    case euclidean
    /// Euclidean distance of the normalised vectors, √(2 · cosine distance); lambdas are in it.
    case cosine
    /// The input is the n × n matrix of distances.
    case precomputed
  }

  /// What happens to edges of equal weight.
  public enum Ties: String, Sendable, Hashable, Codable, CaseIterable {
    /// Equal edges are removed at once and make one n-ary node: invariant under permutation.
    case simultaneous
    /// Edges are removed one by one in the order (weight, smaller index, larger index), for comparison
    /// with other implementations: which of several edges of one weight the tree holds is not fixed.
    case ordered
  }

  /// Smallest group that is a cluster, in points; at least 2.
  public var minClusterSize: Int = 5
  /// Core distance is taken to this many-th nearest other point; nil means `minClusterSize`.
  ///
  /// At least 1; a fit of n points uses at most n − 1.
  public var minSamples: Int?
  /// How clusters are taken from the condensed tree.
  public var selectionMethod: SelectionMethod = .eom
  /// Clusters born below this distance are replaced by an ancestor; 0 switches it off.
  ///
  /// Finite, at least 0, in the distance of the metric (Malzer and Baum 2020,
  /// doi:10.1109/MFI49285.2020.9235263).
  public var clusterSelectionEpsilon: Double = 0
  /// Clusters born above this distance are not selected; infinity switches it off.
  ///
  /// At least 0, in the distance of the metric. Leaf selection does not heed it.
  public var clusterSelectionEpsilonMax: Double = .infinity
  /// Siblings that separate for less than this (in lambda) are merged first; 0 switches it off.
  ///
  /// Finite, at least 0; see ``CondensedTree/mergingSiblings(separatedForLessThan:)``.
  public var clusterSelectionPersistence: Double = 0
  /// Clusters with more points are not selected; nil switches it off.
  ///
  /// At least 1. Leaf selection does not heed it.
  public var maxClusterSize: Int?
  /// Whether the root itself may be the one cluster.
  public var allowSingleCluster = false
  /// Distances (not core distances) are divided by this; finite, at least 1e-150.
  public var alpha: Double = 1
  /// The distance between points.
  public var metric: Metric = .euclidean
  /// What happens to edges of equal weight.
  public var ties: Ties = .simultaneous

  /// The defaults of the Python package.
  public init() {}
}
