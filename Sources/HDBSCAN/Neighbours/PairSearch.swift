internal import CKernels
internal import Synchronization
internal import Vectors

/// Looks at pairs of rows, tile by tile, for two purposes at once: the nearest neighbours of every
/// row, and every pair nearer than the bottleneck of its ends in a spanning tree.
///
/// A pair is rejected only if its squared distance is proven to exceed what the worst entry of *both*
/// neighbour lists allows and what the tree allows. Everything else is decided by the canonical
/// kernel. Lists hold the least entries by (squared distance, index), so what they are in the end depends
/// on nothing but the rows and the tiles: neither on threads nor on rounding in the products.
///
/// **Bottlenecks.** Let B(a, b) be the largest weight on the path from a to b in a spanning tree. With
/// rows in the leaf order of the tree it is the largest gap between two positions. For a row p of
/// block I and a column q of a later block J that is
///
///     max(gaps after p in I, gaps between the blocks, gaps up to q in J) = max(limit p, limit q),
///
/// exactly the form in which screening takes its limits.
final class PairSearch<Scalar: ExactScalar, Source: ScreeningSource> {
  /// Nearest neighbours, by row.
  let lists: NeighbourLists
  private let rows: DistinctRows<Scalar>
  /// Row at each position.
  private let order: [Int]
  /// Bottleneck between positions p − 1 and p; nil where no tree is given.
  private var gaps: [Double]?
  /// Largest gap of each block.
  private var gapsOfBlocks: RangeMaxima
  private let alpha: Double
  /// Bounds for the rows at their positions.
  private let screen: Source
  private let locks: BlockLocks
  /// For each position a proven bound on the squared radius of its full list; belongs to whoever
  /// holds its block, as do the lists.
  private let limits: UnsafeMutablePointer<Double>
  /// The reach of each limit.
  private let reaches: UnsafeMutablePointer<Source.Bound>

  /// - Parameters:
  ///   - order: the rows, each once.
  ///   - gaps: of the spanning tree whose leaf order `order` is.
  ///   - screen: the entries of `order`.
  ///   - capacity: k, in 1..<n.
  ///   - bounds: by row, at least the squared radius of the k-th nearest; infinity where unknown.
  init(
    rows: DistinctRows<Scalar>, order: [Int], gaps: [Double]?, alpha: Double, screen: Source,
    capacity: Int, bounds: [Double]
  ) {
    self.rows = rows
    self.order = order
    self.gaps = gaps
    gapsOfBlocks = largestOfBlocks(gaps ?? [])
    self.alpha = alpha
    self.screen = screen
    lists = NeighbourLists(count: rows.count, capacity: capacity)
    locks = BlockLocks(count: Blocks(rows: rows.count).count)
    limits = .allocate(capacity: rows.count)
    reaches = .allocate(capacity: rows.count)
    for (position, row) in order.enumerated() {
      limits[position] = bounds[row]
      reaches[position] = screen.reach(position, squaredLimit: bounds[row])
    }
  }

  deinit {
    limits.deallocate()
    reaches.deallocate()
  }

  /// Goes on with the bottlenecks of a better tree, whatever its leaf order.
  ///
  /// The bottleneck of two rows is at most the largest of those between neighbours in any order from
  /// one to the other.
  func tighten(_ bottlenecks: Bottlenecks) {
    let gaps = order.indices.map { position in
      position == 0 ? 0 : bottlenecks.bottleneck(order[position - 1], order[position])
    }
    self.gaps = gaps
    gapsOfBlocks = largestOfBlocks(gaps)
  }

  /// Looks at the pairs of some tiles; no pair may be looked at twice.
  ///
  /// - Returns: the pairs that may be nearer than their bottlenecks, in any order; the weight is at
  ///   most the *squared distance*.
  func search(
    _ groups: ArraySlice<TileGroup>, threads: Int, completed: () -> Void, isCancelled: () -> Bool
  ) -> EdgePile {
    let blocks = Blocks(rows: order.count)
    let found = Mutex(EdgePile())
    parallelFor(groups.count, threads: threads, makeScratch: TileScratch<Source.Bound>.init) {
      group, scratch in
      for (first, second) in groups[groups.startIndex + group] {
        if isCancelled() { return }
        let nearer =
          first == second
          ? searchDiagonal(first, blocks.range(first), scratch)
          : searchTile(first, second, blocks.range(first), blocks.range(second), scratch)
        // In whatever order: Kruskal's method sorts.
        if !nearer.isEmpty { found.withLock { $0.append(nearer) } }
      }
      completed()
    }
    return found.withLock { $0 }
  }

  private func searchTile(
    _ first: Int, _ second: Int, _ upper: Range<Int>, _ lower: Range<Int>,
    _ scratch: TileScratch<Source.Bound>
  ) -> [CandidateEdge] {
    setBottlenecks(first, second, upper, lower, scratch)
    locks.withLocks(first, second) {
      setReaches(upper, scratch.rowLimit, scratch.rowReach)
      setReaches(lower, scratch.columnLimit, scratch.columnReach)
    }
    let count = screen.screenTile(upper, lower, scratch)
    var found: [CandidateEdge] = []
    if count == 0 { return found }
    let ahead = 6
    locks.withLocks(first, second) {
      for pair in 0..<count {
        if pair + ahead < count {
          screen.prefetch(lower.lowerBound + Int(scratch.pairs[pair + ahead].column))
        }
        let survivor = scratch.pairs[pair]
        let row = Int(survivor.row)
        let column = Int(survivor.column)
        decide(
          upper.lowerBound + row, lower.lowerBound + column,
          product: Source.Bound(productOf: survivor),
          bottleneck: max(scratch.rowLimit[row], scratch.columnLimit[column]), &found)
      }
    }
    return found
  }

  /// Largest gaps from each row to the start of the other block, and back from each column.
  private func setBottlenecks(
    _ first: Int, _ second: Int, _ upper: Range<Int>, _ lower: Range<Int>,
    _ scratch: TileScratch<Source.Bound>
  ) {
    guard let gaps else {
      scratch.rowLimit.update(repeating: -1, count: upper.count)
      scratch.columnLimit.update(repeating: -1, count: lower.count)
      return
    }
    let between = max(gapsOfBlocks.largest(first + 1..<second), gaps[lower.lowerBound])
    var limit = between
    for position in upper.reversed() {
      scratch.rowLimit[position - upper.lowerBound] = limit
      limit = max(limit, gaps[position])
    }
    limit = between
    for position in lower {
      if position > lower.lowerBound { limit = max(limit, gaps[position]) }
      scratch.columnLimit[position - lower.lowerBound] = limit
    }
  }

  /// The reaches that screening needs for both purposes.
  private func setReaches(
    _ positions: Range<Int>, _ bottlenecks: UnsafePointer<Double>,
    _ result: UnsafeMutablePointer<Source.Bound>
  ) {
    for position in positions {
      let entry = position - positions.lowerBound
      result[entry] = min(
        reaches[position],
        screen.reach(position, squaredLimit: squaredLimit(weight: bottlenecks[entry])))
    }
  }

  private func searchDiagonal(
    _ block: Int, _ range: Range<Int>, _ scratch: TileScratch<Source.Bound>
  ) -> [CandidateEdge] {
    screen.products(range, with: screen, range, into: scratch.products, stride: tileSize)
    // Screened with the largest bottleneck of each row, then tested with that of each pair.
    var limit = -1.0
    for position in range.reversed() {
      scratch.rowLimit[position - range.lowerBound] = limit
      if let gaps { limit = max(limit, gaps[position]) }
    }
    scratch.columnLimit.update(repeating: -1, count: range.count)
    var found: [CandidateEdge] = []
    locks.withLock(block) {
      for position in range where limits[position] == .infinity {
        limits[position] = initialLimit(position, range, scratch)
        reaches[position] = screen.reach(position, squaredLimit: limits[position])
      }
      setReaches(range, scratch.rowLimit, scratch.rowReach)
      setReaches(range, scratch.columnLimit, scratch.columnReach)
      var (row, column, bottleneck) = (-1, 0, -1.0)
      for pair in 0..<screen.screenProducts(range, range, isDiagonal: true, scratch) {
        let survivor = scratch.pairs[pair]
        if Int(survivor.row) != row {
          (row, column, bottleneck) = (Int(survivor.row), Int(survivor.row), -1)
        }
        while column < Int(survivor.column) {
          column += 1
          if let gaps { bottleneck = max(bottleneck, gaps[range.lowerBound + column]) }
        }
        decide(
          range.lowerBound + row, range.lowerBound + column,
          product: Source.Bound(productOf: survivor), bottleneck: bottleneck, &found)
      }
    }
    return found
  }

  /// The largest distance to the rows of the block that look nearest bounds the k-th nearest one.
  ///
  /// For long lists the bound is not worth its cost: the block fills the list by itself.
  private func initialLimit(
    _ position: Int, _ block: Range<Int>, _ scratch: TileScratch<Source.Bound>
  ) -> Double {
    let capacity = lists.capacity
    guard capacity <= 64, capacity < block.count else { return .infinity }
    let products = scratch.products + (position - block.lowerBound) * tileSize
    return withUnsafeTemporaryAllocation(
      of: (closeness: Source.Bound, position: Int).self, capacity: capacity
    ) { nearest in
      var length = 0
      screen.halfLower.withUnsafeBufferPointer { halfLower in
        for column in block where column != position {
          let closeness = products[column - block.lowerBound] - halfLower[column]
          if length == capacity {
            if closeness <= nearest[capacity - 1].closeness { continue }
          } else {
            length += 1
          }
          var place = length - 1
          while place > 0, nearest[place - 1].closeness < closeness {
            nearest[place] = nearest[place - 1]
            place -= 1
          }
          nearest[place] = (closeness, column)
        }
      }
      return nearest.prefix(length).reduce(0) {
        max($0, rows.squaredDistance(order[position], order[$1.position]))
      }
    }
  }

  /// Enters a pair where it belongs; the cheap tests come first.
  private func decide(
    _ first: Int, _ second: Int, product: Source.Bound, bottleneck: Double,
    _ found: inout [CandidateEdge]
  ) {
    let (a, b) = (order[first], order[second])
    let listLimit = max(limits[first], limits[second])
    let limit = max(squaredLimit(weight: bottleneck), listLimit)
    if let least = screen.leastSquaredDistance(
      first, second, product: product, squaredLimit: limit)
    {
      if least > limit { return }
      if least > listLimit {
        // For the tree alone a bound serves until it is known which pairs matter.
        if least.squareRoot() / alpha < bottleneck {
          found.append(CandidateEdge(a, b, weight: least))
        }
        return
      }
    } else if rows.isBeyond(a, b, squaredLimit: limit) {
      return
    }
    let square = rows.squaredDistance(a, b)
    enter(first, a, neighbour: b, square: square)
    enter(second, b, neighbour: a, square: square)
    if square.squareRoot() / alpha < bottleneck {
      found.append(CandidateEdge(a, b, weight: square))
    }
  }

  private func enter(_ position: Int, _ row: Int, neighbour: Int, square: Double) {
    if square <= limits[position], lists.offer(row, neighbour: neighbour, radius: square) {
      let worst = lists.worst(row)
      if worst < limits[position] {
        limits[position] = worst
        reaches[position] = max(
          reaches[position], screen.reach(position, squaredLimit: worst))
      }
    }
  }

  /// Square of a distance that no pair of at most this weight exceeds; negative for no pair.
  private func squaredLimit(weight: Double) -> Double {
    weight < 0 ? -1 : squaredDistanceLimit(weight: weight, alpha: alpha)
  }
}

/// The largest of each block's numbers, over which the largest of any blocks is read.
private func largestOfBlocks(_ gaps: [Double]) -> RangeMaxima {
  let blocks = Blocks(rows: gaps.count)
  return RangeMaxima((0..<blocks.count).map { gaps[blocks.range($0)].reduce(0, max) })
}
