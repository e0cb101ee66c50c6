internal import Vectors

/// Training rows rounded to bytes, and the frame in which queries are rounded like them.
struct QuantisedTraining: Sendable {
  let rows: QuantisedRows
  private let frame: IntegerFrame
  private let projection: ProjectedFrame?

  /// Below this float products are as quick.
  private static let fewest = 256
  /// Neighbours a query is typically asked for; decides only whether bytes pay.
  private static let capacity = 4

  /// - Returns: nil where bytes do not serve or do not pay.
  /// - Complexity: O(n · d); 3 · n · d bytes.
  init?<Scalar: ExactScalar>(_ matrix: Matrix<Scalar>, screening: Screening) {
    guard matrix.rows >= Self.fewest, matrix.columns > 0 else { return nil }
    let every = DistinctRows(matrix, every: 0..<matrix.rows)
    guard
      let (rows, frame, projection) = screening.integers(
        every, frame: CentredFrame(every, threads: availableThreads), capacity: Self.capacity,
        threads: availableThreads)
    else { return nil }
    self.rows = rows
    self.frame = frame
    self.projection = projection
  }

  /// Some queries as bytes.
  func queries<Scalar: ExactScalar>(
    _ matrix: Matrix<Scalar>, _ range: Range<Int>
  ) -> QuantisedRows {
    QuantisedRows(
      DistinctRows(matrix, every: range), frame: frame, projection: projection,
      kernel: rows.kernel, threads: 1)
  }
}
