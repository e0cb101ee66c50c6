/// Cheap approximate inner products of rows, with proven bounds on squared distances.
///
/// This is the seam between the exact algorithm and the arithmetic that makes it fast: float32
/// matrix products now, integer products where they pay. A source holds one entry for each of
/// `count` rows x and promises, with g = the product it returns for a pair of entries,
///
///     halfLower[i] + halfLower[j] − g  ≤  scale² · |x_i − x_j|² / 2  ≤  halfUpper[i] + halfUpper[j] − g
///
/// where |x_i − x_j|² is the *computed* result of the canonical kernel. The bounds leave room for
/// the float32 subtractions of the screening compare.
protocol ScreeningSource: Sendable {
  /// Number of entries.
  var count: Int { get }
  /// Distances between entries are this many times those between rows.
  var scale: Double { get }
  var halfLower: [Float] { get }
  var halfUpper: [Float] { get }

  /// Writes the products of entries `rows` of this source with entries `columns` of another.
  ///
  /// Product (i, j) goes to `(i − rows.lowerBound) * stride + j − columns.lowerBound`.
  func products(
    _ rows: Range<Int>, with other: Self, _ columns: Range<Int>,
    into result: UnsafeMutablePointer<Float>, stride: Int)

  /// A source of some of the entries, in the order given.
  func selecting(_ entries: [Int]) -> Self
}

extension ScreeningSource {
  /// The number that screening compares with so that no pair within a distance is lost.
  ///
  /// A pair (i, j) may be within the limit of i only if product − halfLower[j] ≥ reach(i), and
  /// within the limit of j only if product − reach(j) ≥ halfLower[i].
  ///
  /// - Parameters:
  ///   - entry: i.
  ///   - squaredLimit: square of the distance of interest; infinity keeps every pair, a negative
  ///     number none.
  func reach(_ entry: Int, squaredLimit: Double) -> Float {
    if squaredLimit < 0 { return .infinity }
    let half = squaredLimit * (scale * scale) * (0.5 + 0x1p-21)
    let reach = Float(Double(halfLower[entry]) - half)
    return reach.isFinite ? reach.nextDown : -.infinity
  }
}
