internal import CKernels

/// Positions of a part of a block: as wide as two panels of every kernel.
private let partSize = 96

extension PairSearch {
  /// Looks at the pairs of one block, part by part: the bottlenecks of two parts are as those of two
  /// blocks, and most are below that of the whole.
  func searchDiagonal(
    _ block: Int, _ range: Range<Int>, _ scratch: TileScratch<Source.Bound>
  ) -> [CandidateEdge] {
    locks.withLocks(block, block) { seedLists(range, scratch) }
    let parts = stride(from: range.lowerBound, to: range.upperBound, by: partSize).map {
      $0..<min($0 + partSize, range.upperBound)
    }
    var found: [CandidateEdge] = []
    for (place, upper) in parts.enumerated() {
      found += searchPart(block, upper, scratch)
      var between = 0.0
      for lower in parts[(place + 1)...] {
        found += searchTile(block, block, upper, lower, between: between, scratch)
        if let gaps { between = gaps[lower].reduce(between, max) }
      }
    }
    return found
  }

  /// Looks at the pairs of one part of a block.
  private func searchPart(
    _ block: Int, _ range: Range<Int>, _ scratch: TileScratch<Source.Bound>
  ) -> [CandidateEdge] {
    screen.products(range, with: screen, range, into: scratch.products, stride: tileSize)
    // Screened with the largest bottleneck of each row, then tested with that of each pair.
    var (largest, radius) = (-1.0, -1.0)
    for position in range.reversed() {
      scratch.rowRadius[position - range.lowerBound] = radius
      if let gaps, gaps[position] > largest {
        (largest, radius) = (gaps[position], self.radius(bottleneck: gaps[position]))
      }
    }
    scratch.columnRadius.update(repeating: -1, count: range.count)
    var found: [CandidateEdge] = []
    locks.withLocks(block, block) {
      setReaches(range, scratch.rowRadius, scratch.rowReach)
      setReaches(range, scratch.columnRadius, scratch.columnReach)
      var count = screen.screenProducts(range, range, isDiagonal: true, scratch)
      count = screen.lookCloser(range, range, count: count, scratch)
      var (row, column, bottleneck) = (-1, 0, -1.0)
      for pair in 0..<count {
        let survivor = scratch.pairs[pair]
        if Int(survivor.row) != row {
          (row, column, bottleneck) = (Int(survivor.row), Int(survivor.row), -1)
        }
        while column < Int(survivor.column) {
          column += 1
          if let gaps { bottleneck = max(bottleneck, gaps[range.lowerBound + column]) }
        }
        scratch.bottlenecks[pair] = bottleneck
      }
      found = decide(count, range, range, scratch)
    }
    return found
  }

  /// Fills lists that have room with the rows of their block that look nearest, so that little survives
  /// from the start.
  ///
  /// For long lists that is not worth its cost: the block fills the list by itself.
  private func seedLists(_ range: Range<Int>, _ scratch: TileScratch<Source.Bound>) {
    let capacity = lists.capacity
    let short = range.filter { limits[$0] == .infinity }
    if short.isEmpty || capacity > 64 || capacity >= range.count { return }
    screen.products(range, with: screen, range, into: scratch.products, stride: tileSize)
    withUnsafeTemporaryAllocation(
      of: (closeness: Source.Bound, position: Int).self, capacity: capacity
    ) { nearest in
      for position in short {
        findNearest(position, range, scratch, nearest)
        for (_, other) in nearest where enterKnown(position, other) == nil {
          _ = enterUnknown(position, other)
        }
      }
    }
  }

  /// The rows of a block that look nearest to one of them.
  private func findNearest(
    _ position: Int, _ range: Range<Int>, _ scratch: TileScratch<Source.Bound>,
    _ nearest: UnsafeMutableBufferPointer<(closeness: Source.Bound, position: Int)>
  ) {
    let products = scratch.products + (position - range.lowerBound) * tileSize
    let last = nearest.count - 1
    var length = 0
    func insert(_ column: Int, _ closeness: Source.Bound) {
      if column == position || (length > last && closeness <= nearest[last].closeness) { return }
      var place = min(length, last)
      while place > 0, nearest[place - 1].closeness < closeness {
        nearest[place] = nearest[place - 1]
        place -= 1
      }
      nearest[place] = (closeness, column)
      length = min(length + 1, last + 1)
    }
    screen.halfLower.withUnsafeBufferPointer { half in
      guard let half = half.baseAddress.map({ $0 + range.lowerBound }) else { return }
      var column = 0
      while column <= last + 1 {
        insert(range.lowerBound + column, products[column] - half[column])
        column += 1
      }
      while column < range.count {
        let end = min(column + 64, range.count)
        // Only the reach of the row counts: the second comparison repeats the first.
        let worst = nearest[last].closeness
        let found = Source.Bound.screenRow(
          products, half, half, rowHalf: worst, rowReach: worst, from: column, to: end,
          into: scratch.survivors)
        for survivor in 0..<found {
          let column = Int(scratch.survivors[survivor])
          insert(range.lowerBound + column, products[column] - half[column])
        }
        column = end
      }
    }
  }
}
