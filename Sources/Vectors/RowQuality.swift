internal import CKernels
internal import Glibc

/// Why a row cannot be used.
public enum RowDefect: String, Sendable, Hashable, Codable, CaseIterable {
  /// The row holds NaN or infinity.
  case nonFinite
  /// Every value is zero, so the row has no direction.
  case zero
}

/// A row that cannot be used, and why.
public struct DefectiveRow: Sendable, Hashable {
  /// Index of the row, from 0.
  public var row: Int
  /// What is wrong with it.
  public var defect: RowDefect

  /// Names a row and its defect.
  public init(row: Int, defect: RowDefect) {
    self.row = row
    self.defect = defect
  }
}

/// Thrown when rows have no direction and so cannot be normalised.
public struct DefectiveRows: Error, Equatable, CustomStringConvertible {
  /// The defective rows, ascending; at least one.
  public var rows: [DefectiveRow]

  /// Names the rows that cannot be used.
  public init(rows: [DefectiveRow]) { self.rows = rows }

  /// One line with the counts and the first rows of each defect.
  public var description: String {
    RowDefect.allCases.compactMap { defect in
      let found = rows.filter { $0.defect == defect }.map { String($0.row) }
      if found.isEmpty { return nil }
      let reason = defect == .zero ? "all zero" : "with NaN or infinity"
      return "\(found.count) row\(found.count == 1 ? "" : "s") \(reason): "
        + found.prefix(10).joined(separator: ", ") + (found.count > 10 ? ", …" : "")
    }.joined(separator: "; ")
  }
}

extension Matrix where Scalar == Float {
  /// The rows that hold NaN or infinity or are all zero, ascending.
  ///
  /// - Complexity: O(n · d).
  public func defectiveRows() -> [DefectiveRow] { findDefects(in: self, kernel_look_at_float) }
}

extension Matrix where Scalar == Double {
  /// The rows that hold NaN or infinity or are all zero, ascending.
  ///
  /// - Complexity: O(n · d).
  public func defectiveRows() -> [DefectiveRow] { findDefects(in: self, kernel_look_at_double) }
}

private func findDefects<Scalar>(
  in matrix: Matrix<Scalar>, _ look: (UnsafePointer<Scalar>, Int) -> kernel_row_state
) -> [DefectiveRow] {
  var found: [DefectiveRow] = []
  for row in 0..<matrix.rows {
    switch look(matrix.row(row), matrix.stride) {
    case KERNEL_ROW_NOT_FINITE: found.append(DefectiveRow(row: row, defect: .nonFinite))
    case KERNEL_ROW_ZERO: found.append(DefectiveRow(row: row, defect: .zero))
    default: break
    }
  }
  return found
}
