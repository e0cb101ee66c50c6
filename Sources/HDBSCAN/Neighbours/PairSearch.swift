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
  /// Nearest neighbours, by row, as heaps; pairs that they hold may be met again.
  let lists: NeighbourLists
  let rows: DistinctRows<Scalar>
  /// Row at each position.
  let order: [Int]
  /// Bottleneck between positions p − 1 and p; nil where no tree is given.
  private(set) var gaps: [Double]?
  /// Largest gap of each block.
  private var gapsOfBlocks: RangeMaxima
  let alpha: Double
  /// Bounds for the rows at their positions.
  let screen: Source
  let locks: BlockLocks
  /// For each position the squared radius of its full list; belongs to whoever holds its block, as do
  /// the lists.
  let limits: UnsafeMutablePointer<Double>
  /// Each limit in the unit of `screen`.
  let radii: UnsafeMutablePointer<Double>

  /// - Parameters:
  ///   - order: the rows, each once.
  ///   - gaps: of the spanning tree whose leaf order `order` is.
  ///   - screen: the entries of `order`.
  ///   - lists: k nearest of those that are known, by squared radius, as heaps; they are improved.
  init(
    rows: DistinctRows<Scalar>, order: [Int], gaps: [Double]?, alpha: Double, screen: Source,
    lists: NeighbourLists
  ) {
    self.rows = rows
    self.order = order
    self.gaps = gaps
    gapsOfBlocks = largestOfBlocks(gaps ?? [])
    self.alpha = alpha
    self.screen = screen
    self.lists = lists
    locks = BlockLocks(count: Blocks(rows: rows.count).count)
    limits = .allocate(capacity: rows.count)
    radii = .allocate(capacity: rows.count)
    for (position, row) in order.enumerated() {
      limits[position] = lists.worst(row)
      radii[position] = screen.radius(squaredLimit: limits[position])
    }
  }

  deinit {
    limits.deallocate()
    radii.deallocate()
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

  /// Looks at the pairs of some tiles; no pair may be looked at twice in one call.
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
          : searchTile(
            first, second, blocks.range(first), blocks.range(second),
            between: gaps == nil ? 0 : gapsOfBlocks.largest(first + 1..<second), scratch)
        // In whatever order: Kruskal's method sorts.
        if !nearer.isEmpty { found.withLock { $0.append(nearer) } }
      }
      completed()
    }
    return found.withLock { $0 }
  }

  /// Looks at the pairs of two ranges of positions in the blocks `first` and `second`.
  ///
  /// - Parameter between: the largest gap of the positions between the ranges.
  func searchTile(
    _ first: Int, _ second: Int, _ upper: Range<Int>, _ lower: Range<Int>, between: Double,
    _ scratch: TileScratch<Source.Bound>
  ) -> [CandidateEdge] {
    setBottlenecks(upper, lower, between: between, scratch)
    locks.withLocks(first, second) {
      setReaches(upper, scratch.rowRadius, scratch.rowReach)
      setReaches(lower, scratch.columnRadius, scratch.columnReach)
    }
    var count = screen.screenTile(upper, lower, scratch)
    if count > 0 { count = screen.lookCloser(upper, lower, count: count, scratch) }
    if count == 0 { return [] }
    for pair in 0..<count {
      scratch.bottlenecks[pair] = max(
        scratch.rowBottleneck[Int(scratch.pairs[pair].row)],
        scratch.columnBottleneck[Int(scratch.pairs[pair].column)])
    }
    var found: [CandidateEdge] = []
    locks.withLocks(first, second) { found = decide(count, upper, lower, scratch) }
    return found
  }

  /// Largest gaps from each row to the start of the other range, and back from each column; the radii
  /// are theirs.
  private func setBottlenecks(
    _ upper: Range<Int>, _ lower: Range<Int>, between: Double, _ scratch: TileScratch<Source.Bound>
  ) {
    guard let gaps else {
      scratch.rowBottleneck.update(repeating: -1, count: upper.count)
      scratch.columnBottleneck.update(repeating: -1, count: lower.count)
      scratch.rowRadius.update(repeating: -1, count: upper.count)
      scratch.columnRadius.update(repeating: -1, count: lower.count)
      return
    }
    let between = max(between, gaps[lower.lowerBound])
    // The largest gap so far changes seldom, and its radius with it.
    var (largest, radius) = (between, radius(bottleneck: between))
    for position in upper.reversed() {
      scratch.rowBottleneck[position - upper.lowerBound] = largest
      scratch.rowRadius[position - upper.lowerBound] = radius
      if gaps[position] > largest {
        (largest, radius) = (gaps[position], self.radius(bottleneck: gaps[position]))
      }
    }
    (largest, radius) = (between, self.radius(bottleneck: between))
    for position in lower {
      if position > lower.lowerBound, gaps[position] > largest {
        (largest, radius) = (gaps[position], self.radius(bottleneck: gaps[position]))
      }
      scratch.columnBottleneck[position - lower.lowerBound] = largest
      scratch.columnRadius[position - lower.lowerBound] = radius
    }
  }

  /// Widens the radii of bottlenecks to what both purposes need, and sets the reaches of that.
  func setReaches(
    _ positions: Range<Int>, _ radius: UnsafeMutablePointer<Double>,
    _ reach: UnsafeMutablePointer<Source.Bound>
  ) {
    for position in positions {
      let entry = position - positions.lowerBound
      radius[entry] = max(radius[entry], radii[position])
      reach[entry] = screen.reach(position, radius: radius[entry])
    }
  }

  /// The limit of a bottleneck in the unit of `screen`.
  func radius(bottleneck: Double) -> Double {
    screen.radius(squaredLimit: squaredLimit(weight: bottleneck))
  }

  /// Square of a distance that no pair of at most this weight exceeds; negative for no pair.
  func squaredLimit(weight: Double) -> Double {
    weight < 0 ? -1 : squaredDistanceLimit(weight: weight, alpha: alpha)
  }
}

/// The largest of each block's numbers, over which the largest of any blocks is read.
private func largestOfBlocks(_ gaps: [Double]) -> RangeMaxima {
  let blocks = Blocks(rows: gaps.count)
  return RangeMaxima((0..<blocks.count).map { gaps[blocks.range($0)].reduce(0, max) })
}
