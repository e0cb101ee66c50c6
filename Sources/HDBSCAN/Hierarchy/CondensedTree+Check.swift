extension CondensedTree {
  /// Refuses columns that are not a condensed tree, such as those of a damaged file.
  ///
  /// Checked are the order of rows, the numbering of clusters, that every point and cluster is a
  /// child exactly once, that lambdas are not NaN and never fall from parent to child, and sizes.
  ///
  /// - Throws: ``HDBSCANError/shapeMismatch(_:)`` that names the first row at fault.
  /// - Complexity: O(rows).
  public func check() throws(HDBSCANError) {
    let clusters = rowCount - pointCount + 1
    if pointCount == 0 && rowCount == 0 { return }
    guard pointCount > 0, clusters >= 1 else {
      throw .shapeMismatch(
        "a condensed tree of \(pointCount) points cannot have \(rowCount) rows")
    }
    var seen = [Bool](repeating: false, count: pointCount + clusters)
    var births = [Double](repeating: 0, count: clusters)
    var heldSizes = [Int](repeating: 0, count: clusters)
    var claimedSizes = [Int](repeating: 0, count: clusters)
    var nextCluster = pointCount + 1
    for row in 0..<rowCount {
      let fault = faultOfRow(row, clusters: clusters, nextCluster: nextCluster, births: births)
      if let fault { throw .shapeMismatch("condensed tree row \(row): \(fault)") }
      let child = children[row]
      if seen[child] {
        throw .shapeMismatch("condensed tree row \(row): \(child) is a child for the second time")
      }
      seen[child] = true
      let (held, overflow) = heldSizes[parents[row] - pointCount]
        .addingReportingOverflow(sizes[row])
      if overflow { throw .shapeMismatch("condensed tree row \(row): sizes overflow") }
      heldSizes[parents[row] - pointCount] = held
      if child >= pointCount {
        nextCluster += 1
        births[child - pointCount] = lambdas[row]
        claimedSizes[child - pointCount] = sizes[row]
      }
    }
    // n points and (rows − n) clusters, each once: with as many rows as that nothing is missing
    // once the clusters are all there.
    guard nextCluster == pointCount + clusters else {
      throw .shapeMismatch("the condensed tree names \(nextCluster - pointCount) of its clusters")
    }
    for cluster in 1..<clusters where heldSizes[cluster] != claimedSizes[cluster] {
      throw .shapeMismatch(
        "cluster \(pointCount + cluster) of the condensed tree holds \(heldSizes[cluster]) points,"
          + " but its row says \(claimedSizes[cluster])")
    }
  }

  private func faultOfRow(_ row: Int, clusters: Int, nextCluster: Int, births: [Double]) -> String?
  {
    let parent = parents[row]
    let child = children[row]
    let lambda = lambdas[row]
    if row == 0 && parent != pointCount { return "the first parent is not the root" }
    guard parent >= pointCount, parent < nextCluster else {
      return "parent \(parent) is no cluster known so far"
    }
    if row > 0 && parent < parents[row - 1] { return "rows are not ordered by parent" }
    guard child >= 0, child < pointCount + clusters, child < pointCount || child == nextCluster
    else { return "child \(child) is out of order or out of range" }
    if sizes[row] < 1 { return "size \(sizes[row]) is below 1" }
    guard lambda >= births[parent - pointCount] else {
      return "lambda \(lambda) is below the birth of its parent"
    }
    if row > 0 && parent == parents[row - 1] && lambda < lambdas[row - 1] {
      return "lambdas fall within one parent"
    }
    return nil
  }
}
