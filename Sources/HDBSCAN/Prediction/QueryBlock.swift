internal import CKernels
internal import Vectors

/// Searches for a block of queries at once: tile by tile of training rows, one product a tile.
struct QueryBlock<Scalar: ExactScalar> {
  /// Training rows in a tile: the products of a block stay in the second-level cache.
  private static var tile: Int { 1024 }

  /// Queries in a block, at most.
  static var mostQueries: Int { 384 }

  let training: TrainingRows<Scalar>
  let coreDistances: [Double]
  let weights: [Int]?
  let neededWeight: Int
  let alpha: Double

  /// A share of the training rows: tiles of number `index` of `count` equal parts.
  struct Part {
    var index = 0
    var count = 1

    func range(of tiles: Int) -> Range<Int> {
      tiles * index / count..<tiles * (index + 1) / count
    }
  }

  /// Finds the neighbours of the given rows of `queries` among a part of the training rows.
  ///
  /// - Complexity: O(queries · rows · d) as matrix products; memory O(queries · (tile + d)).
  func search(
    _ queries: Matrix<Scalar>, _ range: Range<Int>, _ part: Part = Part()
  ) -> [ReachabilitySearch] {
    switch training.screen {
    case .bytes(let bytes): search(queries, range, part, by: bytes)
    case .floats(let floats): search(queries, range, part, by: floats)
    }
  }

  private func search(
    _ queries: Matrix<Scalar>, _ range: Range<Int>, _ part: Part, by floats: FloatTraining<Scalar>
  ) -> [ReachabilitySearch] {
    let stride = floats.screening.stride
    var screened: [FloatTraining<Scalar>.Screened] = []
    let copies = Matrix<Float>(rows: range.count, columns: queries.columns) { storage, _ in
      for (index, query) in range.enumerated() {
        screened.append(floats.screen(queries.row(query), to: storage + index * stride))
      }
    }
    var searches = range.map { _ in
      ReachabilitySearch(neededWeight: neededWeight, alpha: alpha)
    }
    var survivors = [UInt32](repeating: 0, count: Self.tile)
    let count = floats.screening.rows
    withUnsafeTemporaryAllocation(of: Float.self, capacity: range.count * Self.tile) { products in
      guard let base = products.baseAddress else { return }
      let tiles = part.range(of: (count + Self.tile - 1) / Self.tile)
      for first in tiles.map({ $0 * Self.tile }) {
        let columns = first..<min(first + Self.tile, count)
        multiply(copies, columns, of: floats, into: base)
        for (index, query) in range.enumerated() {
          let row = base + index * Self.tile
          if first == tiles.lowerBound * Self.tile {
            seed(
              &searches[index], row, halves: floats.halfSquares, columns, queries.row(query))
          }
          screen(
            &searches[index], screened[index], row, columns, of: floats, queries.row(query),
            &survivors)
        }
      }
    }
    return searches
  }

  private func multiply(
    _ copies: Matrix<Float>, _ columns: Range<Int>, of floats: FloatTraining<Scalar>,
    into products: UnsafeMutablePointer<Float>
  ) {
    if copies.rows == 1 {
      BlockProducts.multiply(
        floats.screening, rows: columns, byVector: copies.row(0), into: products)
    } else {
      BlockProducts.multiply(
        copies, rows: 0..<copies.rows, by: floats.screening, columns: columns, into: products,
        stride: Self.tile)
    }
  }

  /// Bounds the reach by the rows of the first tile that look nearest, before all are tried.
  ///
  /// - Parameter halves: half the squared norm of each row, as the products know it.
  func seed<Bound: ScreeningBound>(
    _ search: inout ReachabilitySearch, _ products: UnsafePointer<Bound>, halves: [Bound],
    _ columns: Range<Int>, _ query: UnsafePointer<Scalar>
  ) {
    // Rows weigh 1 or more, so this many rows have the weight.
    guard columns.count > neededWeight else { return }
    var top: [(closeness: Bound, row: Int)] = []
    for row in columns {
      let closeness = products[row - columns.lowerBound] - halves[row]
      if top.count == neededWeight, let last = top.last, !(closeness > last.closeness) { continue }
      top.insert((closeness, row), at: top.partitioningIndex { !($0.closeness >= closeness) })
      if top.count > neededWeight { top.removeLast() }
    }
    let distances = top.map { training.distance($0.row, query) }
    let floors = zip(top, distances).map { max(coreDistances[$0.row], $1 / alpha) }
    search.bound(core: distances.max() ?? .infinity, floor: floors.min() ?? .infinity)
  }

  /// Offers every row of a tile that the screen cannot reject, with its exact distance.
  private func screen(
    _ search: inout ReachabilitySearch, _ query: FloatTraining<Scalar>.Screened,
    _ products: UnsafePointer<Float>, _ columns: Range<Int>, of floats: FloatTraining<Scalar>,
    _ values: UnsafePointer<Scalar>, _ survivors: inout [UInt32]
  ) {
    let threshold = floats.screeningThreshold(query, distance: search.reach)
    let kept: Int
    if threshold == -.infinity {
      // Products may be NaN here; nothing is asked of them.
      for index in columns.indices {
        survivors[index - columns.lowerBound] = UInt32(index - columns.lowerBound)
      }
      kept = columns.count
    } else {
      kept = floats.halfSquares.withUnsafeBufferPointer { halves in
        guard let base = halves.baseAddress else { return 0 }
        let half = base + columns.lowerBound
        return kernel_screen_row(
          products, half, half, threshold, threshold, 0, columns.count, &survivors)
      }
    }
    for index in 0..<kept {
      let row = columns.lowerBound + Int(survivors[index])
      let distance = training.distance(row, values)
      if distance > search.reach { continue }
      search.offer(
        row: row, distance: distance, coreDistance: coreDistances[row],
        weight: weights?[row] ?? 1)
    }
  }
}
