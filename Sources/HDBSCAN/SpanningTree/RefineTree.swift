internal import Synchronization
internal import Vectors

/// Turns a spanning tree into the minimum one by adding every edge that is lighter than a bottleneck.
///
/// The tiles run in rounds that grow, the first a small sample from everywhere. Where the tree was
/// poor (two large groups joined by a bad edge), a round yields very many edges: then the tree is
/// improved by those found so far and the search starts again with tighter bottlenecks, or, late
/// in the search, the edges found are thinned to a forest. So memory stays O(n), and what is found
/// depends only on the tree and never on threads.
///
/// - Parameters:
///   - tree: n − 1 edges that span all rows, ascending.
///   - source: bounds for the rows; consumed, so that at most one re-ordered copy exists beside it.
/// - Returns: a minimum spanning tree, ascending.
/// - Complexity: O(n² · d) multiplications in matrix products.
func refineTree<Scalar: ExactScalar, Source: ScreeningSource>(
  _ tree: [CandidateEdge], screen source: Source,
  reachability: MutualReachability<Scalar>, threads: Int, progress: ProgressReporter
) throws(HDBSCANError) -> [CandidateEdge] {
  let count = reachability.rows.count
  let tiles = tilesInSampledOrder(Blocks(rows: count))
  let budget = 2 * count + 4096
  var tree = tree
  var restarts = 0
  while true {
    let order = LeafOrder(tree: tree, count: count)
    let search = LighterEdges(
      reachability: reachability, order: order, screen: source.selecting(order.rows))
    var found: [CandidateEdge] = []
    var start = 0
    var restart = false
    while start < tiles.count, !restart {
      // 1/64 of all tiles first, then twice as many as all before.
      let end = min(max(2 * start, tiles.count / 64 + 1), tiles.count)
      found += try search.round(
        tiles[start..<end], of: tiles.count, threads: threads, progress: progress)
      start = end
      if found.count > budget {
        let better = minimumSpanningForest(tree + found, count: count).edges
        if start <= tiles.count / 4, restarts < 4 {
          tree = better
          restart = true
        } else {
          found = better
        }
      }
    }
    if restart {
      restarts += 1
      continue
    }
    return minimumSpanningForest(tree + found, count: count).edges
  }
}

extension LighterEdges {
  /// Searches tiles in parallel.
  fileprivate func round(
    _ tiles: ArraySlice<(Int, Int)>, of total: Int, threads: Int, progress: ProgressReporter
  ) throws(HDBSCANError) -> [CandidateEdge] {
    let blocks = Blocks(rows: order.rows.count)
    let found = Mutex<[CandidateEdge]>([])
    let done = Atomic(tiles.startIndex)
    parallelFor(tiles.count, threads: threads, makeScratch: TileScratch<Source.Bound>.init) {
      tile, scratch in
      if progress.isCancelled { return }
      let (first, second) = tiles[tiles.startIndex + tile]
      let lighter = search(blocks.range(first), blocks.range(second), scratch)
      // In whatever order: Kruskal's method sorts.
      if !lighter.isEmpty { found.withLock { $0 += lighter } }
      let completed = done.wrappingAdd(1, ordering: .relaxed).newValue
      progress.report(.spanningTree, completed: completed, of: total)
    }
    try progress.throwIfCancelled()
    return found.withLock { $0 }
  }
}

/// All tiles, so ordered that every prefix is spread over the whole triangle.
private func tilesInSampledOrder(_ blocks: Blocks) -> [(Int, Int)] {
  let tiles = (0..<blocks.count).map { ($0, $0) } + blocks.offDiagonalTiles()
  if tiles.isEmpty { return [] }
  // Steps of a fixed length that shares no divisor with the number of tiles visit each once; the
  // golden ratio spreads them evenly.
  var step = max(Int(Double(tiles.count) * 0.618_033_988_749_895), 1)
  while greatestCommonDivisor(step, tiles.count) != 1 { step += 1 }
  return tiles.indices.map { tiles[$0 * step % tiles.count] }
}

private func greatestCommonDivisor(_ first: Int, _ second: Int) -> Int {
  var (a, b) = (first, second)
  while b != 0 { (a, b) = (b, a % b) }
  return a
}
