internal import CKernels
internal import Vectors

/// Rows of bytes: `rows` × `stride`, filled once by the closure given to the initialiser.
///
/// `@unchecked Sendable`: after `init` nothing can write through it.
final class ByteRows: @unchecked Sendable {
  let stride: Int
  let base: UnsafePointer<Int8>
  private let storage: UnsafeMutablePointer<Int8>

  /// - Parameter fill: writes every byte.
  init(rows: Int, stride: Int, fill: (UnsafeMutablePointer<Int8>) -> Void) {
    self.stride = stride
    let byteCount = max(rows * stride, 1)
    // Rows are looked at in any order: with pages of 4 KB nearly each is first looked up in page tables.
    let page = Int(KERNEL_LARGE_PAGE)
    let isLarge = byteCount >= 2 * page
    let raw = UnsafeMutableRawPointer.allocate(
      byteCount: byteCount, alignment: isLarge ? page : 64)
    if isLarge { kernel_prefer_large_pages(raw, byteCount) }
    storage = raw.bindMemory(to: Int8.self, capacity: byteCount)
    base = UnsafePointer(storage)
    fill(storage)
  }

  deinit { storage.deallocate() }
}

/// Rows of bytes in panels of 16, as integer kernels read them (see `kernel_integer_tile`).
///
/// `@unchecked Sendable`: after `init` nothing can write through it.
final class BytePanels: @unchecked Sendable {
  /// Groups of four columns in a row.
  let steps: Int
  private let storage: UnsafeMutableRawPointer

  static let rowsOfPanel = 16

  /// - Parameter entries: the row of each place, in order.
  /// - Complexity: O(n · d).
  init(_ rows: ByteRows, entries: [Int32], columns: Int, threads: Int) {
    let lanes = Self.rowsOfPanel
    let steps = (columns + 3) / 4
    let panelBytes = steps * 4 * lanes
    let count = entries.count
    let panels = (count + lanes - 1) / lanes
    // A kernel may read ahead of the last panel.
    let byteCount = panels * panelBytes + 1024
    let raw = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
    let bytes = raw.bindMemory(to: Int8.self, capacity: byteCount)
    // Rows fill whole panels; lanes of the last one and what lies behind it stay zero.
    let whole = count / lanes * panelBytes
    (bytes + whole).initialize(repeating: 0, count: byteCount - whole)
    self.steps = steps
    storage = raw
    parallelForChunks(panels, chunk: 16, threads: threads) { chunk in
      for row in chunk.lowerBound * lanes..<min(chunk.upperBound * lanes, count) {
        kernel_integer_pack(
          rows.base + Int(entries[row]) * rows.stride, steps, row % lanes,
          bytes + row / lanes * panelBytes)
      }
    }
  }

  deinit { storage.deallocate() }

  /// Start of the panel of a row whose index is a multiple of 16.
  func panel(ofRow row: Int) -> UnsafePointer<Int8> {
    precondition(row % Self.rowsOfPanel == 0, "a tile starts with a panel")
    return UnsafePointer(storage.assumingMemoryBound(to: Int8.self)) + row * steps * 4
  }
}
