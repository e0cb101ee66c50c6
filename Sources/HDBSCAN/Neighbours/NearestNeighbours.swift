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
  parallelFor(blocks.count, threads: threads, makeScratch: TileScratch.init) { block, scratch in
    if progress.isCancelled { return }
    search.searchDiagonal(blocks.range(block), scratch)
    let completed = done.wrappingAdd(1, ordering: .relaxed).newValue
    progress.report(.neighbours, completed: completed, of: total)
  }
  let locks = BlockLocks(count: blocks.count)
  parallelFor(tiles.count, threads: threads, makeScratch: TileScratch.init) { tile, scratch in
    if progress.isCancelled { return }
    let (first, second) = tiles[tile]
    let (upper, lower) = (blocks.range(first), blocks.range(second))
    screen.products(upper, with: screen, lower, into: scratch.products, stride: tileSize)
    locks.withLocks(first, second) { search.searchTile(upper, lower, scratch) }
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
  private let reach: UnsafeMutablePointer<Float>

  init(rows: DistinctRows<Scalar>, screen: Source, capacity: Int) {
    self.rows = rows
    self.screen = screen
    self.capacity = capacity
    lists = NeighbourLists(count: rows.count, capacity: capacity)
    reach = .allocate(capacity: rows.count)
    reach.initialize(repeating: -.infinity, count: rows.count)
  }

  deinit { reach.deallocate() }

  func searchDiagonal(_ block: Range<Int>, _ scratch: TileScratch) {
    screen.products(block, with: screen, block, into: scratch.products, stride: tileSize)
    for row in block { reach[row] = initialReach(row, block, scratch) }
    screenRows(block, block, scratch)
  }

  func searchTile(_ upper: Range<Int>, _ lower: Range<Int>, _ scratch: TileScratch) {
    screenRows(upper, lower, scratch)
  }

  /// The k-th smallest upper bound within the block bounds the k-th nearest distance.
  ///
  /// For long lists the bound is not worth its cost: the block fills the list by itself.
  private func initialReach(_ row: Int, _ block: Range<Int>, _ scratch: TileScratch) -> Float {
    guard capacity <= 64, capacity < block.count else { return -.infinity }
    let products = scratch.products + (row - block.lowerBound) * tileSize
    return withUnsafeTemporaryAllocation(of: Float.self, capacity: capacity) { least in
      least.initialize(repeating: .infinity)
      screen.halfUpper.withUnsafeBufferPointer { halfUpper in
        for column in block where column != row {
          let bound = halfUpper[column] - products[column - block.lowerBound]
          if bound >= least[capacity - 1] { continue }
          var place = capacity - 1
          while place > 0, least[place - 1] > bound {
            least[place] = least[place - 1]
            place -= 1
          }
          least[place] = bound
        }
      }
      let half = Double(least[capacity - 1]) + Double(screen.halfUpper[row])
      return screen.reach(row, squaredLimit: max(2 * half / (screen.scale * screen.scale), 0))
    }
  }

  /// Screens `rows` × `columns` and decides the survivors; in a diagonal tile each pair once.
  private func screenRows(_ upper: Range<Int>, _ lower: Range<Int>, _ scratch: TileScratch) {
    let isDiagonal = upper == lower
    screen.halfLower.withUnsafeBufferPointer { halfLower in
      guard let half = halfLower.baseAddress else { return }
      let columnHalf = half + lower.lowerBound
      let columnReach = reach + lower.lowerBound
      for row in upper {
        let local = row - upper.lowerBound
        let products = scratch.products + local * tileSize
        let found = kernel_screen_row(
          products, columnHalf, columnReach, half[row], reach[row], isDiagonal ? local + 1 : 0,
          lower.count, scratch.survivors)
        for survivor in 0..<found {
          let column = Int(scratch.survivors[survivor])
          // Reaches may have become tighter since this row was screened.
          if products[column] - columnHalf[column] < reach[row],
            products[column] - columnReach[column] < half[row]
          {
            continue
          }
          decide(row, lower.lowerBound + column)
        }
      }
    }
  }

  private func decide(_ first: Int, _ second: Int) {
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
