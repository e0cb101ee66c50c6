internal import Vectors

/// What is known before all pairs are looked at.
struct ScoutedTree {
  /// For each row at least the squared radius of its k-th nearest neighbour.
  var bounds: [Double]
  /// For each row at least its squared core distance.
  var squaredCores: [Double]
  /// n − 1 edges that span all rows, ascending, weighted by the mutual reachability that
  /// `squaredCores` gives: at least their true weights.
  var tree: [CandidateEdge]
}

extension TreeTask {
  /// Looks at a few of all pairs: those near each other in an order that keeps near rows together.
  ///
  /// First in the order of coarse cells, then in the leaf order of the tree that these gave.
  func scout<Source: ScreeningSource>(_ screen: Source) throws(HDBSCANError) -> ScoutedTree {
    let unknown = [Double](repeating: .infinity, count: rows.count)
    var scouted = ScoutedTree(bounds: unknown, squaredCores: unknown, tree: [])
    var order = cellOrder(of: rows, screen: screen, threads: threads)
    for round in 0..<rounds {
      if round > 0 { order = LeafOrder(tree: scouted.tree, count: rows.count).rows }
      let lists = try scoutedLists(order, screen: screen, bounds: scouted.bounds)
      // A list that stays short found nothing nearer than the bounds it started from.
      for (row, square) in squaredCores(lists).enumerated() where lists.length(row) == capacity {
        scouted.squaredCores[row] = min(scouted.squaredCores[row], square)
        scouted.bounds[row] = min(scouted.bounds[row], lists.radius(row, capacity - 1))
      }
      let reachability = reachability(squaredCores: scouted.squaredCores)
      var forest = minimumSpanningForest(
        reweighted(scouted.tree, reachability) + edges(of: lists, reachability: reachability),
        count: rows.count)
      scouted.tree = try joinComponents(
        forest.edges, sets: &forest.sets, screen: screen, reachability: reachability,
        threads: threads, progress: progress)
    }
    return scouted
  }

  private var rounds: Int { rows.count > 2 * tileSize ? 2 : 1 }

  /// Full lists from the tiles near the diagonal.
  private func scoutedLists<Source: ScreeningSource>(
    _ order: [Int], screen: Source, bounds: [Double]
  ) throws(HDBSCANError) -> NeighbourLists {
    let search = PairSearch(
      rows: rows, order: order, gaps: nil, alpha: alpha, screen: screen.selecting(order),
      capacity: capacity, bounds: bounds)
    let blocks = Blocks(rows: rows.count).count
    // As many blocks beside its own as fill every list, for the last block may be short; beyond
    // that, what measurements showed to pay: the tree gets better as the square root of the work.
    let full = (capacity + tileSize - 1) / tileSize
    let width = max(full, Int(Double(rows.count).squareRoot() / 100) + 1)
    let diagonal = (0..<blocks).map { ($0, $0) }
    let beside = (0..<blocks).flatMap { block in
      (block + 1..<max(min(block + width, blocks), block + 1)).map { (block, $0) }
    }
    let last = (max(blocks - 1 - width, 0)..<max(blocks - 1, 0)).map { ($0, blocks - 1) }
    let tiles = diagonal + (width > 1 ? beside.filter { $0.1 != blocks - 1 } : []) + last
    _ = try run(
      search, tiles.map { [$0] }[...], of: tiles.count, phase: .neighbours)
    sort(search.lists)
    return search.lists
  }
}
