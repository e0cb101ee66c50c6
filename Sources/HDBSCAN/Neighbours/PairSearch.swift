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
  private let lists: NeighbourLists
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
  /// For each position the squared radius of its full list; belongs to whoever holds its block, as do
  /// the lists.
  private let limits: UnsafeMutablePointer<Double>
  /// Each limit in the unit of `screen`.
  private let radii: UnsafeMutablePointer<Double>

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
  private func searchTile(
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
  private func setReaches(
    _ positions: Range<Int>, _ radius: UnsafeMutablePointer<Double>,
    _ reach: UnsafeMutablePointer<Source.Bound>
  ) {
    for position in positions {
      let entry = position - positions.lowerBound
      radius[entry] = max(radius[entry], radii[position])
      reach[entry] = screen.reach(position, radius: radius[entry])
    }
  }

  /// Looks at the pairs of one block, part by part: the bottlenecks of two parts are as those of two
  /// blocks, and most are below that of the whole.
  private func searchDiagonal(
    _ block: Int, _ range: Range<Int>, _ scratch: TileScratch<Source.Bound>
  ) -> [CandidateEdge] {
    locks.withLocks(block, block) { seedLists(range, scratch) }
    let parts = stride(from: range.lowerBound, to: range.upperBound, by: partSize).map {
      $0..<min($0 + partSize, range.upperBound)
    }
    var found: [CandidateEdge] = []
    for (place, upper) in parts.enumerated() {
      found += searchPart(block, upper, scratch)
      var between = 0.0
      for lower in parts[(place + 1)...] {
        found += searchTile(block, block, upper, lower, between: between, scratch)
        if let gaps { between = gaps[lower].reduce(between, max) }
      }
    }
    return found
  }

  /// Looks at the pairs of one part of a block.
  private func searchPart(
    _ block: Int, _ range: Range<Int>, _ scratch: TileScratch<Source.Bound>
  ) -> [CandidateEdge] {
    screen.products(range, with: screen, range, into: scratch.products, stride: tileSize)
    // Screened with the largest bottleneck of each row, then tested with that of each pair.
    var (largest, radius) = (-1.0, -1.0)
    for position in range.reversed() {
      scratch.rowRadius[position - range.lowerBound] = radius
      if let gaps, gaps[position] > largest {
        (largest, radius) = (gaps[position], self.radius(bottleneck: gaps[position]))
      }
    }
    scratch.columnRadius.update(repeating: -1, count: range.count)
    var found: [CandidateEdge] = []
    locks.withLocks(block, block) {
      setReaches(range, scratch.rowRadius, scratch.rowReach)
      setReaches(range, scratch.columnRadius, scratch.columnReach)
      var count = screen.screenProducts(range, range, isDiagonal: true, scratch)
      count = screen.lookCloser(range, range, count: count, scratch)
      var (row, column, bottleneck) = (-1, 0, -1.0)
      for pair in 0..<count {
        let survivor = scratch.pairs[pair]
        if Int(survivor.row) != row {
          (row, column, bottleneck) = (Int(survivor.row), Int(survivor.row), -1)
        }
        while column < Int(survivor.column) {
          column += 1
          if let gaps { bottleneck = max(bottleneck, gaps[range.lowerBound + column]) }
        }
        scratch.bottlenecks[pair] = bottleneck
      }
      found = decide(count, range, range, scratch)
    }
    return found
  }

  /// Fills lists that have room with the rows of their block that look nearest, so that little survives
  /// from the start.
  ///
  /// For long lists that is not worth its cost: the block fills the list by itself.
  private func seedLists(_ range: Range<Int>, _ scratch: TileScratch<Source.Bound>) {
    let capacity = lists.capacity
    let short = range.filter { limits[$0] == .infinity }
    if short.isEmpty || capacity > 64 || capacity >= range.count { return }
    screen.products(range, with: screen, range, into: scratch.products, stride: tileSize)
    withUnsafeTemporaryAllocation(
      of: (closeness: Source.Bound, position: Int).self, capacity: capacity
    ) { nearest in
      for position in short {
        findNearest(position, range, scratch, nearest)
        for (_, other) in nearest where enterKnown(position, other) == nil {
          _ = enterUnknown(position, other)
        }
      }
    }
  }

  /// The rows of a block that look nearest to one of them.
  private func findNearest(
    _ position: Int, _ range: Range<Int>, _ scratch: TileScratch<Source.Bound>,
    _ nearest: UnsafeMutableBufferPointer<(closeness: Source.Bound, position: Int)>
  ) {
    let products = scratch.products + (position - range.lowerBound) * tileSize
    let last = nearest.count - 1
    var length = 0
    func insert(_ column: Int, _ closeness: Source.Bound) {
      if column == position || (length > last && closeness <= nearest[last].closeness) { return }
      var place = min(length, last)
      while place > 0, nearest[place - 1].closeness < closeness {
        nearest[place] = nearest[place - 1]
        place -= 1
      }
      nearest[place] = (closeness, column)
      length = min(length + 1, last + 1)
    }
    screen.halfLower.withUnsafeBufferPointer { half in
      guard let half = half.baseAddress.map({ $0 + range.lowerBound }) else { return }
      var column = 0
      while column <= last + 1 {
        insert(range.lowerBound + column, products[column] - half[column])
        column += 1
      }
      while column < range.count {
        let end = min(column + 64, range.count)
        // Only the reach of the row counts: the second comparison repeats the first.
        let worst = nearest[last].closeness
        let found = Source.Bound.screenRow(
          products, half, half, rowHalf: worst, rowReach: worst, from: column, to: end,
          into: scratch.survivors)
        for survivor in 0..<found {
          let column = Int(scratch.survivors[survivor])
          insert(range.lowerBound + column, products[column] - half[column])
        }
        column = end
      }
    }
  }

  /// Enters the pairs that are left of a tile where they belong.
  ///
  /// For the tree alone a bound serves until it is known which pairs matter. So the exact distance is
  /// computed for those only that may be among the nearest.
  private func decide(
    _ count: Int, _ upper: Range<Int>, _ lower: Range<Int>, _ scratch: TileScratch<Source.Bound>
  ) -> [CandidateEdge] {
    let (pairs, least, bottlenecks) = (scratch.pairs, scratch.least, scratch.bottlenecks)
    var found: [CandidateEdge] = []
    // In place: what is left is never more than what was looked at.
    var unknown = 0
    for pair in 0..<count {
      let first = upper.lowerBound + Int(pairs[pair].row)
      let second = lower.lowerBound + Int(pairs[pair].column)
      var square = least[pair]
      if square <= max(limits[first], limits[second]) {
        guard let known = enterKnown(first, second) else {
          (pairs[unknown], least[unknown], bottlenecks[unknown]) =
            (pairs[pair], least[pair], bottlenecks[pair])
          unknown += 1
          continue
        }
        square = known
      }
      if square.squareRoot() / alpha < bottlenecks[pair] {
        found.append(CandidateEdge(order[first], order[second], weight: square))
      }
    }
    for pair in 0..<unknown {
      if pair + 1 < unknown {
        rows.prefetch(order[upper.lowerBound + Int(pairs[pair + 1].row)])
        rows.prefetch(order[lower.lowerBound + Int(pairs[pair + 1].column)])
      }
      let first = upper.lowerBound + Int(pairs[pair].row)
      let second = lower.lowerBound + Int(pairs[pair].column)
      var square = least[pair]
      if square <= max(limits[first], limits[second]) {
        if !Source.looksCloser, isBeyond(first, second, bottleneck: bottlenecks[pair]) { continue }
        square = enterUnknown(first, second)
      }
      if square.squareRoot() / alpha < bottlenecks[pair] {
        found.append(CandidateEdge(order[first], order[second], weight: square))
      }
    }
    return found
  }

  /// Whether a quick test shows that a pair serves neither purpose.
  private func isBeyond(_ first: Int, _ second: Int, bottleneck: Double) -> Bool {
    rows.isBeyond(
      order[first], order[second],
      squaredLimit: max(limits[first], limits[second], squaredLimit(weight: bottleneck)))
  }

  /// Enters a pair that one of both lists holds into the other, and returns its squared distance; nil
  /// where neither holds it.
  private func enterKnown(_ first: Int, _ second: Int) -> Double? {
    let (a, b) = (order[first], order[second])
    if let square = lists.radius(a, of: b) {
      if lists.radius(b, of: a) == nil { enter(second, b, neighbour: a, square: square) }
      return square
    }
    guard let square = lists.radius(b, of: a) else { return nil }
    enter(first, a, neighbour: b, square: square)
    return square
  }

  /// Enters a pair that neither list holds into both, and returns its squared distance.
  private func enterUnknown(_ first: Int, _ second: Int) -> Double {
    let (a, b) = (order[first], order[second])
    let square = rows.squaredDistance(a, b)
    enter(first, a, neighbour: b, square: square)
    enter(second, b, neighbour: a, square: square)
    return square
  }

  private func enter(_ position: Int, _ row: Int, neighbour: Int, square: Double) {
    if square <= limits[position], lists.offer(row, neighbour: neighbour, radius: square) {
      let worst = lists.worst(row)
      if worst < limits[position] {
        limits[position] = worst
        radii[position] = screen.radius(squaredLimit: worst)
      }
    }
  }

  /// The limit of a bottleneck in the unit of `screen`.
  private func radius(bottleneck: Double) -> Double {
    screen.radius(squaredLimit: squaredLimit(weight: bottleneck))
  }

  /// Square of a distance that no pair of at most this weight exceeds; negative for no pair.
  private func squaredLimit(weight: Double) -> Double {
    weight < 0 ? -1 : squaredDistanceLimit(weight: weight, alpha: alpha)
  }
}

/// Positions of a part of a block: as wide as two panels of every kernel.
private let partSize = 96

/// The largest of each block's numbers, over which the largest of any blocks is read.
private func largestOfBlocks(_ gaps: [Double]) -> RangeMaxima {
  let blocks = Blocks(rows: gaps.count)
  return RangeMaxima((0..<blocks.count).map { gaps[blocks.range($0)].reduce(0, max) })
}
