internal import Vectors

/// What is known before all pairs are looked at.
struct ScoutedTree<Scalar: ExactScalar> {
  /// For each row the k nearest among some others, as heaps.
  let lists: NeighbourLists
  /// Core distances by these lists: at least the true ones.
  var reachability: MutualReachability<Scalar>
  /// n − 1 edges that span all rows, ascending, with the weights that `reachability` gives: at least
  /// their true ones.
  var tree: [CandidateEdge]
}

extension TreeTask {
  /// Looks at a few of all pairs: those near each other in an order that keeps near rows together.
  ///
  /// First in the order of coarse cells, then in the leaf order of the tree that these gave.
  func scout<Source: ScreeningSource>(
    _ screen: Source
  ) throws(HDBSCANError) -> ScoutedTree<Scalar> {
    let lists = NeighbourLists(count: rows.count, capacity: capacity)
    var scouted = ScoutedTree(lists: lists, reachability: reachability(lists), tree: [])
    var order = cellOrder(of: rows, screen: screen, threads: threads)
    for round in 0..<rounds {
      if round > 0 { order = LeafOrder(tree: scouted.tree, count: rows.count).rows }
      try searchNearDiagonal(order, screen: screen, lists: lists)
      let better = reachability(lists)
      sort(lists)
      var forest = minimumSpanningForest(
        reweighted(scouted.tree, from: scouted.reachability, to: better)
          + edges(of: lists, reachability: better),
        count: rows.count)
      unsort(lists)
      scouted.tree = try joinComponents(
        forest.edges, sets: &forest.sets, screen: screen, reachability: better,
        threads: threads, progress: progress)
      scouted.reachability = better
    }
    return scouted
  }

  private var rounds: Int { rows.count > 2 * tileSize ? 2 : 1 }

  /// Fills all lists from the tiles near the diagonal.
  private func searchNearDiagonal<Source: ScreeningSource>(
    _ order: [Int], screen: Source, lists: NeighbourLists
  ) throws(HDBSCANError) {
    let search = PairSearch(
      rows: rows, order: order, gaps: nil, alpha: alpha, screen: screen.selecting(order),
      lists: lists)
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
  }
}
