internal import Vectors

/// What a pass over all pairs ends with.
enum AllPairsResult {
  /// The nearest neighbours of all rows, sorted; a spanning tree; and every pair nearer than its
  /// bottleneck in that tree, as weight at most the squared distance.
  case found(NeighbourLists, tree: [CandidateEdge], nearer: EdgePile)
  /// The scouted tree was poor: a better one to start from.
  case better(ScoutedTree)
}

extension TreeTask {
  /// Looks at all pairs once.
  ///
  /// The tiles run in rounds that grow, the first a small sample from everywhere. Where the tree is
  /// poor (two large groups joined by a bad edge), a round yields very many edges: then the tree
  /// is improved by those found so far and the search starts again with tighter bottlenecks, or,
  /// late in the search, the edges are thinned by the tree that they give. So memory stays O(n).
  func searchAllPairs<Source: ScreeningSource>(
    _ scouted: ScoutedTree, screen: Source
  ) throws(HDBSCANError) -> AllPairsResult {
    let count = rows.count
    let order = LeafOrder(tree: scouted.tree, count: count)
    let search = PairSearch(
      rows: rows, order: order.rows, gaps: order.gaps, alpha: alpha,
      screen: screen.selecting(order.rows), capacity: capacity, bounds: scouted.bounds)
    let tiles = tilesInSampledOrder(Blocks(rows: count))
    // Where there are many rows, memory is dear and thinning cheap beside the search.
    let budget = max(pairsPerRow / 2 * count, min(pairsPerRow * count, 1 << 22))
    var tree = scouted.tree
    var found = EdgePile()
    var start = 0
    while start < tiles.count {
      // 1/64 of all tiles first, then as many as all before, 1/8 at most.
      let end = min(
        max(2 * start, tiles.count / 64 + 1), start + tiles.count / 8 + 1, tiles.count)
      found.append(
        try run(search, tiles[start..<end], of: tiles.count, phase: .spanningTree))
      start = end
      if found.count > budget, start < tiles.count {
        let before = found.count
        improve(&tree, by: &found, squaredCores: scouted.squaredCores)
        if start <= tiles.count / 4, 2 * found.count < before {
          return .better(
            ScoutedTree(bounds: search.bounds, squaredCores: scouted.squaredCores, tree: tree))
        }
      }
    }
    sort(search.lists)
    return .found(search.lists, tree: tree, nearer: found)
  }

  /// Improves a tree by some pairs, and keeps those of them that are nearer than its bottlenecks.
  ///
  /// A few pairs for each row at a time, since sorting takes several times the room of what is sorted;
  /// each part is first thinned by the tree that those before it gave.
  private func improve(
    _ tree: inout [CandidateEdge], by found: inout EdgePile, squaredCores: [Double]
  ) {
    let reachability = reachability(squaredCores: squaredCores)
    var next = 0
    while next < found.pieces.count {
      var part = EdgePile()
      while part.count < 2 * rows.count, next < found.pieces.count {
        part.append(found.pieces[next])
        next += 1
      }
      keepNearer(&part, than: tree)
      tree =
        minimumSpanningForest(
          tree + reweighted(part.edges, reachability), count: rows.count
        ).edges
    }
    keepNearer(&found, than: tree)
  }

  /// Keeps the pairs that are nearer than their bottlenecks, whatever core distances turn out to be.
  private func keepNearer(_ pairs: inout EdgePile, than tree: [CandidateEdge]) {
    let bottlenecks = Bottlenecks(tree: tree, count: rows.count)
    bottlenecks.keepLighter(&pairs, threads: threads) { $0.weight.squareRoot() / alpha }
  }
}

/// All tiles, those of the diagonal first, the others so ordered that every stretch is spread over
/// the whole triangle.
private func tilesInSampledOrder(_ blocks: Blocks) -> [(Int, Int)] {
  let diagonal = (0..<blocks.count).map { ($0, $0) }
  let tiles = blocks.offDiagonalTiles()
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
