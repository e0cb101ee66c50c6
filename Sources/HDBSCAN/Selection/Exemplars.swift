extension CondensedTree {
  /// Per label the points that persist longest in each leaf at or below the label's cluster.
  ///
  /// - Parameters:
  ///   - nodes: cluster of each label, an antichain.
  ///   - labels: label of each point. Points that do not carry the label are left out, as may
  ///     happen where the root is the one cluster.
  /// - Returns: points of each label, ascending.
  /// - Complexity: O(rows).
  func exemplars(of nodes: [Int], labels: [Int]) -> [[Int]] {
    let below = clusterChildren
    let parents = clusterParents
    let deaths = clusterDeaths
    var labelOfCluster = [Int](repeating: -1, count: clusterCount)
    for (label, node) in nodes.enumerated() { labelOfCluster[node - pointCount] = label }
    for position in labelOfCluster.indices.dropFirst() where labelOfCluster[position] < 0 {
      labelOfCluster[position] = labelOfCluster[parents[position] - pointCount]
    }
    var result = [[Int]](repeating: [], count: nodes.count)
    for row in 0..<rowCount where children[row] < pointCount {
      let leaf = self.parents[row] - pointCount
      let label = labelOfCluster[leaf]
      if label >= 0 && labels[children[row]] == label && below[leaf].isEmpty
        && lambdas[row] == deaths[leaf]
      {
        result[label].append(children[row])
      }
    }
    return result.map { $0.sorted() }
  }
}
