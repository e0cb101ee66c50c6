internal import CKernels
internal import Synchronization
public import Vectors

/// Rows prepared so that those near a point are found without looking at all of them closely.
///
/// A screen never loses a row within reach; it may keep others. Products of bytes decide, with the
/// bound that `docs/exactness.md` derives.
public struct RadiusScreen: Sendable {
  /// Number of rows.
  public let rowCount: Int
  private let bytes: QuantisedTraining
  /// Row of each entry of `bytes`, ascending; nil where all rows are there.
  private let rowOfEntry: [Int]?
  /// Rows with values that bytes cannot stand for, ascending; they are always kept.
  private let others: [Int]

  /// Values beyond this lie far outside any frame that serves the others.
  private static let largestValue: Float = 0x1p20

  /// Prepares rows.
  ///
  /// - Parameter rows: n × d; values may be anything.
  /// - Returns: nil where products of bytes do not serve these rows, are not to be used here, or do not
  ///   pay because the rows are few.
  /// - Throws: ``HDBSCANError/invalidParameter(name:value:expected:)`` where `PHOTODB_KERNEL` names a
  ///   kernel that does not run here.
  /// - Complexity: O(n · d); 3 · n · d bytes.
  public init?(_ rows: Matrix<Float>) throws(HDBSCANError) {
    self.init(rows, screening: Screening(kernel: try ScreeningKernel.selected()))
  }

  /// As the public one, with the products that are named.
  init?(_ rows: Matrix<Float>, screening: Screening) {
    let usable = rows.indicesOfRows { abs($0) < Self.largestValue }
    let isWhole = usable.count == rows.rows
    guard
      let bytes = QuantisedTraining(
        isWhole ? rows : rows.selecting(rows: usable), screening: screening)
    else { return nil }
    self.bytes = bytes
    rowCount = rows.rows
    rowOfEntry = isWhole ? nil : usable
    let known = Set(usable)
    others = isWhole ? [] : (0..<rows.rows).filter { !known.contains($0) }
  }

  /// The rows that may lie within reach of each query.
  ///
  /// - Parameters:
  ///   - queries: q × d; a query with a value that is not finite is near nothing.
  ///   - squaredRadii: square of each row's own radius, Euclidean; a row farther than that from a
  ///     query may be left out.
  ///   - threads: most threads to use.
  /// - Returns: rows in any order, for each query. Which rows beyond reach are kept in vain depends on
  ///   the other queries and on `threads`.
  /// - Complexity: O(q · n · d) as integer products.
  public func candidates(
    for queries: Matrix<Float>, squaredRadii: [Double], threads: Int = availableThreads
  ) -> [[Int]] {
    precondition(squaredRadii.count >= rowCount, "every row has a radius")
    let finite = queries.indicesOfRows { $0.isFinite }
    let found = Mutex([[Int]](repeating: [], count: queries.rows))
    found.withLock { for query in finite { $0[query] = others } }
    let screened = finite.count == queries.rows ? queries : queries.selecting(rows: finite)
    let blocks = Blocks(rows: bytes.rows.count)
    let workers = max(threads, 1)
    let size = min(tileSize, max(1, (screened.rows + workers - 1) / workers))
    let chunks = (screened.rows + size - 1) / size
    // Few queries leave threads idle unless they share the rows.
    let parts = chunks == 0 ? 0 : min(blocks.count, max(1, workers / chunks))
    parallelFor(chunks * parts, threads: threads) { item in
      let (chunk, part) = item.quotientAndRemainder(dividingBy: parts)
      let range = chunk * size..<min((chunk + 1) * size, screened.rows)
      let some = blocks.count * part / parts..<blocks.count * (part + 1) / parts
      let kept = search(screened, range, blocks: some.map(blocks.range), squaredRadii)
      found.withLock { found in
        for (query, rows) in zip(range, kept) { found[finite[query]] += rows }
      }
    }
    return found.withLock { $0 }
  }

  private func search(
    _ queries: Matrix<Float>, _ range: Range<Int>, blocks: [Range<Int>], _ squaredRadii: [Double]
  ) -> [[Int]] {
    let screened = bytes.queries(queries, range)
    let rows = bytes.rows
    let scratch = TileScratch<Int32>()
    var kept = [[Int]](repeating: [], count: range.count)
    for columns in blocks {
      for column in columns {
        scratch.columnReach[column - columns.lowerBound] = screened.reach(
          of: column, in: rows, squaredLimit: squaredRadii[row(column)])
      }
      let found = screened.screenTile(0..<range.count, with: rows, columns, scratch)
      for pair in 0..<found {
        let survivor = scratch.pairs[pair]
        let column = columns.lowerBound + Int(survivor.column)
        let row = row(column)
        let least = screened.leastSquaredDistance(
          Int(survivor.row), to: column, of: rows, product: survivor.product,
          squaredLimit: squaredRadii[row])
        if least <= squaredRadii[row] { kept[Int(survivor.row)].append(row) }
      }
    }
    return kept
  }

  private func row(_ entry: Int) -> Int { rowOfEntry?[entry] ?? entry }
}

extension Matrix where Scalar == Float {
  /// The rows of which every value passes, ascending.
  fileprivate func indicesOfRows(where passes: (Float) -> Bool) -> [Int] {
    (0..<rows).filter { row in
      UnsafeBufferPointer(start: self.row(row), count: columns).allSatisfy(passes)
    }
  }
}
