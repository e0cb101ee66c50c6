/// Semi-supervised extraction: the clusters that satisfy most constraints, then the most stable.
///
/// FOSC (Campello, Moulavi, Zimek and Sander 2013, doi:10.1007/s10618-013-0311-4) takes one cluster
/// on every branch such that the share of satisfied constraints is greatest. There each end of a
/// satisfied pair counts one half, and ends that are noise count for cannot-link pairs. The sum of
/// these halves is the number of cannot-link pairs plus, over the selected clusters, the must-link
/// less the cannot-link pairs inside. So each cluster has one whole number, `netPairs`, noise
/// needs no nodes of its own, and one pass from the leaves up is exact. Among equals the greater
/// total stability decides, by the rule of ``excessOfMass(_:parameters:)``; without pairs the two
/// agree.
///
/// A leaf is kept even where it violates pairs: no point becomes noise for the sake of a pair.
/// Clusters that `clusterSelectionEpsilon` will merge into an ancestor count as that ancestor, so
/// the result is the best among those that the limits allow.
///
/// - Parameter netPairs: must-link less cannot-link pairs inside each cluster.
/// - Returns: clusters before merging below epsilon, an antichain, ascending.
/// - Complexity: O(clusters log clusters).
func constrainedExcessOfMass(
  _ facts: ClusterFacts, netPairs: [Int], parameters: Parameters
) -> [Int] {
  let largest = parameters.maxClusterSize ?? .max
  let leastBirth = 1 / parameters.clusterSelectionEpsilonMax
  let epsilonLambda =
    parameters.clusterSelectionEpsilon > 0 ? 1 / parameters.clusterSelectionEpsilon : .infinity
  var stability = facts.stabilities
  var pairs = netPairs
  var kept = [Bool](repeating: false, count: facts.count)
  var holdsAny = kept
  for position in stride(from: facts.count - 1, through: 0, by: -1) {
    if position == 0 && !parameters.allowSingleCluster { break }
    let below = facts.children[position].map { $0 - facts.root }
    let stabilityBelow = below.map { stability[$0] }.sorted().reduce(0, +)
    let pairsBelow = below.reduce(0) { $0 + pairs[$1] }
    let birth = position == 0 ? facts.rootLambda : facts.births[position]
    let isAllowed = facts.sizes[position] <= largest && birth >= leastBirth
    let isAsStable = stabilityBelow <= facts.stabilities[position] * (1 + 1e-12)
    // Siblings are born together: all that is selected below such a split becomes this cluster.
    let willMerge = below.first.map { facts.births[$0] > epsilonLambda } ?? true
    kept[position] =
      isAllowed
      && (below.isEmpty
        || (willMerge || netPairs[position] == pairsBelow
          ? isAsStable : netPairs[position] > pairsBelow))
    if !kept[position] { stability[position] = stabilityBelow }
    holdsAny[position] = kept[position] || below.contains { holdsAny[$0] }
    if willMerge {
      pairs[position] = holdsAny[position] ? netPairs[position] : 0
    } else if !kept[position] {
      pairs[position] = pairsBelow
    }
  }
  return facts.topmost(kept)
}

extension CondensedTree {
  /// Must-link less cannot-link pairs whose two points are members of each cluster.
  ///
  /// - Parameters:
  ///   - constraints: pairs of points of this tree.
  ///   - leastRootLambda: members of the root, where it is a cluster, have at least this lambda.
  /// - Returns: one number for each cluster, by id minus n.
  /// - Complexity: O(rows + constraints · depth).
  func netPairs(
    _ constraints: [PairConstraint], facts: ClusterFacts, leastRootLambda: Double
  ) -> [Int] {
    let last = pointParents
    let lambdas = pointLambdas
    var net = [Int](repeating: 0, count: clusterCount)
    var rootNet = 0
    for pair in constraints {
      let value = pair.kind == .mustLink ? 1 : -1
      // A cluster's parent has the smaller id, so the larger of two different ids climbs.
      var (a, b) = (last[pair.a], last[pair.b])
      while a != b {
        if a > b { a = facts.parents[a - pointCount] } else { b = facts.parents[b - pointCount] }
      }
      net[a - pointCount] += value
      if lambdas[pair.a] >= leastRootLambda && lambdas[pair.b] >= leastRootLambda {
        rootNet += value
      }
    }
    for position in stride(from: clusterCount - 1, to: 0, by: -1) {
      net[facts.parents[position] - pointCount] += net[position]
    }
    if !net.isEmpty { net[0] = rootNet }
    return net
  }
}
