internal import Glibc
internal import Vectors

/// How vectors are moved and scaled before they are rounded to float for screening.
///
/// Subtracting the mean lowers norms and with them the rounding of products; a power of two brings
/// the norms near 1, away from overflow and underflow of floats. Distances between copies are
/// `scale` times those between the vectors, up to the residuals.
struct ScreeningFrame: Sendable {
  /// What is subtracted, d values.
  let center: [Double]
  /// A power of two.
  let scale: Double
  /// Whether float vectors serve as they are.
  let isIdentity: Bool

  /// Chooses the frame for the rows of a matrix.
  ///
  /// - Complexity: O(n · d).
  init<Scalar: ExactScalar>(fitting rows: Matrix<Scalar>) {
    let count = rows.rows
    let columns = rows.columns
    var mean = [Double](repeating: 0, count: columns)
    for row in 0..<count {
      let values = rows.row(row)
      for column in 0..<columns { mean[column] += Double(values[column]) / Double(count) }
    }
    var largestCentered = 0.0
    var largest = 0.0
    for row in 0..<count {
      let values = rows.row(row)
      for column in 0..<columns {
        largest = max(largest, abs(Double(values[column])))
        largestCentered = max(largestCentered, abs(Double(values[column]) - mean[column]))
      }
    }
    isIdentity =
      largest == 0 || (largest < 0x1p20 && largest > 0x1p-20 && largest < 4 * largestCentered)
    if isIdentity {
      center = [Double](repeating: 0, count: columns)
      scale = 1
    } else {
      center = mean
      let exponent = largestCentered > 0 ? largestCentered.exponent : 0
      scale = scalbn(1, -Int32(min(max(exponent, -1000), 1000)))
    }
  }

  /// Writes scale · (vector − center), rounded to float, and measures what rounding took away.
  ///
  /// - Returns: the norm of the copy, and a bound on its distance from the exact value.
  /// - Complexity: O(d).
  func write<Scalar: ExactScalar>(
    _ vector: UnsafePointer<Scalar>, to target: UnsafeMutablePointer<Float>
  ) -> (norm: Double, residual: Double) {
    var squares = 0.0
    var lost = 0.0
    var magnitude = 0.0
    for column in center.indices {
      let moved = (Double(vector[column]) - center[column]) * scale
      let rounded = Float(moved)
      target[column] = rounded
      squares += Double(rounded) * Double(rounded)
      lost += (moved - Double(rounded)) * (moved - Double(rounded))
      magnitude += moved * moved
    }
    // Where squares overflow nothing is known: an infinite residual rejects no row.
    if !magnitude.isFinite || !squares.isFinite { return (.infinity, .infinity) }
    // The difference and the sums were rounded in double.
    let residual = lost.squareRoot() * (1 + 0x1p-30) + magnitude.squareRoot() * 0x1p-50
    return (squares.squareRoot(), isIdentity && lost == 0 ? 0 : residual)
  }
}
