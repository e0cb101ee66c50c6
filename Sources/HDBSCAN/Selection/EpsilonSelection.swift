/// Replaces selected clusters that are born below a distance by coarser ones.
///
/// A cluster born below `epsilon` gives way to its nearest ancestor that is born at or above it.
/// Where only the root is, the root takes its place if it may be a cluster, else the ancestor just
/// below the root. Siblings are born at one distance, so everything that is selected below an
/// ancestor gives way to it together: the result is an antichain.
///
/// - Parameters:
///   - selected: cluster ids, an antichain.
///   - epsilon: mutual-reachability distance; 0 changes nothing.
/// - Returns: cluster ids, ascending.
/// - Complexity: O(clusters): what one climb has passed, no other climbs again.
func mergeBelow(
  epsilon: Double, selected: [Int], facts: ClusterFacts, allowSingleCluster: Bool
) -> [Int] {
  if epsilon == 0 { return selected }
  // In lambda: 1/x keeps equality, so "at" means exactly the distance that was given.
  let lambda = 1 / epsilon
  var marked = [Bool](repeating: false, count: facts.count)
  var passed = [Bool](repeating: false, count: facts.count)
  for cluster in selected {
    var position = cluster - facts.root
    while position > 0, facts.births[position] > lambda, !passed[position] {
      let parent = facts.parents[position] - facts.root
      if parent == 0 && !allowSingleCluster { break }
      passed[position] = true
      position = parent
    }
    // A cluster that was passed before leads where that climb has ended.
    if !passed[position] { marked[position] = true }
  }
  return facts.topmost(marked)
}
