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
    _ upper: Range<Int>, _ lower: Range<Int>, _ scratch: TileScratch<Source.Bound>
  ) -> [CandidateEdge] {
    upper == lower ? searchDiagonal(upper, scratch) : searchTile(upper, lower, scratch)
  }

  private func searchTile(
    _ upper: Range<Int>, _ lower: Range<Int>, _ scratch: TileScratch<Source.Bound>
  ) -> [CandidateEdge] {
    setLimits(upper, lower, scratch)
    var lighter: [CandidateEdge] = []
    for pair in 0..<screen.screenTile(upper, lower, scratch) {
      let row = Int(scratch.pairs[pair].row)
      let column = Int(scratch.pairs[pair].column)
      decide(
        upper.lowerBound + row, lower.lowerBound + column,
        bottleneck: max(scratch.rowLimit[row], scratch.columnLimit[column]), &lighter)
    }
    return lighter
  }

  /// Largest gaps from each row to the start of the other block, and back from each column.
  private func setLimits(
    _ upper: Range<Int>, _ lower: Range<Int>, _ scratch: TileScratch<Source.Bound>
  ) {
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

  private func searchDiagonal(
    _ block: Range<Int>, _ scratch: TileScratch<Source.Bound>
  ) -> [CandidateEdge] {
    screen.products(block, with: screen, block, into: scratch.products, stride: tileSize)
    // Screened with the largest bottleneck of each row, then tested with that of each pair.
    var limit = 0.0
    for position in block.reversed() {
      scratch.rowReach[position - block.lowerBound] = reach(position, weight: limit)
      scratch.columnReach[position - block.lowerBound] = .keepsNone
      limit = max(limit, order.gaps[position])
    }
    var lighter: [CandidateEdge] = []
    var row = -1
    var column = 0
    var bottleneck = 0.0
    for pair in 0..<screen.screenProducts(block, block, isDiagonal: true, scratch) {
      let survivor = scratch.pairs[pair]
      if Int(survivor.row) != row {
        (row, column, bottleneck) = (Int(survivor.row), Int(survivor.row), 0)
      }
      while column < Int(survivor.column) {
        column += 1
        bottleneck = max(bottleneck, order.gaps[block.lowerBound + column])
      }
      decide(block.lowerBound + row, block.lowerBound + column, bottleneck: bottleneck, &lighter)
    }
    return lighter
  }

  private func reach(_ position: Int, weight: Double) -> Source.Bound {
    screen.reach(position, squaredLimit: reachability.squaredLimit(weight: weight))
  }

  /// Keeps a pair that is strictly lighter than its bottleneck; the cheap tests come first.
  private func decide(
    _ first: Int, _ second: Int, bottleneck: Double, _ lighter: inout [CandidateEdge]
  ) {
    let a = order.rows[first]
    let b = order.rows[second]
    if max(reachability.coreDistances[a], reachability.coreDistances[b]) >= bottleneck { return }
    if reachability.rows.isBeyond(
      a, b, squaredLimit: reachability.squaredLimit(weight: bottleneck))
    {
      return
    }
    let weight = reachability.weight(a, b)
    if weight < bottleneck { lighter.append(CandidateEdge(a, b, weight: weight)) }
  }
}
