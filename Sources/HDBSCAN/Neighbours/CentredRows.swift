internal import Vectors

/// Screening by float32 matrix products of centred, scaled copies of the rows.
///
/// With y = scale · (x − centre), x' = y rounded to float, n = |x'|², r ≥ |y − x'| and
/// D' = |x'_i − x'_j|, the triangle inequality gives |D − D'| ≤ r_i + r_j for the scaled distance
/// D, hence |D² − D'²| ≤ 2 D'(r_i + r_j) + (r_i + r_j)². For any ε > 0 that is at most
///
///     2ε (n_i + n_j) + (2/ε + 2)(r_i² + r_j²).
///
/// D'² = n_i + n_j − 2 x'_i·x'_j, where the float product errs by at most γ_d |x'_i||x'_j| ≤
/// γ_d (n_i + n_j)/2 in any order of summation (Higham 2002, §3.1). So the lower bound splits into
/// one part for each row, and `halfLower` holds all of it.
struct CentredRows: ScreeningSource {
  let scale: Double
  let halfLower: [Float]
  private let copies: Matrix<Float>

  var count: Int { copies.rows }

  /// Copies rows into a frame.
  ///
  /// - Complexity: O(n · d); 4 · n · d bytes.
  init<Scalar: ExactScalar>(_ rows: DistinctRows<Scalar>, frame: CentredFrame, threads: Int) {
    let count = rows.count
    let columns = rows.columns
    let scale = frame.scale(of: rows, threads: threads)
    var lower = [Float](repeating: 0, count: count)
    copies = lower.withUnsafeMutableBufferPointer { lower in
      let target = lower
      return Matrix<Float>(rows: count, columns: columns) { storage, stride in
        frame.centre.withUnsafeBufferPointer { centre in
          parallelForChunks(count, chunk: 256, threads: threads) { chunk in
            for row in chunk {
              target[row] = copyCentred(
                rows.row(row), centre: centre, scale: scale, to: storage + row * stride)
            }
          }
        }
      }
    }
    self.scale = scale
    halfLower = lower
  }

  private init(scale: Double, lower: [Float], copies: Matrix<Float>) {
    self.scale = scale
    halfLower = lower
    self.copies = copies
  }

  func products(
    _ rows: Range<Int>, with other: CentredRows, _ columns: Range<Int>,
    into result: UnsafeMutablePointer<Float>, stride: Int
  ) {
    BlockProducts.multiply(
      copies, rows: rows, by: other.copies, columns: columns, into: result, stride: stride)
  }

  static var looksCloser: Bool { false }

  func lookCloser(
    _ rows: Range<Int>, _ columns: Range<Int>, count: Int, _ scratch: TileScratch<Float>
  ) -> Int {
    scratch.least.update(repeating: 0, count: count)
    return count
  }

  func radius(squaredLimit: Double) -> Double { squaredLimit }

  /// See ``ScreeningSource``; a pair may be within the limit only if g − halfLower[j] ≥ reach.
  func reach(_ entry: Int, radius squaredLimit: Double) -> Float {
    if squaredLimit < 0 { return .infinity }
    let half = squaredLimit * (scale * scale) * (0.5 + 0x1p-21)
    let reach = Float(Double(halfLower[entry]) - half)
    return reach.isFinite ? reach.nextDown : -.infinity
  }

  func screenTile(
    _ rows: Range<Int>, _ columns: Range<Int>, _ scratch: TileScratch<Float>
  ) -> Int {
    products(rows, with: self, columns, into: scratch.products, stride: tileSize)
    return screenProducts(rows, columns, isDiagonal: false, scratch)
  }

  func selecting(_ entries: [Int]) -> CentredRows {
    CentredRows(
      scale: scale, lower: entries.map { halfLower[$0] }, copies: copies.selecting(rows: entries))
  }
}

/// Writes one centred copy; half its squared norm, less what a product of it can hide.
private func copyCentred<Scalar: ExactScalar>(
  _ row: UnsafePointer<Scalar>, centre: UnsafeBufferPointer<Double>, scale: Double,
  to target: UnsafeMutablePointer<Float>
) -> Float {
  var squares = 0.0
  var lost = 0.0
  for column in 0..<centre.count {
    let moved = (Double(row[column]) - centre[column]) * scale
    let copy = Float(moved)
    target[column] = copy
    squares += Double(copy) * Double(copy)
    let residual = moved - Double(copy)
    lost += residual * residual
  }
  let columns = Double(centre.count)
  // `moved` itself was rounded once, by at most 2⁻⁵³ of its value (scaling is exact).
  let residualSquare = 2 * lost * (1 + 0x1p-20) + squares * 0x1p-100
  let epsilon = 0x1p-22
  // Products, the triangle inequality, and 2⁻²⁰ for all float32 roundings of the screening compare
  // (five, each of at most 2⁻²⁴ of |g| + n_i + n_j) and float64 roundings of the norms and kernel.
  let relative =
    BlockProducts.floatErrorBound(columns: centre.count) + 2 * epsilon + 0x1p-20
    + columns * 0x1p-50
  // Underflow: subnormal float products, and squares of the canonical kernel below 2⁻¹⁰⁷⁴.
  let absolute = 1e-34 * (columns + 1) + columns * scale * scale * 0x1p-1073
  let slack = squares * relative + residualSquare * (2 / epsilon + 2) + absolute
  return Float((squares - slack) / 2)
}
