internal import CKernels

extension Matrix where Scalar == Float {
  /// Adds rows, each times its weight, to a sum in float64.
  ///
  /// Column by column in the order given; the result is the same on every CPU.
  ///
  /// - Parameters:
  ///   - chosen: rows, each within the matrix.
  ///   - weights: one for each of them.
  ///   - sum: `stride` doubles.
  /// - Complexity: O(chosen · d).
  package func add(
    rows chosen: [Int], weights: [Double], to sum: UnsafeMutablePointer<Double>
  ) {
    precondition(chosen.count == weights.count, "one weight for each row")
    precondition(chosen.allSatisfy { $0 >= 0 && $0 < rows }, "rows of another matrix")
    if chosen.isEmpty { return }
    chosen.withUnsafeBytes { chosen in
      kernel_add_rows_float(
        sum, row(0), stride, chosen.bindMemory(to: Int64.self).baseAddress, weights, weights.count)
    }
  }

  /// Adds one row times its weight to a sum in float64.
  ///
  /// - Parameter sum: `stride` doubles.
  /// - Complexity: O(d).
  package func add(row: Int, weight: Double, to sum: UnsafeMutablePointer<Double>) {
    precondition(row >= 0 && row < rows, "a row of another matrix")
    withUnsafePointer(to: Int64(0)) { first in
      withUnsafePointer(to: weight) { weight in
        kernel_add_rows_float(sum, self.row(row), stride, first, weight, 1)
      }
    }
  }
}
