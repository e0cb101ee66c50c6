/// Why a fit, a prediction or an extraction was refused.
public enum HDBSCANError: Error, Equatable, CustomStringConvertible {
  /// A parameter lies outside its range.
  case invalidParameter(name: String, value: String, expected: String)
  /// Rows hold NaN or infinity, or are zero where the metric is cosine.
  case unusableRows(indices: [Int], reason: String)
  /// The matrix of distances is not square, symmetric, finite and non-negative.
  case invalidDistances(String)
  /// Two things that belong together have different sizes.
  case shapeMismatch(String)
  /// The work was cancelled through its progress callback.
  case cancelled

  /// One line that says what is wrong, where, and what to do.
  public var description: String {
    switch self {
    case .invalidParameter(let name, let value, let expected):
      "\(name) is \(value), but must be \(expected)"
    case .unusableRows(let indices, let reason):
      "\(indices.count) row\(indices.count == 1 ? "" : "s") \(reason): "
        + indices.prefix(10).map(String.init).joined(separator: ", ")
        + (indices.count > 10 ? ", …" : "")
    case .invalidDistances(let what): "the distance matrix is unusable: \(what)"
    case .shapeMismatch(let what): what
    case .cancelled: "cancelled"
    }
  }
}
