internal import Vectors

/// What a pass over all pairs ends with.
enum AllPairsResult {
  /// The nearest neighbours of all rows, sorted; a spanning tree; and every pair nearer than its
  /// bottleneck in that tree, as weight at most the squared distance.
  case found(NeighbourLists, tree: [CandidateEdge], nearer: [CandidateEdge])
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
    let budget = pairsPerRow * count
    var tree = scouted.tree
    var found: [CandidateEdge] = []
    var start = 0
    while start < tiles.count {
      // 1/64 of all tiles first, then twice as many as all before.
      let end = min(max(2 * start, tiles.count / 64 + 1), tiles.count)
      found += try run(
        search, tiles[start..<end], of: tiles.count, phase: .spanningTree)
      start = end
      if found.count > budget {
        let before = found.count
        (tree, found) = improved(tree, by: found, squaredCores: scouted.squaredCores)
        if start <= tiles.count / 4, 2 * found.count < before {
          return .better(
            ScoutedTree(bounds: search.bounds, squaredCores: scouted.squaredCores, tree: tree))
        }
      }
    }
    sort(search.lists)
    return .found(search.lists, tree: tree, nearer: found)
  }

  /// A tree made minimum over itself and some pairs, and the pairs nearer than its bottlenecks.
  private func improved(
    _ tree: [CandidateEdge], by found: [CandidateEdge], squaredCores: [Double]
  ) -> (tree: [CandidateEdge], nearer: [CandidateEdge]) {
    let reachability = reachability(squaredCores: squaredCores)
    let better = minimumSpanningForest(
      tree + reweighted(found, reachability), count: rows.count
    ).edges
    let bottlenecks = Bottlenecks(tree: better, count: rows.count)
    let nearer = bottlenecks.lighter(found, threads: threads) { $0.weight.squareRoot() / alpha }
    return (better, nearer)
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
