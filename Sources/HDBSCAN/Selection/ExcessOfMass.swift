/// What selection needs to know about the clusters of a tree, computed once.
///
/// Arrays are indexed by cluster id minus n.
struct ClusterFacts {
  let births: [Double]
  let parents: [Int]
  let children: [Range<Int>]
  let sizes: [Int]
  let stabilities: [Double]
  /// Id of the root.
  let root: Int
  /// Lambda at which the root holds together: that of its first row.
  let rootLambda: Double

  init(_ tree: CondensedTree) {
    births = tree.clusterBirths
    parents = tree.clusterParents
    children = tree.clusterChildren
    sizes = tree.clusterSizes
    stabilities = tree.clusterStabilities()
    root = tree.pointCount
    rootLambda = tree.lambdas.first ?? 0
  }

  var count: Int { births.count }

  /// The nodes of `marked` that have no marked node above them, ascending.
  func topmost(_ marked: [Bool]) -> [Int] {
    var covered = [Bool](repeating: false, count: count)
    var result: [Int] = []
    for position in 0..<count {
      let parent = parents[position]
      covered[position] = parent >= 0 && (covered[parent - root] || marked[parent - root])
      if marked[position] && !covered[position] { result.append(root + position) }
    }
    return result
  }
}

/// Excess of mass: the antichain of greatest total stability (Campello, Moulavi and Sander 2013).
///
/// From the leaves up a cluster is kept when its stability is at least the total of what is kept
/// below it; a tie keeps the parent. Sums that differ by less than 1e-12 of their value are ties:
/// that is rounding, and rounding must not depend on the order of the points.
///
/// - Complexity: O(clusters log clusters).
func excessOfMass(_ facts: ClusterFacts, parameters: Parameters) -> [Int] {
  let largest = parameters.maxClusterSize ?? .max
  let leastBirth = 1 / parameters.clusterSelectionEpsilonMax
  var best = facts.stabilities
  var kept = [Bool](repeating: false, count: facts.count)
  for position in stride(from: facts.count - 1, through: 0, by: -1) {
    if position == 0 && !parameters.allowSingleCluster { break }
    // Sorted, so that the sum does not depend on the order of siblings.
    let below = facts.children[position].map { best[$0 - facts.root] }.sorted().reduce(0, +)
    let birth = position == 0 ? facts.rootLambda : facts.births[position]
    kept[position] =
      below <= facts.stabilities[position] * (1 + 1e-12) && facts.sizes[position] <= largest
      && birth >= leastBirth
    if !kept[position] { best[position] = below }
  }
  return facts.topmost(kept)
}

/// The finest clusters: those that split no further; the root only where it may be a cluster.
func leafClusters(_ facts: ClusterFacts, parameters: Parameters) -> [Int] {
  if facts.count == 1 { return parameters.allowSingleCluster ? [facts.root] : [] }
  return (0..<facts.count).filter { facts.children[$0].isEmpty }.map { facts.root + $0 }
}
