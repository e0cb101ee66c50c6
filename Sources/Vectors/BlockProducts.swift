internal import COpenBLAS

/// Inner products of blocks of rows through OpenBLAS, on the calling thread alone.
///
/// The results are *not* bit-stable: they depend on block sizes and on the CPU, by up to
/// γ_d·|a|·|b| with γ_d = d·u / (1 − d·u), u = 2⁻²⁴ for float and 2⁻⁵³ for double (Higham,
/// Accuracy and Stability of Numerical Algorithms, 2002, §3.1). Use them to screen with that
/// margin and let ``ExactScalar/squaredDistance(_:_:stride:)`` decide.
public enum BlockProducts {
  /// Largest relative error of a float product, γ_d, for rows of d columns.
  public static func floatErrorBound(columns: Int) -> Double {
    let rounding = Double(columns + 1) * 0x1p-24
    return rounding / (1 - rounding)
  }

  /// Writes row(i)·other.row(j) for i in `rows`, j in `columns`.
  ///
  /// - Parameters:
  ///   - matrix: m × d; gives the rows of the result.
  ///   - rows: rows of `matrix`.
  ///   - other: p × d; gives the columns of the result.
  ///   - columns: rows of `other`.
  ///   - result: receives product (i, j) at `(i − rows.lowerBound) * stride + j −
  ///     columns.lowerBound`.
  ///   - stride: distance between rows of the result, at least `columns.count`.
  /// - Complexity: O(rows · columns · d).
  public static func multiply(
    _ matrix: Matrix<Float>, rows: Range<Int>, by other: Matrix<Float>, columns: Range<Int>,
    into result: UnsafeMutablePointer<Float>, stride: Int
  ) {
    check(matrix, rows, other, columns, stride)
    if rows.isEmpty || columns.isEmpty { return }
    _ = singleThreaded
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, numericCast(rows.count),
      numericCast(columns.count), numericCast(max(matrix.columns, 1)), 1,
      matrix.row(rows.lowerBound), numericCast(matrix.stride), other.row(columns.lowerBound),
      numericCast(other.stride), 0, result, numericCast(stride))
  }

  /// All row(i)·other.row(j): m × p for m and p rows.
  ///
  /// - Complexity: O(m · p · d).
  public static func products(_ matrix: Matrix<Float>, _ other: Matrix<Float>) -> Matrix<Float> {
    Matrix(rows: matrix.rows, columns: other.rows) { storage, stride in
      multiply(
        matrix, rows: 0..<matrix.rows, by: other, columns: 0..<other.rows, into: storage,
        stride: stride)
    }
  }

  /// Writes row(i)·other.row(j) in double precision for i in `rows`, j in `columns`.
  ///
  /// Parameters are those of the float version.
  ///
  /// - Complexity: O(rows · columns · d).
  public static func multiply(
    _ matrix: Matrix<Double>, rows: Range<Int>, by other: Matrix<Double>, columns: Range<Int>,
    into result: UnsafeMutablePointer<Double>, stride: Int
  ) {
    check(matrix, rows, other, columns, stride)
    if rows.isEmpty || columns.isEmpty { return }
    _ = singleThreaded
    cblas_dgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, numericCast(rows.count),
      numericCast(columns.count), numericCast(max(matrix.columns, 1)), 1,
      matrix.row(rows.lowerBound), numericCast(matrix.stride), other.row(columns.lowerBound),
      numericCast(other.stride), 0, result, numericCast(stride))
  }

  /// Writes matrix.row(i)·vector for i in `rows`: one query against many, memory bound.
  ///
  /// - Parameters:
  ///   - matrix: m × d.
  ///   - rows: rows of `matrix`.
  ///   - vector: d values.
  ///   - result: receives `rows.count` products.
  /// - Complexity: O(rows · d).
  public static func multiply(
    _ matrix: Matrix<Float>, rows: Range<Int>, byVector vector: UnsafePointer<Float>,
    into result: UnsafeMutablePointer<Float>
  ) {
    precondition(
      rows.lowerBound >= 0 && rows.upperBound <= matrix.rows, "rows lie inside the matrix")
    if rows.isEmpty { return }
    _ = singleThreaded
    cblas_sgemv(
      CblasRowMajor, CblasNoTrans, numericCast(rows.count), numericCast(max(matrix.columns, 1)), 1,
      matrix.row(rows.lowerBound), numericCast(matrix.stride), vector, 1, 0, result, 1)
  }

  /// OpenBLAS stays on the calling thread: this program divides the work itself.
  static let singleThreaded: Void = openblas_set_num_threads(1)

  private static func check<Scalar>(
    _ matrix: Matrix<Scalar>, _ rows: Range<Int>, _ other: Matrix<Scalar>, _ columns: Range<Int>,
    _ stride: Int
  ) {
    precondition(matrix.columns == other.columns, "rows of different lengths have no product")
    precondition(
      rows.lowerBound >= 0 && rows.upperBound <= matrix.rows && columns.lowerBound >= 0
        && columns.upperBound <= other.rows, "rows and columns lie inside the matrices")
    precondition(stride >= columns.count, "a row of the result holds all columns")
  }
}
