/// Clusters taken from a condensed tree.
///
/// Label L is the cluster `nodes[L]`. The nodes are stored, never derived from labels.
public struct Selection: Sendable, Equatable {
  /// Condensed-tree node of each label, ascending.
  public var nodes: [Int]
  /// Stability S of each label's node, in points × lambda; infinite where it ends in duplicates.
  public var stabilities: [Double]
  /// S / (size · largest lambda of the tree) of each label, in 0…1.
  public var persistences: [Double]

  /// Makes a selection from its parts, which have equal lengths.
  public init(nodes: [Int], stabilities: [Double], persistences: [Double]) {
    self.nodes = nodes
    self.stabilities = stabilities
    self.persistences = persistences
  }
}

/// Everything that a fit yields.
///
/// All arrays over points have length n, in the order of the input.
public struct Clustering: Sendable {
  /// Settings of the fit, as they were given.
  public var parameters: Parameters
  /// Cluster of each point, 0…; −1 is noise.
  public var labels: [Int]
  /// Strength of membership, 0…1; 0 for noise.
  public var probabilities: [Double]
  /// GLOSH outlier scores, 0 (inlier) … 1.
  public var outlierScores: [Double]
  /// Distance from each point to its `minSamples`-th nearest other point, in the metric's distance.
  public var coreDistances: [Double]
  /// Lambda = 1/distance at which each point leaves its last cluster in the condensed tree.
  ///
  /// Infinite for points that stay to distance 0, such as duplicates.
  public var pointLambdas: [Double]
  /// Minimum spanning tree, n − 1 edges by (weight, a, b).
  public var spanningTree: [WeightedEdge]
  /// The condensed tree that the selection refers to.
  public var tree: CondensedTree
  /// The clusters behind the labels.
  public var selection: Selection
  /// Per label the points that persist longest in the cluster's leaves, ascending.
  public var exemplars: [[Int]]
  /// The nearest others of each point, a by-product of a fit of vectors; never stored.
  public var neighbours: NeighbourGraph?

  /// Makes the value from its parts, as when it is read back from a file.
  public init(
    parameters: Parameters, labels: [Int], probabilities: [Double], outlierScores: [Double],
    coreDistances: [Double], pointLambdas: [Double], spanningTree: [WeightedEdge],
    tree: CondensedTree, selection: Selection, exemplars: [[Int]],
    neighbours: NeighbourGraph? = nil
  ) {
    self.parameters = parameters
    self.labels = labels
    self.probabilities = probabilities
    self.outlierScores = outlierScores
    self.coreDistances = coreDistances
    self.pointLambdas = pointLambdas
    self.spanningTree = spanningTree
    self.tree = tree
    self.selection = selection
    self.exemplars = exemplars
    self.neighbours = neighbours
  }
}
