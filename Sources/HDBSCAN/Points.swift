public import Vectors

/// What is clustered: n vectors of d numbers, or n × n distances.
public enum Points: Sendable {
  /// n × d vectors in single precision, all values finite.
  case float32(Matrix<Float>)
  /// n × d vectors in double precision; for a fit of magnitude 1e150 at most (squares overflow).
  case float64(Matrix<Double>)
  /// n × n distances, symmetric, zero on the diagonal, finite and not negative.
  case distances(Matrix<Double>)

  /// Number of points, n.
  public var count: Int {
    switch self {
    case .float32(let matrix): matrix.rows
    case .float64(let matrix): matrix.rows
    case .distances(let matrix): matrix.rows
    }
  }
}
