/// The largest of any stretch of numbers, none of which is negative, in constant time.
struct RangeMaxima {
  /// Level l holds the largest of each 2^l consecutive numbers.
  private let levels: [[Double]]

  /// - Complexity: O(m log m) for m numbers, time and memory.
  init(_ values: [Double]) {
    var levels = [values]
    var length = 1
    while 2 * length <= values.count {
      let below = levels[levels.count - 1]
      levels.append((0...values.count - 2 * length).map { max(below[$0], below[$0 + length]) })
      length *= 2
    }
    self.levels = levels
  }

  /// 0 for an empty stretch.
  func largest(_ range: Range<Int>) -> Double {
    if range.isEmpty { return 0 }
    let level = Int.bitWidth - 1 - range.count.leadingZeroBitCount
    return max(levels[level][range.lowerBound], levels[level][range.upperBound - (1 << level)])
  }
}
