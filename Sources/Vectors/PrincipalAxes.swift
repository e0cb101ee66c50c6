internal import COpenBLAS

/// Directions in which rows reach farthest from the origin: their principal axes where they are centred.
///
/// The eigenvectors of XᵀX by LAPACK's divide and conquer (Cuppen 1981, doi:10.1007/BF01396757). They are
/// orthonormal but for float roundings.
///
/// - Parameter rows: X, m × d.
/// - Returns: d × d; the directions are rows, that of the largest sum of squares first. Nil where XᵀX is not
///   finite or the method does not converge.
/// - Complexity: O(m · d² + d³), on the calling thread.
public func principalAxes(of rows: Matrix<Float>) -> Matrix<Float>? {
  let columns = rows.columns
  guard columns > 0, rows.rows > 0 else { return nil }
  _ = BlockProducts.singleThreaded
  var moments = [Float](repeating: 0, count: columns * columns)
  cblas_ssyrk(
    CblasRowMajor, CblasUpper, CblasTrans, numericCast(columns), numericCast(rows.rows), 1,
    rows.base, numericCast(rows.stride), 0, &moments, numericCast(columns))
  guard moments.allSatisfy(\.isFinite) else { return nil }
  var order: Int32 = numericCast(columns)
  var values = [Float](repeating: 0, count: columns)
  var workCount: Int32 = numericCast(1 + 6 * columns + 2 * columns * columns)
  var integerCount: Int32 = numericCast(3 + 5 * columns)
  var work = [Float](repeating: 0, count: Int(workCount))
  var integers = [Int32](repeating: 0, count: Int(integerCount))
  var info: Int32 = 0
  // The upper triangle by rows is the lower one by columns, and eigenvectors are columns.
  ssyevd_(
    "V", "L", &order, &moments, &order, &values, &work, &workCount, &integers, &integerCount,
    &info, 1, 1)
  guard info == 0, moments.allSatisfy(\.isFinite) else { return nil }
  return Matrix(rows: columns, columns: columns) { storage, stride in
    for axis in 0..<columns {
      // Eigenvalues ascend.
      let source = (columns - 1 - axis) * columns
      for column in 0..<columns { storage[axis * stride + column] = moments[source + column] }
    }
  }
}
