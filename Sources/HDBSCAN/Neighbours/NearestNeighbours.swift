internal import CKernels
internal import Synchronization
internal import Vectors

/// Finds the `capacity` nearest other rows of every row, exactly.
///
/// Every pair is looked at once, in upper-triangle tiles of approximate products. A pair is
/// rejected only if its squared distance is proven to exceed what the worst entry of *both* lists
/// allows; everything else is decided by the canonical kernel. The lists hold the least entries by
/// (squared distance, index), so the result depends on nothing but the rows: neither on the order
/// in which threads work nor on rounding in the products.
///
/// - Parameters:
///   - rows: at least two distinct rows.
///   - screen: bounds for the same rows in the same order.
///   - capacity: k, in 1..<n.
/// - Complexity: O(n² · d) multiplications in matrix products, O(n · k · log n) exact distances
///   on data without mass ties; 12 · n · k bytes.
func nearestNeighbours<Scalar: ExactScalar, Source: ScreeningSource>(
  of rows: DistinctRows<Scalar>, screen: Source, capacity: Int, threads: Int,
  progress: ProgressReporter
) throws(HDBSCANError) -> NeighbourLists {
  let blocks = Blocks(rows: rows.count)
  let search = NeighbourSearch(rows: rows, screen: screen, capacity: capacity)
  let tiles = blocks.offDiagonalTiles()
  let total = blocks.count + 2 * tiles.count
  let done = Atomic(0)
  parallelFor(blocks.count, threads: threads, makeScratch: TileScratch<Source.Bound>.init) {
    block, scratch in
    if progress.isCancelled { return }
    search.searchDiagonal(blocks.range(block), scratch)
    let completed = done.wrappingAdd(1, ordering: .relaxed).newValue
    progress.report(.neighbours, completed: completed, of: total)
  }
  let locks = BlockLocks(count: blocks.count)
  parallelFor(tiles.count, threads: threads, makeScratch: TileScratch<Source.Bound>.init) {
    tile, scratch in
    if progress.isCancelled { return }
    let (first, second) = tiles[tile]
    let (upper, lower) = (blocks.range(first), blocks.range(second))
    locks.withLocks(first, second) { search.copyReaches(upper, lower, scratch) }
    let found = screen.screenTile(upper, lower, scratch)
    if found > 0 {
      locks.withLocks(first, second) { search.decide(found, upper, lower, scratch) }
    }
    let completed = done.wrappingAdd(2, ordering: .relaxed).newValue
    progress.report(.neighbours, completed: completed, of: total)
  }
  try progress.throwIfCancelled()
  parallelForChunks(rows.count, chunk: 1024, threads: threads) { chunk in
    for row in chunk { search.lists.sort(row) }
  }
  return search.lists
}

/// Lists and screening reaches while they are filled; a row belongs to whoever holds its block.
private final class NeighbourSearch<Scalar: ExactScalar, Source: ScreeningSource> {
  let lists: NeighbourLists
  private let rows: DistinctRows<Scalar>
  private let screen: Source
  private let capacity: Int
  /// Screening reach of each row: that of the worst entry, or of a proven bound on it.
  private let reach: UnsafeMutablePointer<Source.Bound>

  init(rows: DistinctRows<Scalar>, screen: Source, capacity: Int) {
    self.rows = rows
    self.screen = screen
    self.capacity = capacity
    lists = NeighbourLists(count: rows.count, capacity: capacity)
    reach = .allocate(capacity: rows.count)
    reach.initialize(repeating: .keepsAll, count: rows.count)
  }

  deinit { reach.deallocate() }

  func searchDiagonal(_ block: Range<Int>, _ scratch: TileScratch<Source.Bound>) {
    screen.products(block, with: screen, block, into: scratch.products, stride: tileSize)
    for row in block { reach[row] = initialReach(row, block, scratch) }
    copyReaches(block, block, scratch)
    decide(
      screen.screenProducts(block, block, isDiagonal: true, scratch), block, block, scratch)
  }

  /// Hands the reaches of a tile to screening, so that it needs no lock.
  func copyReaches(
    _ upper: Range<Int>, _ lower: Range<Int>, _ scratch: TileScratch<Source.Bound>
  ) {
    scratch.rowReach.update(from: reach + upper.lowerBound, count: upper.count)
    scratch.columnReach.update(from: reach + lower.lowerBound, count: lower.count)
  }

  /// The largest distance to the rows of the block that look nearest bounds the k-th nearest one.
  ///
  /// For long lists the bound is not worth its cost: the block fills the list by itself.
  private func initialReach(
    _ row: Int, _ block: Range<Int>, _ scratch: TileScratch<Source.Bound>
  ) -> Source.Bound {
    guard capacity <= 64, capacity < block.count else { return .keepsAll }
    let products = scratch.products + (row - block.lowerBound) * tileSize
    return withUnsafeTemporaryAllocation(
      of: (closeness: Source.Bound, row: Int).self, capacity: capacity
    ) { nearest in
      var length = 0
      screen.halfLower.withUnsafeBufferPointer { halfLower in
        for column in block where column != row {
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
      let limit = nearest.prefix(length).reduce(0) { max($0, rows.squaredDistance(row, $1.row)) }
      return screen.reach(row, squaredLimit: limit)
    }
  }

  /// Decides the pairs that screening kept.
  func decide(
    _ count: Int, _ upper: Range<Int>, _ lower: Range<Int>, _ scratch: TileScratch<Source.Bound>
  ) {
    screen.halfLower.withUnsafeBufferPointer { half in
      for pair in 0..<count {
        let survivor = scratch.pairs[pair]
        let row = upper.lowerBound + Int(survivor.row)
        let column = lower.lowerBound + Int(survivor.column)
        let product = Source.Bound(productOf: survivor)
        // Reaches may have become tighter since this pair was screened.
        if product - half[column] < reach[row], product - reach[column] < half[row] { continue }
        decide(row, column)
      }
    }
  }

  private func decide(_ first: Int, _ second: Int) {
    let limit = max(lists.worst(first), lists.worst(second))
    if rows.isBeyond(first, second, squaredLimit: limit) { return }
    let square = rows.squaredDistance(first, second)
    enter(first, neighbour: second, square: square)
    enter(second, neighbour: first, square: square)
  }

  private func enter(_ row: Int, neighbour: Int, square: Double) {
    if lists.offer(row, neighbour: neighbour, radius: square), lists.length(row) == capacity {
      // The bound from the diagonal may still be the tighter one.
      reach[row] = max(reach[row], screen.reach(row, squaredLimit: lists.worst(row)))
    }
  }
}
