internal import Vectors

/// Training vectors prepared for exact search by products.
///
/// Products only screen; the float64 kernel decides.
struct TrainingRows<Scalar: ExactScalar>: Sendable {
  let rows: Matrix<Scalar>
  let screen: Screen

  /// What screens the rows: bytes where they serve, which are faster, or floats.
  enum Screen: Sendable {
    case bytes(QuantisedTraining)
    case floats(FloatTraining<Scalar>)
  }

  /// - Parameter kernel: how pairs are screened; nil means float products.
  init(_ rows: Matrix<Scalar>, screening kernel: Screening? = nil) {
    self.rows = rows
    screen =
      kernel.flatMap { QuantisedTraining(rows, screening: $0) }.map(Screen.bytes)
      ?? .floats(FloatTraining(rows))
  }

  /// Exact distance between a row and a query.
  func distance(_ row: Int, _ query: UnsafePointer<Scalar>) -> Double {
    Scalar.squaredDistance(rows.row(row), query, stride: rows.stride).squareRoot()
  }
}
