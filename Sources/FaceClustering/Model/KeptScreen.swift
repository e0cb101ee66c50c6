internal import HDBSCAN
internal import Vectors

/// What screens the rows of a matrix, made once for as long as the matrix stays the same.
struct KeptScreen: Sendable {
  /// Nil where the rows are few, or are no rows for bytes.
  let screen: RadiusScreen?
  private let rows: Matrix<Float>

  /// - Parameter before: what was made last; it is kept if it is of the same matrix.
  /// - Throws: `HDBSCANError` where the environment names a kernel that does not run here.
  init(of rows: Matrix<Float>, before: KeptScreen?) throws {
    self.rows = rows
    screen = before?.rows === rows ? before?.screen : try RadiusScreen(rows)
  }
}
