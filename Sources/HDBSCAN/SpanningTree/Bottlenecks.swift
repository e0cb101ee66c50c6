internal import Vectors

/// The largest edge on the path between any two rows of a spanning tree.
///
/// In leaf order it is the largest gap between two positions: read from largest gaps of ranges
/// of 16 positions and of powers of two of such ranges, and from the positions at both ends.
struct Bottlenecks {
  private let order: LeafOrder
  private let positions: [Int32]
  /// Over the largest gap of each range of positions.
  private let ranges: RangeMaxima

  private static let range = 16

  /// - Parameter tree: n − 1 edges that span n rows, ascending.
  /// - Complexity: O(n α(n)).
  init(tree: [CandidateEdge], count: Int) {
    let order = LeafOrder(tree: tree, count: count)
    var positions = [Int32](repeating: 0, count: count)
    for (position, row) in order.rows.enumerated() { positions[row] = Int32(position) }
    ranges = RangeMaxima(
      stride(from: 0, to: count, by: Self.range).map {
        order.gaps[$0..<min($0 + Self.range, count)].reduce(0, max)
      })
    self.order = order
    self.positions = positions
  }

  /// - Complexity: O(1), some thirty comparisons at most.
  func bottleneck(_ a: Int, _ b: Int) -> Double {
    let first = Int(min(positions[a], positions[b])) + 1
    let last = Int(max(positions[a], positions[b]))
    let (firstRange, lastRange) = (first / Self.range, last / Self.range)
    return order.gaps.withUnsafeBufferPointer { gaps in
      func largest(_ from: Int, _ through: Int) -> Double {
        var result = 0.0
        for position in from...through { result = max(result, gaps[position]) }
        return result
      }
      if firstRange == lastRange { return largest(first, last) }
      let ends = max(
        largest(first, (firstRange + 1) * Self.range - 1), largest(lastRange * Self.range, last))
      return max(ends, ranges.largest(firstRange + 1..<lastRange))
    }
  }

  /// Keeps the pairs that are strictly lighter than the bottleneck of their ends.
  func keepLighter(
    _ pairs: inout EdgePile, threads: Int, weight: (CandidateEdge) -> Double
  ) {
    pairs.filter(threads: threads) { weight($0) < bottleneck(Int($0.a), Int($0.b)) }
  }
}
