internal import Vectors

/// What a pass over all pairs yields.
struct AllPairsResult<Scalar: ExactScalar> {
  /// The nearest neighbours of all rows, sorted.
  let lists: NeighbourLists
  /// A spanning tree, ascending, with the weights that `reachability` gives.
  let tree: [CandidateEdge]
  let reachability: MutualReachability<Scalar>
  /// Every pair nearer than its bottleneck in the tree, as weight at most the squared distance.
  let nearer: EdgePile
}

extension TreeTask {
  /// Looks at all pairs once.
  ///
  /// The tiles run in rounds that grow, the first a small sample from everywhere. After a round that
  /// found many pairs the tree is improved by them and by the neighbours known by then: most pairs
  /// turn out not to matter and are forgotten, and fewer are found in the rounds that follow. So
  /// memory stays O(n), unless the scouted tree is so poor that a single round finds more.
  func searchAllPairs<Source: ScreeningSource>(
    _ scouted: ScoutedTree<Scalar>, screen: consuming Source
  ) throws(HDBSCANError) -> AllPairsResult<Scalar> {
    let order = LeafOrder(tree: scouted.tree, count: rows.count)
    screen = screen.selecting(order.rows)
    let search = PairSearch(
      rows: rows, order: order.rows, gaps: order.gaps, alpha: alpha,
      screen: screen, lists: scouted.lists)
    let tiles = tilesInSampledOrder(Blocks(rows: rows.count))
    var scouted = scouted
    var found = EdgePile()
    var start = 0
    while start < tiles.count {
      // 1/1024 of all tiles first, then as many as all before, 1/8 at most.
      let end = min(
        max(2 * start, tiles.count / 1024 + 1), start + tiles.count / 8 + 1, tiles.count)
      found.append(
        try run(search, tiles[start..<end], of: tiles.count, phase: .spanningTree))
      start = end
      if found.count > mostPairs, start < tiles.count {
        search.tighten(improve(&scouted, by: &found))
      }
    }
    sort(scouted.lists)
    return AllPairsResult(
      lists: scouted.lists, tree: scouted.tree, reachability: scouted.reachability, nearer: found)
  }

  /// Improves a tree by some pairs, and keeps those of them that are nearer than its bottlenecks.
  ///
  /// A few pairs for each row at a time, since sorting takes several times the room of what is sorted;
  /// each part is first thinned by the tree that those before it gave.
  ///
  /// - Returns: the bottlenecks of the better tree.
  private func improve(
    _ scouted: inout ScoutedTree<Scalar>, by found: inout EdgePile
  ) -> Bottlenecks {
    let reachability = reachability(scouted.lists)
    var tree = reweighted(scouted.tree, from: scouted.reachability, to: reachability).inOrder()
    var next = 0
    while next < found.pieces.count {
      var part = EdgePile()
      while part.count < 2 * rows.count, next < found.pieces.count {
        part.append(found.pieces[next])
        next += 1
      }
      keepNearer(&part, than: Bottlenecks(tree: tree, count: rows.count))
      tree =
        minimumSpanningForest(
          tree + weighted(part.edges, reachability), count: rows.count
        ).edges
    }
    (scouted.tree, scouted.reachability) = (tree, reachability)
    let bottlenecks = Bottlenecks(tree: tree, count: rows.count)
    keepNearer(&found, than: bottlenecks)
    return bottlenecks
  }

  /// Keeps the pairs that are nearer than their bottlenecks, whatever core distances turn out to be.
  private func keepNearer(_ pairs: inout EdgePile, than bottlenecks: Bottlenecks) {
    bottlenecks.keepLighter(&pairs, threads: threads) { $0.weight.squareRoot() / alpha }
  }
}

/// All tiles, those of the diagonal first, the others so ordered that every stretch is spread over
/// the whole triangle.
private func tilesInSampledOrder(_ blocks: Blocks) -> [TileGroup] {
  let diagonal = (0..<blocks.count).map { [($0, $0)] }
  // Few blocks stay in the cache whatever the order.
  let tiles = blocks.squares(side: blocks.count < 64 ? 1 : 4)
  if tiles.isEmpty { return diagonal }
  // Steps of a fixed length that shares no divisor with the number of tiles visit each once; the
  // golden ratio spreads them evenly.
  var step = max(Int(Double(tiles.count) * 0.618_033_988_749_895), 1)
  while greatestCommonDivisor(step, tiles.count) != 1 { step += 1 }
  return diagonal + tiles.indices.map { tiles[$0 * step % tiles.count] }
}

private func greatestCommonDivisor(_ first: Int, _ second: Int) -> Int {
  var (a, b) = (first, second)
  while b != 0 { (a, b) = (b, a % b) }
  return a
}
