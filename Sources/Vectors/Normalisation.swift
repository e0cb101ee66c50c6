internal import Glibc

extension Matrix where Scalar == Float {
  /// A copy whose rows have Euclidean length 1, computed in float64.
  ///
  /// - Throws: ``DefectiveRows`` that names every row without a direction; nothing is dropped.
  /// - Complexity: O(n · d).
  public func normalised() throws(DefectiveRows) -> Matrix<Float> {
    try normalise(self, defects: defectiveRows())
  }
}

extension Matrix where Scalar == Double {
  /// A float copy whose rows have Euclidean length 1, computed in float64 and rounded once.
  ///
  /// - Throws: ``DefectiveRows`` that names every row without a direction; nothing is dropped.
  /// - Complexity: O(n · d).
  public func normalised() throws(DefectiveRows) -> Matrix<Float> {
    try normalise(self, defects: defectiveRows())
  }

  /// A copy in double precision whose rows have Euclidean length 1.
  ///
  /// - Throws: ``DefectiveRows`` that names every row without a direction; nothing is dropped.
  /// - Complexity: O(n · d).
  public func normalisedInDouble() throws(DefectiveRows) -> Matrix<Double> {
    try normalise(self, defects: defectiveRows())
  }
}

@inline(__always)
private func normalise<Source: ExactScalar, Target: ExactScalar>(
  _ matrix: Matrix<Source>, defects: [DefectiveRow]
) throws(DefectiveRows) -> Matrix<Target> {
  if !defects.isEmpty { throw DefectiveRows(rows: defects) }
  return Matrix<Target>(rows: matrix.rows, columns: matrix.columns) { storage, stride in
    for row in 0..<matrix.rows {
      let source = UnsafeBufferPointer(start: matrix.row(row), count: matrix.columns)
      let target = storage + row * stride
      let scale = powerOfTwoScale(largest: source.reduce(0) { max($0, Double($1.magnitude)) })
      var squares = 0.0
      for value in source { squares += (Double(value) * scale) * (Double(value) * scale) }
      let length = squares.squareRoot()
      for (column, value) in source.enumerated() {
        target[column] = Target(Double(value) * scale / length)
      }
    }
  }
}

/// A power of two that keeps squares of values up to `largest` inside the range of a double.
///
/// 1 for every ordinary value, so that scaling changes nothing there.
func powerOfTwoScale(largest: Double) -> Double {
  if largest == 0 || (largest > 1e-100 && largest < 1e100) { return 1 }
  // At most 2^1000, because 2^1074 is no double; the least subnormal then becomes 2^−74.
  return scalbn(1.0, Int32(min(-largest.exponent, 1000)))
}
