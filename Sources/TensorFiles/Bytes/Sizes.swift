import Glibc

/// Number of elements of a shape, or nil where an extent is negative or the product overflows.
func elementCount(of shape: [Int]) -> Int? {
  // An extent of zero makes the product zero, but must not hide an overflow before or after it.
  var count = 1
  var isEmpty = false
  for extent in shape {
    guard extent >= 0 else { return nil }
    if extent == 0 {
      isEmpty = true
      continue
    }
    let (product, overflow) = count.multipliedReportingOverflow(by: extent)
    guard !overflow else { return nil }
    count = product
  }
  return isEmpty ? 0 : count
}

/// Bytes of `shape` elements of `size` bytes each, or nil where that does not fit in 63 bits.
func byteCount(of shape: [Int], size: Int) -> Int? {
  guard let count = elementCount(of: shape) else { return nil }
  let (bytes, overflow) = count.multipliedReportingOverflow(by: size)
  return overflow ? nil : bytes
}

/// How much memory one array may take when it is read.
public enum ReadLimit {
  /// Bytes of the machine's memory: what `limit:` parameters are unless told otherwise.
  public static let physicalMemory: Int = {
    let pages = sysconf(Int32(_SC_PHYS_PAGES))
    let (bytes, overflow) = pages.multipliedReportingOverflow(by: sysconf(Int32(_SC_PAGESIZE)))
    return overflow || bytes <= 0 ? 1 << 34 : bytes
  }()
}
