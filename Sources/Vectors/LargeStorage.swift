internal import CKernels

/// Memory for rows, aligned to 64 bytes at least and not initialised; the system is asked to back
/// it by large pages where it is large.
///
/// Distances are computed between rows in any order. With pages of 4 KB nearly each of them is looked
/// up in page tables first.
///
/// - Returns: what `deallocate()` gives back.
package func allocateStorage(byteCount: Int) -> UnsafeMutableRawPointer {
  let page = Int(KERNEL_LARGE_PAGE)
  if byteCount < 2 * page {
    return .allocate(byteCount: max(byteCount, 1), alignment: 64)
  }
  let storage = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: page)
  kernel_prefer_large_pages(storage, byteCount)
  return storage
}
