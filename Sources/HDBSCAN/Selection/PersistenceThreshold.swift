extension CondensedTree {
  /// A coarser tree in which siblings that separate only briefly are one cluster.
  ///
  /// A cluster separates for (largest lambda at or below it) − (lambda of the split). From the
  /// leaves up, at each split:
  /// - where all parts are leaves and fewer than two last for the threshold, they are merged into
  ///   their parent and their points keep their lambdas;
  /// - else the parts that do not last fall out of the parent point by point at the split; if a
  ///   single part remains, it goes on under the parent's id. (Points that came to such a part
  ///   from parts merged below it keep their lambdas.)
  ///
  /// For two parts this is what the Python package does; clusters are numbered breadth-first again.
  ///
  /// - Parameter threshold: in lambda, at least 0; 0 returns the tree itself.
  /// - Returns: a tree of the same points.
  /// - Complexity: O(rows log rows).
  public func mergingSiblings(separatedForLessThan threshold: Double) -> CondensedTree {
    if threshold <= 0 || clusterCount <= 1 { return self }
    let (fates, splits) = fatesOfClusters(threshold: threshold)
    return rebuilt(fates: fates, splits: splits)
  }

  /// What becomes of a cluster: it stays, its rows join the parent, or its points fall out there.
  private enum Fate {
    case stays
    case joinsParent
    case fallsOut
  }

  private func fatesOfClusters(threshold: Double) -> (fates: [Fate], births: [Double]) {
    let peaks = clusterPeaks
    let births = clusterBirths
    let below = clusterChildren
    var isLeaf = below.map(\.isEmpty)
    var fates = [Fate](repeating: .stays, count: clusterCount)
    for position in stride(from: clusterCount - 1, through: 0, by: -1)
    where !below[position].isEmpty {
      let parts = below[position].map { $0 - pointCount }
      let lasting = parts.filter { peaks[$0] - births[$0] >= threshold }
      if lasting.count == parts.count { continue }
      if lasting.count >= 2 {
        for part in parts { fates[part] = .fallsOut }
        for part in lasting { fates[part] = .stays }
      } else if let last = lasting.first, !isLeaf[last] {
        for part in parts { fates[part] = .fallsOut }
        fates[last] = .joinsParent
      } else {
        // Parts that do not last are leaves: below a split that was kept something lasts longer.
        for part in parts { fates[part] = .joinsParent }
        isLeaf[position] = true
      }
    }
    return (fates, births)
  }

  /// Writes the rows again under the clusters that stay, in the order that the tree documents.
  private func rebuilt(fates: [Fate], splits births: [Double]) -> CondensedTree {
    let above = clusterParents
    // For each old cluster the one that holds its rows now, and the lambda at which its rows
    // leave instead of their own where it fell out.
    var holder = Array(0..<clusterCount)
    var ceiling = [Double](repeating: .infinity, count: clusterCount)
    for position in 1..<clusterCount where fates[position] != .stays {
      let parent = above[position] - pointCount
      holder[position] = holder[parent]
      // Points of parts that were merged into this one before keep their lambdas, as in the
      // Python package.
      if fates[position] == .fallsOut { ceiling[position] = births[position] }
    }
    var rows: [[Row]] = Array(repeating: [], count: clusterCount)
    for row in 0..<rowCount {
      let parent = parents[row] - pointCount
      let child = children[row]
      if child >= pointCount && fates[child - pointCount] != .stays { continue }
      rows[holder[parent]].append(
        Row(child: child, lambda: min(lambdas[row], ceiling[parent]), size: sizes[row]))
    }
    return CondensedTree(renumbering: rows, pointCount: pointCount)
  }

  private struct Row {
    var child: Int
    var lambda: Double
    var size: Int
  }

  /// Numbers clusters breadth-first; `rows` holds, by old position, rows with old child ids.
  private init(renumbering rows: [[Row]], pointCount: Int) {
    var parents: [Int] = []
    var children: [Int] = []
    var lambdas: [Double] = []
    var sizes: [Int] = []
    var queue = [0]
    var next = 0
    while next < queue.count {
      let isPoint = { (id: Int) in id < pointCount ? 1 : 0 }
      let sorted = rows[queue[next]].sorted {
        ($0.lambda, isPoint($0.child), $0.child) < ($1.lambda, isPoint($1.child), $1.child)
      }
      for row in sorted {
        parents.append(pointCount + next)
        lambdas.append(row.lambda)
        sizes.append(row.size)
        if row.child < pointCount {
          children.append(row.child)
        } else {
          children.append(pointCount + queue.count)
          queue.append(row.child - pointCount)
        }
      }
      next += 1
    }
    self.init(
      pointCount: pointCount, parents: parents, children: children, lambdas: lambdas, sizes: sizes)
  }
}
