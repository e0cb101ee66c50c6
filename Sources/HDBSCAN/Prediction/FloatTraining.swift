internal import Vectors

/// Training vectors prepared for screening by products of float32 copies.
///
/// With x' the float copy of a row x (centred and scaled where that helps), r ≥ |s(x − c) − x'| its residual and γ the error
/// bound of a product, a row is surely farther than t from a query q when
///
///     p < (|x'|² + |q'|² − (s·t + r_x + r_q)²) / 2 − γ|x'||q'|.
///
/// The screen rejects by that rule with the largest norm and residual of all rows, so it errs only
/// towards keeping a row.
struct FloatTraining<Scalar: ExactScalar>: Sendable {
  /// Float copies x' of the rows; the rows themselves where they serve.
  let screening: Matrix<Float>
  /// |x'|²/2 of each row.
  let halfSquares: [Float]
  private let frame: ScreeningFrame
  private let largestNorm: Double
  private let largestResidual: Double

  /// - Complexity: O(n · d); where the vectors are no floats, or far from 0, a copy of them.
  init(_ rows: Matrix<Scalar>) {
    let frame = ScreeningFrame(fitting: rows)
    self.frame = frame
    var halves = [Float](repeating: 0, count: rows.rows)
    var norm = 0.0
    var residual = 0.0
    if let floats = rows as? Matrix<Float>, frame.isIdentity {
      screening = floats
      for row in 0..<rows.rows {
        let square = Float.dotProduct(floats.row(row), floats.row(row), stride: floats.stride)
        halves[row] = Float(square / 2)
        norm = max(norm, square.squareRoot())
      }
    } else {
      screening = Matrix<Float>(rows: rows.rows, columns: rows.columns) { storage, stride in
        for row in 0..<rows.rows {
          let copy = frame.write(rows.row(row), to: storage + row * stride)
          halves[row] = Float(copy.norm * copy.norm / 2)
          norm = max(norm, copy.norm)
          residual = max(residual, copy.residual)
        }
      }
    }
    halfSquares = halves
    // The norms themselves are rounded sums.
    largestNorm = norm * (1 + 0x1p-30)
    largestResidual = residual
  }

  /// A query as the screen sees it.
  struct Screened {
    var norm: Double
    var residual: Double
  }

  /// Writes the float copy of a query, `screening.stride` zeroed floats, to `target`.
  func screen(_ query: UnsafePointer<Scalar>, to target: UnsafeMutablePointer<Float>) -> Screened {
    let copy = frame.write(query, to: target)
    return Screened(norm: copy.norm * (1 + 0x1p-30), residual: copy.residual)
  }

  /// Least value of product − |x'|²/2 that a row within `distance` of the query can have.
  ///
  /// −infinity where the numbers are too far apart for floats to say anything.
  func screeningThreshold(_ query: Screened, distance: Double) -> Float {
    // Beyond this the float products of a far query could overflow.
    guard distance.isFinite, query.norm < 0x1p60 else { return -.infinity }
    let reach = distance * frame.scale + query.residual + largestResidual
    let products =
      BlockProducts.floatErrorBound(columns: screening.columns) * largestNorm * query.norm
    // Rounding of the halves, of the difference in the screen, and of the threshold itself.
    let rounding =
      0x1p-22 * (largestNorm * largestNorm + largestNorm * query.norm + 1e-30)
    let least = (query.norm * query.norm * (1 - 0x1p-27) - reach * reach * (1 + 0x1p-40)) / 2
    let threshold = Float(least - products - rounding)
    return threshold.isFinite ? threshold.nextDown : -.infinity
  }
}
