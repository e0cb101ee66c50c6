internal import CKernels
internal import Vectors

extension QueryBlock {
  /// The search with products of bytes; see `QuantisedRows`.
  ///
  /// - Complexity: O(queries · rows · d) as integer products; memory O(queries · d) and a tile.
  func search(
    _ queries: Matrix<Scalar>, _ range: Range<Int>, _ part: Part, by bytes: QuantisedTraining
  ) -> [ReachabilitySearch] {
    let screened = bytes.queries(queries, range)
    let rows = bytes.rows
    var searches = range.map { _ in
      ReachabilitySearch(neededWeight: neededWeight, alpha: alpha)
    }
    let blocks = Blocks(rows: rows.count)
    let scratch = TileScratch<Int32>()
    let some = part.range(of: blocks.count)
    for block in some {
      let columns = blocks.range(block)
      if block == some.lowerBound {
        screened.products(
          0..<range.count, with: rows, columns, into: scratch.products, stride: tileSize)
        for (index, query) in range.enumerated() {
          seed(
            &searches[index], scratch.products + index * tileSize, halves: rows.halfLower, columns,
            queries.row(query))
          scratch.rowReach[index] = rows.reach(
            of: index, in: screened, squaredLimit: squaredReach(searches[index]))
        }
      }
      scratch.columnReach.update(repeating: .keepsNone, count: columns.count)
      let found = screened.screenTile(0..<range.count, with: rows, columns, scratch)
      let ahead = 6
      for pair in 0..<found {
        if pair + ahead < found {
          rows.prefetch(columns.lowerBound + Int(scratch.pairs[pair + ahead].column))
        }
        let survivor = scratch.pairs[pair]
        let index = Int(survivor.row)
        let row = columns.lowerBound + Int(survivor.column)
        let limit = squaredReach(searches[index])
        let least = screened.leastSquaredDistance(
          index, to: row, of: rows, product: survivor.product, squaredLimit: limit)
        if least > limit { continue }
        let distance = training.distance(row, queries.row(range.lowerBound + index))
        if distance > searches[index].reach { continue }
        searches[index].offer(
          row: row, distance: distance, coreDistance: coreDistances[row],
          weight: weights?[row] ?? 1)
        scratch.rowReach[index] = rows.reach(
          of: index, in: screened, squaredLimit: squaredReach(searches[index]))
      }
    }
    return searches
  }

  private func squaredReach(_ search: ReachabilitySearch) -> Double {
    squaredDistanceLimit(weight: search.reach, alpha: 1)
  }
}
