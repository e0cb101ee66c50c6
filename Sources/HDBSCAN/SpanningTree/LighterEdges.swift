internal import CKernels
internal import Synchronization
internal import Vectors

/// Finds every edge that is strictly lighter than the bottleneck of its ends in a spanning tree T.
///
/// Let B(a, b) be the largest weight on the path from a to b in T. An edge (a, b) outside T with
/// w(a, b) ≥ B(a, b) is a heaviest edge of the cycle that it closes with that path, so by the
/// cycle property some minimum spanning tree does without it; dropping all such edges one after
/// the other keeps the paths of T, on which the argument rests. Hence T and the edges with
/// w(a, b) < B(a, b) together contain a minimum spanning tree, and Kruskal's method finds it.
///
/// B needs no search: with rows in leaf order it is the largest gap between two positions. For a
/// row p of block I and a column q of a later block J that is
///
///     max(gaps after p in I, gaps between the blocks, gaps up to q in J) = max(limit p, limit q),
///
/// exactly the form in which screening takes its limits. So screening works with the bottleneck
/// of each pair itself, not with a bound on it.
struct LighterEdges<Scalar: ExactScalar, Source: ScreeningSource> {
  let reachability: MutualReachability<Scalar>
  let order: LeafOrder
  /// Bounds for the rows in leaf order.
  let screen: Source

  /// Screens one tile of leaf positions and returns its lighter edges.
  ///
  /// - Parameters:
  ///   - upper: a block of positions.
  ///   - lower: the same block, or a later one.
  func search(
    _ upper: Range<Int>, _ lower: Range<Int>, _ scratch: TileScratch
  ) -> [CandidateEdge] {
    screen.products(upper, with: screen, lower, into: scratch.products, stride: tileSize)
    return upper == lower
      ? searchDiagonal(upper, scratch) : searchTile(upper, lower, scratch)
  }

  private func searchTile(
    _ upper: Range<Int>, _ lower: Range<Int>, _ scratch: TileScratch
  ) -> [CandidateEdge] {
    setLimits(upper, lower, scratch)
    var lighter: [CandidateEdge] = []
    screen.halfLower.withUnsafeBufferPointer { halfLower in
      guard let half = halfLower.baseAddress else { return }
      for row in 0..<upper.count {
        let found = kernel_screen_row(
          scratch.products + row * tileSize, half + lower.lowerBound, scratch.columnReach,
          half[upper.lowerBound + row], scratch.rowReach[row], 0, lower.count, scratch.survivors)
        for survivor in 0..<found {
          let column = Int(scratch.survivors[survivor])
          decide(
            upper.lowerBound + row, lower.lowerBound + column,
            bottleneck: max(scratch.rowLimit[row], scratch.columnLimit[column]), &lighter)
        }
      }
    }
    return lighter
  }

  /// Largest gaps from each row to the start of the other block, and back from each column.
  private func setLimits(_ upper: Range<Int>, _ lower: Range<Int>, _ scratch: TileScratch) {
    var between = order.gaps[lower.lowerBound]
    for position in upper.upperBound..<lower.lowerBound {
      between = max(between, order.gaps[position])
    }
    var limit = between
    for position in upper.reversed() {
      let row = position - upper.lowerBound
      scratch.rowLimit[row] = limit
      scratch.rowReach[row] = reach(position, weight: limit)
      limit = max(limit, order.gaps[position])
    }
    limit = between
    for position in lower {
      let column = position - lower.lowerBound
      if column > 0 { limit = max(limit, order.gaps[position]) }
      scratch.columnLimit[column] = limit
      scratch.columnReach[column] = reach(position, weight: limit)
    }
  }

  private func searchDiagonal(_ block: Range<Int>, _ scratch: TileScratch) -> [CandidateEdge] {
    var lighter: [CandidateEdge] = []
    var limit = 0.0
    for position in block.reversed() {
      let row = position - block.lowerBound
      scratch.rowReach[row] = reach(position, weight: limit)
      limit = max(limit, order.gaps[position])
    }
    screen.halfLower.withUnsafeBufferPointer { halfLower in
      guard let half = halfLower.baseAddress else { return }
      let columnHalf = half + block.lowerBound
      for row in 0..<block.count {
        // Screened with the largest bottleneck of the row, then tested with that of each pair.
        let found = kernel_screen_row(
          scratch.products + row * tileSize, columnHalf, columnHalf, scratch.rowReach[row],
          scratch.rowReach[row], row + 1, block.count, scratch.survivors)
        var bottleneck = 0.0
        var column = row
        for survivor in 0..<found {
          while column < Int(scratch.survivors[survivor]) {
            column += 1
            bottleneck = max(bottleneck, order.gaps[block.lowerBound + column])
          }
          decide(
            block.lowerBound + row, block.lowerBound + column, bottleneck: bottleneck, &lighter)
        }
      }
    }
    return lighter
  }

  private func reach(_ position: Int, weight: Double) -> Float {
    screen.reach(position, squaredLimit: reachability.squaredLimit(weight: weight))
  }

  /// Keeps a pair that is strictly lighter than its bottleneck; the cheap tests come first.
  private func decide(
    _ first: Int, _ second: Int, bottleneck: Double, _ lighter: inout [CandidateEdge]
  ) {
    let a = order.rows[first]
    let b = order.rows[second]
    if max(reachability.coreDistances[a], reachability.coreDistances[b]) >= bottleneck { return }
    let weight = reachability.weight(a, b)
    if weight < bottleneck { lighter.append(CandidateEdge(a, b, weight: weight)) }
  }
}
