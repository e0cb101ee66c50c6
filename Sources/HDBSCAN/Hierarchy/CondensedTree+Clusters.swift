// Arrays over clusters are indexed by cluster id minus n, so position 0 is the root; arrays over
// points by point.

extension CondensedTree {
  /// Number of rows: one for each point and one for each cluster but the root.
  public var rowCount: Int { parents.count }

  /// Id of the root, n; the tree has none when it has no points.
  public var root: Int? { pointCount == 0 ? nil : pointCount }

  /// Number of clusters, the root included; 0 for a tree of no points.
  public var clusterCount: Int { pointCount == 0 ? 0 : rowCount - pointCount + 1 }

  /// Whether an id is a cluster (and not a point).
  public func isCluster(_ id: Int) -> Bool { id >= pointCount }

  /// Lambda at which each cluster is born: that of the row whose child it is; 0 for the root.
  ///
  /// - Complexity: O(rows).
  public var clusterBirths: [Double] {
    perCluster(0) { births, row in births[children[row] - pointCount] = lambdas[row] }
  }

  /// Id of the cluster above each cluster; −1 for the root.
  ///
  /// - Complexity: O(rows).
  public var clusterParents: [Int] {
    perCluster(-1) { above, row in above[children[row] - pointCount] = parents[row] }
  }

  /// Points in each cluster (sums of weights where points are weighted).
  ///
  /// - Complexity: O(rows).
  public var clusterSizes: [Int] {
    var result = perCluster(0) { sizes, row in sizes[children[row] - pointCount] = self.sizes[row] }
    if !result.isEmpty {
      result[0] = rowIndices(ofParent: 0).reduce(0) { $0 + sizes[$1] }
    }
    return result
  }

  /// The ids of the clusters that each cluster splits into; empty for a leaf.
  ///
  /// Siblings have neighbouring ids, ascending by their smallest point.
  ///
  /// - Complexity: O(rows).
  public var clusterChildren: [Range<Int>] {
    perCluster(0..<0) { below, row in
      let parent = parents[row] - pointCount
      let child = children[row]
      below[parent] =
        below[parent].isEmpty ? child..<child + 1 : below[parent].lowerBound..<child + 1
    }
  }

  /// Largest lambda of each cluster's own rows: when its last point leaves or it splits.
  ///
  /// - Complexity: O(rows).
  public var clusterDeaths: [Double] {
    var deaths = [Double](repeating: 0, count: clusterCount)
    for row in 0..<rowCount {
      let parent = parents[row] - pointCount
      deaths[parent] = max(deaths[parent], lambdas[row])
    }
    return deaths
  }

  /// Largest lambda at or below each cluster.
  ///
  /// - Complexity: O(rows).
  public var clusterPeaks: [Double] {
    var peaks = clusterDeaths
    let above = clusterParents
    for position in stride(from: clusterCount - 1, to: 0, by: -1) {
      let parent = above[position] - pointCount
      peaks[parent] = max(peaks[parent], peaks[position])
    }
    return peaks
  }

  /// The cluster that each point belongs to last.
  ///
  /// - Complexity: O(rows).
  public var pointParents: [Int] {
    perPoint(pointCount) { result, row in result[children[row]] = parents[row] }
  }

  /// Lambda at which each point leaves its last cluster.
  ///
  /// - Complexity: O(rows).
  public var pointLambdas: [Double] {
    perPoint(0) { result, row in result[children[row]] = lambdas[row] }
  }

  /// How many points each point stands for; 1 unless the fit was weighted.
  ///
  /// - Complexity: O(rows).
  public var pointWeights: [Int] {
    perPoint(1) { result, row in result[children[row]] = sizes[row] }
  }

  private func perCluster<Value>(_ initial: Value, _ visit: (inout [Value], Int) -> Void) -> [Value]
  {
    var result = [Value](repeating: initial, count: clusterCount)
    for row in 0..<rowCount where children[row] >= pointCount { visit(&result, row) }
    return result
  }

  private func perPoint<Value>(_ initial: Value, _ visit: (inout [Value], Int) -> Void) -> [Value] {
    var result = [Value](repeating: initial, count: pointCount)
    for row in 0..<rowCount where children[row] < pointCount { visit(&result, row) }
    return result
  }

  /// Rows of the cluster at a position; rows are ordered by parent.
  private func rowIndices(ofParent position: Int) -> Range<Int> {
    let first = parents.partitioningIndex { $0 >= pointCount + position }
    let last = parents.partitioningIndex { $0 > pointCount + position }
    return first..<last
  }
}

extension Array {
  /// Index of the first element that satisfies a predicate which is false, then true.
  func partitioningIndex(where isAfter: (Element) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = low + (high - low) / 2
      if isAfter(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
