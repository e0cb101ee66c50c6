/// The rule that turns a place in the tree (cluster, lambda) into a label and a probability.
///
/// A fit and a prediction share it, so they cannot disagree.
struct ClusterLabelling: Sendable {
  private let pointCount: Int
  /// Label of the nearest selected cluster at or above each cluster (by id minus n); −1 for none.
  private let labelOfCluster: [Int]
  /// Largest lambda among the own rows of each label's cluster.
  private let deathOfLabel: [Double]
  /// Least lambda of a member where the root is the one cluster; 0 where it is not.
  private let leastLambda: Double

  init(tree: CondensedTree, nodes: [Int], parameters: Parameters) {
    pointCount = tree.pointCount
    let deaths = tree.clusterDeaths
    let parents = tree.clusterParents
    var labels = [Int](repeating: -1, count: tree.clusterCount)
    for (label, node) in nodes.enumerated() { labels[node - tree.pointCount] = label }
    for position in labels.indices.dropFirst() where labels[position] < 0 {
      labels[position] = labels[parents[position] - tree.pointCount]
    }
    labelOfCluster = labels
    deathOfLabel = nodes.map { deaths[$0 - tree.pointCount] }
    leastLambda = nodes.isEmpty || nodes.first != tree.root ? 0 : tree.leastLambdaOfRoot(parameters)
  }

  /// Label of something that leaves `cluster` (or a cluster below it) at `lambda`; −1 is noise.
  func label(cluster: Int, lambda: Double) -> Int {
    lambda >= leastLambda ? labelOfCluster[cluster - pointCount] : -1
  }

  /// Strength of membership min(λ, λmax)/λmax in 0…1; 0 for noise.
  func probability(label: Int, lambda: Double) -> Double {
    guard label >= 0 else { return 0 }
    let death = deathOfLabel[label]
    if death == 0 || death == .infinity || lambda == .infinity { return 1 }
    return min(lambda, death) / death
  }
}

extension CondensedTree {
  /// Least lambda of a member where the root is the one cluster.
  ///
  /// Everything is below the root, so members are those that outlast its last split, or with an
  /// epsilon those that are still there at that distance.
  func leastLambdaOfRoot(_ parameters: Parameters) -> Double {
    let epsilon = parameters.clusterSelectionEpsilon
    return epsilon > 0 ? 1 / epsilon : clusterDeaths.first ?? 0
  }
}
