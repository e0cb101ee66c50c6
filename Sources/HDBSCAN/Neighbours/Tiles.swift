internal import Glibc

/// Rows of a block: two blocks of products fill a cache of 1 MB, and sgemm runs at full speed.
let tileSize = 512

/// The blocks that n rows are cut into.
struct Blocks {
  let rows: Int

  var count: Int { (rows + tileSize - 1) / tileSize }

  func range(_ block: Int) -> Range<Int> {
    block * tileSize..<min((block + 1) * tileSize, rows)
  }

  /// Pairs of different blocks (first < second), neighbours in the list sharing none where possible.
  func offDiagonalTiles() -> [(Int, Int)] {
    var tiles: [(Int, Int)] = []
    tiles.reserveCapacity(count * max(count - 1, 0) / 2)
    for offset in stride(from: 1, to: count, by: 1) {
      for first in 0..<(count - offset) { tiles.append((first, first + offset)) }
    }
    return tiles
  }
}

/// What one thread needs to screen a tile.
final class TileScratch {
  let products: UnsafeMutablePointer<Float>
  let survivors: UnsafeMutablePointer<UInt32>
  let rowReach: UnsafeMutablePointer<Float>
  let columnReach: UnsafeMutablePointer<Float>
  let rowLimit: UnsafeMutablePointer<Double>
  let columnLimit: UnsafeMutablePointer<Double>
  private let storage: UnsafeMutableRawPointer

  init() {
    let productBytes = tileSize * tileSize * 4
    storage = .allocate(byteCount: productBytes + tileSize * (4 * 3 + 8 * 2), alignment: 64)
    products = storage.bindMemory(to: Float.self, capacity: tileSize * tileSize)
    let floats = (storage + productBytes).bindMemory(to: Float.self, capacity: 2 * tileSize)
    rowReach = floats
    columnReach = floats + tileSize
    let limits = (storage + productBytes + 8 * tileSize).bindMemory(
      to: Double.self, capacity: 2 * tileSize)
    rowLimit = limits
    columnLimit = limits + tileSize
    survivors = (storage + productBytes + 24 * tileSize).bindMemory(
      to: UInt32.self, capacity: tileSize)
  }

  deinit { storage.deallocate() }
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
    precondition(first != second, "a block is locked once")
    pthread_mutex_lock(locks + min(first, second))
    pthread_mutex_lock(locks + max(first, second))
    body()
    pthread_mutex_unlock(locks + max(first, second))
    pthread_mutex_unlock(locks + min(first, second))
  }
}
