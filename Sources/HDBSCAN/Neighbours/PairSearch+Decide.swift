internal import CKernels
internal import Vectors

extension PairSearch {
  /// Enters the pairs that are left of a tile where they belong.
  ///
  /// For the tree alone a bound serves until it is known which pairs matter. So the exact distance is
  /// computed for those only that may be among the nearest.
  func decide(
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
  func enterKnown(_ first: Int, _ second: Int) -> Double? {
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
  func enterUnknown(_ first: Int, _ second: Int) -> Double {
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
}
