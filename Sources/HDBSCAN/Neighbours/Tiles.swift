internal import CKernels
internal import Glibc

/// Rows of a block.
///
/// Both bytes of two blocks of 512 columns fit a cache of 1 MB beside the products. Larger blocks make
/// scouting dear where there are few; smaller ones cost more than they compute.
let tileSize = 384

/// The blocks that n rows are cut into.
struct Blocks {
  let rows: Int

  var count: Int { (rows + tileSize - 1) / tileSize }

  func range(_ block: Int) -> Range<Int> {
    block * tileSize..<min((block + 1) * tileSize, rows)
  }

  /// All pairs of different blocks (first < second), in squares of `side` × `side` pairs: one thread
  /// looks at a square, so that its blocks come from memory once and not for each pair.
  func squares(side: Int) -> [TileGroup] {
    let sides = (count + side - 1) / side
    var squares: [TileGroup] = []
    for offset in 0..<sides {
      for start in 0..<(sides - offset) {
        let firsts = start * side..<min((start + 1) * side, count)
        let seconds = (start + offset) * side..<min((start + offset + 1) * side, count)
        let square = firsts.flatMap { first in
          seconds.filter { first < $0 }.map { (first, $0) }
        }
        if !square.isEmpty { squares.append(square) }
      }
    }
    return squares
  }
}

/// Pairs of blocks (first ≤ second) that one thread looks at one after the other.
typealias TileGroup = [(Int, Int)]

/// What one thread needs to screen a tile.
final class TileScratch<Bound: ScreeningBound> {
  /// Products of a whole tile.
  let products: UnsafeMutablePointer<Bound>
  /// Pairs that screening kept; like what is kept for each of them it has room for a whole tile, touched
  /// only as far as it is needed.
  let pairs: UnsafeMutablePointer<kernel_survivor>
  /// Columns that screening of one row kept.
  let survivors: UnsafeMutablePointer<UInt32>
  /// Reaches of the rows of a tile.
  let rowReach: UnsafeMutablePointer<Bound>
  /// Reaches of the columns of a tile.
  let columnReach: UnsafeMutablePointer<Bound>
  /// Limits on distances of the rows and of the columns of a tile, in the unit of the source.
  let rowRadius: UnsafeMutablePointer<Double>
  let columnRadius: UnsafeMutablePointer<Double>
  /// Bottlenecks that the rows and the columns of a tile bring in.
  let rowBottleneck: UnsafeMutablePointer<Double>
  let columnBottleneck: UnsafeMutablePointer<Double>
  /// For each pair a number that its squared distance reaches.
  let least: UnsafeMutablePointer<Double>
  /// For each pair its bottleneck.
  let bottlenecks: UnsafeMutablePointer<Double>

  init() {
    products = .allocate(capacity: tileSize * tileSize)
    pairs = .allocate(capacity: tileSize * tileSize)
    survivors = .allocate(capacity: tileSize)
    rowReach = .allocate(capacity: tileSize)
    columnReach = .allocate(capacity: tileSize)
    // Kernels read whole registers, so what lies beyond the last column must be defined.
    rowReach.initialize(repeating: .keepsNone, count: tileSize)
    columnReach.initialize(repeating: .keepsNone, count: tileSize)
    rowRadius = .allocate(capacity: tileSize)
    columnRadius = .allocate(capacity: tileSize)
    rowBottleneck = .allocate(capacity: tileSize)
    columnBottleneck = .allocate(capacity: tileSize)
    least = .allocate(capacity: tileSize * tileSize)
    bottlenecks = .allocate(capacity: tileSize * tileSize)
  }

  deinit {
    products.deallocate()
    pairs.deallocate()
    survivors.deallocate()
    rowReach.deallocate()
    columnReach.deallocate()
    rowRadius.deallocate()
    columnRadius.deallocate()
    rowBottleneck.deallocate()
    columnBottleneck.deallocate()
    least.deallocate()
    bottlenecks.deallocate()
  }
}

/// A lock of its own for each block, so that tiles that share no block run side by side.
///
/// POSIX locks, because the thread sanitizer sees them and does not see `Synchronization.Mutex`.
final class BlockLocks {
  private let locks: UnsafeMutablePointer<pthread_mutex_t>
  private let count: Int

  init(count: Int) {
    self.count = count
    locks = .allocate(capacity: max(count, 1))
    for block in 0..<count {
      let status = pthread_mutex_init(locks + block, nil)
      precondition(status == 0, "the system grants no lock: error \(status)")
    }
  }

  deinit {
    for block in 0..<count { pthread_mutex_destroy(locks + block) }
    locks.deallocate()
  }

  /// Runs `body` with both blocks locked, the lower first so that no two threads wait in a ring.
  func withLocks(_ first: Int, _ second: Int, _ body: () -> Void) {
    pthread_mutex_lock(locks + min(first, second))
    if first != second { pthread_mutex_lock(locks + max(first, second)) }
    body()
    if first != second { pthread_mutex_unlock(locks + max(first, second)) }
    pthread_mutex_unlock(locks + min(first, second))
  }
}
