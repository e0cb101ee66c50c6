/// Why an evaluation or a baseline was refused.
public enum EvaluationError: Error, Equatable, CustomStringConvertible {
  /// There is not one true identity for each label.
  case lengthMismatch(labels: Int, truth: Int)
  /// A row is not a unit vector.
  case notUnitLength(row: Int, length: Double)
  /// A setting lies outside its range.
  case invalidParameter(name: String, value: String, expected: String)
  /// The method would need more memory than it may take.
  case tooMuchMemory(method: String, faces: Int, bytes: Int, limit: Int)

  /// One line that says what is wrong, where, and what to do.
  public var description: String {
    switch self {
    case .lengthMismatch(let labels, let truth):
      return "\(labels) labels cannot be compared with \(truth) identities: give one for each face"
    case .notUnitLength(let row, let length):
      return
        "row \(row) has length \(length), but must be a unit vector: normalise the vectors first"
    case .invalidParameter(let name, let value, let expected):
      return "\(name) is \(value), but must be \(expected)"
    case .tooMuchMemory(let method, let faces, let bytes, let limit):
      let mebibytes = { (bytes: Int) in bytes / (1 << 20) }
      return "\(method) of \(faces) faces needs \(mebibytes(bytes)) MiB, but may take"
        + " \(mebibytes(limit)) MiB: leave faces out or raise the limit"
    }
  }
}
