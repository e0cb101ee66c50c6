internal import CKernels
internal import Vectors

/// A projection on few columns, and the frame in which what it yields is rounded to bytes.
///
/// With P of spectral norm σ, |P(x_i − x_j)| ≤ σ |x_i − x_j|: projections are never farther apart than σ times
/// the rows. So their products may screen, and cost as much less as they have fewer columns. Where few directions hold
/// most of what sets rows apart, they turn away nearly as many pairs. A bad P costs time only.
struct ProjectedFrame: Sendable {
  /// P, k × d.
  private let directions: Matrix<Float>
  /// At least σ.
  private let norm: Double
  private let centre: Matrix<Double>
  /// The power of two that brings the values of centred rows near 1, where floats are at their best.
  private let unit: Double
  /// Rounds projections.
  private let bytes: IntegerFrame

  /// Rows that are projected at once.
  private static let chunk = 256

  /// - Parameters:
  ///   - directions: P; any rows will do, but long ones screen badly.
  ///   - sample: rows, centred and scaled, on which the scale of bytes is chosen; m × d.
  ///   - unit: what centred rows are multiplied by.
  /// - Returns: nil where bytes cannot serve.
  /// - Complexity: O(k² · d + m · d · k).
  init?(directions: Matrix<Float>, sample: Matrix<Float>, centre: Matrix<Double>, unit: Double) {
    let projected = BlockProducts.products(sample, directions)
    let rows = DistinctRows(projected, every: 0..<projected.rows)
    guard let bytes = IntegerFrame(rows, frame: CentredFrame(rows, threads: 1)) else { return nil }
    self.directions = directions
    self.centre = centre
    self.unit = unit
    self.bytes = bytes
    norm = spectralNormBound(directions)
  }

  /// Projects rows and rounds what comes out.
  ///
  /// - Parameter lengths: at least |x − centre| of each row.
  /// - Complexity: O(n · d · k) in matrix products; 2 · n · k bytes.
  func coarse<Scalar: ExactScalar>(
    _ rows: DistinctRows<Scalar>, lengths: [Double], _ threads: Int
  ) -> CoarseRows {
    // Padded as rows of floats are; what pads them is zero.
    let stride = bytes.centre.stride
    var facts = [CoarseRows.Facts](
      repeating: CoarseRows.Facts(squares: 0, sum: 0, residual: 0), count: rows.count)
    let codes = facts.withUnsafeMutableBufferPointer { facts in
      let target = facts
      return ByteRows(rows: rows.count, stride: stride) { storage in
        parallelForChunks(rows.count, chunk: Self.chunk, threads: threads) { chunk in
          let projected = project(rows, chunk)
          var both = [Int8](repeating: 0, count: 2 * stride)
          for row in chunk {
            let kept = Float.quantise(
              projected.row(row - chunk.lowerBound), centre: bytes.centre.base,
              stride: stride, scale: bytes.scale, into: &both)
            (storage + row * stride).update(from: both, count: stride)
            target[row] = CoarseRows.Facts(kept)
            let residual = target[row].residual + bytes.scale * lost(length: lengths[row])
            // Of a row too far from the others it need not be a number: such a row keeps every pair.
            target[row].residual = residual.isFinite ? residual : .infinity
          }
        }
      }
    }
    return CoarseRows(
      facts: facts, codes: codes, columns: directions.rows, entries: Array(0..<Int32(rows.count)),
      scale: bytes.scale * unit * norm, threads: threads)
  }

  private func project<Scalar: ExactScalar>(
    _ rows: DistinctRows<Scalar>, _ range: Range<Int>
  ) -> Matrix<Float> {
    let centred = centredCopies(rows, Array(range), centre: centre, unit: unit)
    if range.count > 1 { return BlockProducts.products(centred, directions) }
    return Matrix<Float>(rows: range.count, columns: directions.rows) { storage, _ in
      BlockProducts.multiply(
        directions, rows: 0..<directions.rows, byVector: centred.row(0), into: storage)
    }
  }

  /// What rounding a centred row to floats, and float products of it, may change in its projection.
  ///
  /// - Parameter length: at least |x − centre|.
  private func lost(length: Double) -> Double {
    let columns = Double(directions.columns)
    let products =
      BlockProducts.floatErrorBound(columns: directions.columns)
      * Double(directions.rows).squareRoot()
    // The constant covers underflow of values and of products.
    return (length * unit * (products + 0x1p-23) * (1 + 0x1p-20) + 1e-34 * (columns + 1)) * norm
      + 1e-34 * columns * columns
  }
}

/// Copies of rows, less the centre, times a power of two, rounded to floats.
func centredCopies<Scalar: ExactScalar>(
  _ rows: DistinctRows<Scalar>, _ selected: [Int], centre: Matrix<Double>, unit: Double
) -> Matrix<Float> {
  Matrix<Float>(rows: selected.count, columns: rows.columns) { storage, stride in
    for (index, row) in selected.enumerated() {
      let (source, target) = (rows.row(row), storage + index * stride)
      for column in 0..<rows.columns {
        target[column] = Float((Double(source[column]) - centre.base[column]) * unit)
      }
    }
  }
}

/// At least the largest singular value of a matrix: the root of the largest sum of sizes in a row of PPᵀ.
private func spectralNormBound(_ matrix: Matrix<Float>) -> Double {
  let count = matrix.rows
  let doubles = Matrix<Double>(rows: count, columns: matrix.columns) { storage, stride in
    for row in 0..<count {
      for column in 0..<matrix.columns {
        storage[row * stride + column] = Double(matrix.row(row)[column])
      }
    }
  }
  var products = [Double](repeating: 0, count: count * count)
  BlockProducts.multiply(
    doubles, rows: 0..<count, by: doubles, columns: 0..<count, into: &products, stride: count)
  let largest = (0..<count).map { row in
    products[row * count..<(row + 1) * count].reduce(0) { $0 + $1.magnitude }
  }.max()
  // Covers the roundings of the products and of their sums.
  return (largest ?? 0).squareRoot() * (1 + 0x1p-30)
}
