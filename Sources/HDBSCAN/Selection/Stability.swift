extension CondensedTree {
  /// Stability of each cluster: Σ over its rows of (lambda − birth) · size, in float64.
  ///
  /// Campello, Moulavi and Sander 2013, doi:10.1007/978-3-642-37456-2_14.
  /// Infinite where points persist to distance 0 (exact duplicates); the excess of a thing that is
  /// born and ends at infinity counts as 0, so no value is NaN. Rows of equal lambda are summed as
  /// integers first: the result does not depend on how the points are numbered.
  ///
  /// - Returns: one value for each cluster, indexed by cluster id minus n.
  /// - Complexity: O(rows).
  public func clusterStabilities() -> [Double] {
    let births = clusterBirths
    var stabilities = [Double](repeating: 0, count: clusterCount)
    var row = 0
    while row < rowCount {
      let parent = parents[row]
      let lambda = lambdas[row]
      var size = 0
      while row < rowCount && parents[row] == parent && lambdas[row] == lambda {
        size += sizes[row]
        row += 1
      }
      let birth = births[parent - pointCount]
      if lambda > birth { stabilities[parent - pointCount] += (lambda - birth) * Double(size) }
    }
    return stabilities
  }
}

/// S / (size · Λ) with Λ the largest lambda of the tree: a stability on a scale from 0 to 1.
///
/// As in the Python package it is 1 where Λ is 0 or infinite: there the ratio says nothing.
func normalisedPersistence(stability: Double, size: Int, largestLambda: Double) -> Double {
  if largestLambda == 0 || largestLambda == .infinity { return 1 }
  return min(stability / (Double(size) * largestLambda), 1)
}
