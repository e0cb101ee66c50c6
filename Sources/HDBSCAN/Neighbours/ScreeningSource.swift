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

  /// The number that screening compares with so that no pair within a distance is lost.
  ///
  /// - Parameters:
  ///   - entry: i.
  ///   - squaredLimit: square of the distance of interest; infinity keeps every pair, a negative
  ///     number none.
  func reach(_ entry: Int, squaredLimit: Double) -> Bound

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

  /// By a closer look at a pair that screening kept, a number that its computed squared distance
  /// reaches; infinity if it surely exceeds the limit. Nil where the source knows no better than
  /// its products.
  func leastSquaredDistance(
    _ first: Int, _ second: Int, product: Bound, squaredLimit: Double
  ) -> Double?

  /// Tells the processor that a closer look at an entry will follow.
  func prefetch(_ entry: Int)

  /// A source of some of the entries, in the order given.
  func selecting(_ entries: [Int]) -> Self
}

extension ScreeningSource {
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
