extension QuantisedRows {
  /// Rows and blocks of columns that the share is measured on.
  private static let sampleRows = 16
  private static let sampleBlocks = 32

  /// Share of all pairs that screening would keep in vain, measured on a sample.
  ///
  /// Distances between rounded rows stand for the true ones: where they are too coarse for that,
  /// the share comes out large, which is the answer.
  ///
  /// - Precondition: the first look is at all columns.
  /// - Parameter capacity: length of the neighbour lists.
  /// - Complexity: O(n) products at most, for a sample of constant size.
  func survivingShare(capacity: Int) -> Double {
    precondition(!isProjected, "distances of projections do not stand for those of the rows")
    let samples = min(count, Self.sampleRows)
    let sample = (0..<samples).map { $0 * count / samples }
    let selected = selecting(sample)
    let blocks = Blocks(rows: count)
    let looked = min(blocks.count, Self.sampleBlocks)
    let scratch = TileScratch<Int32>()
    let nearest = NeighbourLists(count: samples, capacity: min(capacity, max(count - 1, 1)))
    var closeness = [[Int32]](repeating: [], count: samples)
    for block in (0..<looked).map({ $0 * blocks.count / looked }) {
      let columns = blocks.range(block)
      selected.products(
        0..<samples, with: self, columns, into: scratch.products, stride: tileSize)
      for entry in 0..<samples {
        let products = scratch.products + entry * tileSize
        let squares = coarse.facts[sample[entry]].squares
        for column in columns where column != sample[entry] {
          let product = products[column - columns.lowerBound]
          closeness[entry].append(product - halfLower[column])
          nearest.offer(
            entry, neighbour: column,
            radius: Double(squares + coarse.facts[column].squares - 2 * product))
        }
      }
    }
    var kept = 0
    for entry in 0..<samples {
      let limit = reach(
        sample[entry], squaredLimit: nearest.worst(entry) / (scale * scale))
      // The nearest themselves survive whatever screens them.
      kept += max(closeness[entry].count { $0 >= limit } - nearest.length(entry), 0)
    }
    let pairs = closeness.reduce(0) { $0 + $1.count }
    return pairs == 0 ? 0 : Double(kept) / Double(pairs)
  }
}
