/// Cheap approximate inner products of rows, with a proven promise about squared distances.
///
/// This is the seam between the exact algorithm and the arithmetic that makes it fast: float32
/// matrix products (``CentredRows``) or integer products (``QuantisedRows``). A source holds one
/// entry for each of `count` rows x and promises, with g = the product it returns for a pair:
/// if the *computed* canonical squared distance of rows i and j is at most L, then
///
///     g − halfLower[j] ≥ reach(i, squaredLimit: L)   and   g − halfLower[i] ≥ reach(j, squaredLimit: L)
///
/// in the arithmetic of `Bound`. docs/exactness.md derives this for both sources.
protocol ScreeningSource: Sendable {
  associatedtype Bound: ScreeningBound

  /// Number of entries.
  var count: Int { get }
  /// One part of the bound for each entry; may be longer than `count`.
  var halfLower: [Bound] { get }

  /// A limit in the unit of this source, which grows with it.
  ///
  /// - Parameter squaredLimit: square of the distance of interest; infinity keeps every pair, a
  ///   negative number none.
  func radius(squaredLimit: Double) -> Double

  /// The number that screening compares with so that no pair within a radius is lost.
  func reach(_ entry: Int, radius: Double) -> Bound

  /// Writes the products of entries `rows` of this source with entries `columns` of another.
  ///
  /// Product (i, j) goes to `(i − rows.lowerBound) * stride + j − columns.lowerBound`. Both ranges
  /// start at multiples of 16.
  func products(
    _ rows: Range<Int>, with other: Self, _ columns: Range<Int>,
    into result: UnsafeMutablePointer<Bound>, stride: Int)

  /// Finds the pairs of a tile of two different blocks that the reaches in `scratch` cannot reject.
  ///
  /// - Returns: how many pairs were written to `scratch.pairs`, in any order.
  func screenTile(_ rows: Range<Int>, _ columns: Range<Int>, _ scratch: TileScratch<Bound>) -> Int

  /// Whether `lookCloser` knows better than the products.
  static var looksCloser: Bool { get }

  /// Drops from the first `count` pairs of `scratch.pairs` those that a closer look proves to be beyond
  /// the radii in `scratch`, and writes to `scratch.least` for each pair that is left a number that its
  /// computed squared distance reaches.
  ///
  /// - Returns: how many pairs are left, in their order.
  func lookCloser(
    _ rows: Range<Int>, _ columns: Range<Int>, count: Int, _ scratch: TileScratch<Bound>
  ) -> Int

  /// A source of some of the entries, in the order given.
  func selecting(_ entries: [Int]) -> Self
}

extension ScreeningSource {
  /// The number that screening compares with so that no pair within a distance is lost.
  func reach(_ entry: Int, squaredLimit: Double) -> Bound {
    reach(entry, radius: radius(squaredLimit: squaredLimit))
  }

  /// Screens products that are in `scratch.products` already, row by row, columns ascending.
  ///
  /// - Parameter isDiagonal: whether both ranges are one block; then each pair is looked at once.
  func screenProducts(
    _ rows: Range<Int>, _ columns: Range<Int>, isDiagonal: Bool, _ scratch: TileScratch<Bound>
  ) -> Int {
    var count = 0
    halfLower.withUnsafeBufferPointer { halfLower in
      guard let half = halfLower.baseAddress else { return }
      for row in 0..<rows.count {
        let products = scratch.products + row * tileSize
        let found = Bound.screenRow(
          products, half + columns.lowerBound, scratch.columnReach,
          rowHalf: half[rows.lowerBound + row], rowReach: scratch.rowReach[row],
          from: isDiagonal ? row + 1 : 0, to: columns.count, into: scratch.survivors)
        for survivor in 0..<found {
          let column = Int(scratch.survivors[survivor])
          scratch.pairs[count] = products[column].survivor(row: row, column: column)
          count += 1
        }
      }
    }
    return count
  }
}
