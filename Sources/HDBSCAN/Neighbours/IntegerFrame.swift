internal import CKernels
internal import Vectors

/// The scale at which centred rows are rounded to whole numbers in −127…127.
///
/// A small scale wastes the range of a byte, a large one cuts off long values. Neither can make a
/// result wrong, only screening weaker, so the scale that leaves the least on a sample is taken.
struct IntegerFrame: Sendable {
  /// What is subtracted; padded with zeros as rows are.
  let centre: Matrix<Double>
  /// What differences are multiplied by before they are rounded.
  let scale: Double

  /// Longest rows whose integer sums surely fit 32 bits with room for reaches.
  static let mostColumns = 16384

  /// Rows that the scale is chosen on.
  private static let sampleSize = 512
  /// Largest value of a byte, in root mean squares of all values of the typical row.
  private static let clips = [2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6, 7, 8, 11, 16, 32, 64, 128]

  /// A frame as it is.
  init(centre: Matrix<Double>, scale: Double) {
    self.centre = centre
    self.scale = scale
  }

  /// Chooses the scale for centred rows.
  ///
  /// - Returns: nil where bytes cannot serve: rows too long, or values beyond any useful scale.
  /// - Complexity: O(d).
  init?<Scalar: ExactScalar>(_ rows: DistinctRows<Scalar>, frame: CentredFrame) {
    guard rows.columns > 0, rows.columns <= Self.mostColumns else { return nil }
    let stride = rows.stride
    let centre = Matrix<Double>(rows: 1, columns: stride) { storage, _ in
      for column in 0..<rows.columns { storage[column] = frame.centre[column] }
    }
    let samples = min(rows.count, Self.sampleSize)
    let sample = (0..<samples).map { rows.row($0 * rows.count / samples) }
    var codes = [Int8](repeating: 0, count: 2 * stride)
    // Keeps squares inside the range of a double.
    let unit = frame.sampledScale(of: rows)
    let lengths = sample.map { row in
      (0..<rows.columns).reduce(0.0) { sum, column in
        let value = (Double(row[column]) - centre.base[column]) * unit
        return sum + value * value
      }
    }.sorted()
    let typical = (lengths[samples / 2] / Double(rows.columns)).squareRoot() / unit
    var best: (scale: Double, residual: Double)?
    var worse = 0
    for clip in Self.clips {
      let scale = 127 / (clip * typical)
      // Squares of scales outside this range could leave that of a double.
      guard scale > 0x1p-480, scale < 0x1p480 else { continue }
      let residuals = sample.map { row in
        Scalar.quantise(row, centre: centre.base, stride: stride, scale: scale, into: &codes)
          .residual_square
      }.sorted()
      let residual = residuals[samples * 63 / 64].squareRoot() / scale
      // From the best scale on residuals grow with the steps.
      worse = residual < best?.residual ?? .infinity ? 0 : worse + 1
      if worse == 0 { best = (scale, residual) }
      if worse == 2 { break }
    }
    guard let best else { return nil }
    self.centre = centre
    scale = best.scale
  }
}
