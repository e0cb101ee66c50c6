internal import ArgumentParser
internal import HDBSCAN

/// Runs a call of the library, and turns its errors into those of a command.
///
/// A parameter out of range is wrong usage, under the option's name. Everything else is about the
/// data: the file is named, and rows are those of the file.
///
/// - Parameters:
///   - path: the file whose content the call works on.
///   - rows: the rows of that file, where some may have been left out.
func naming<Result>(
  _ path: String, rows: InputRows? = nil, _ call: () throws -> Result
) throws -> Result {
  do {
    return try call()
  } catch let error as HDBSCANError {
    switch error {
    case .invalidParameter("PHOTODB_KERNEL", _, _):
      // No option of the command, but a variable of the environment.
      throw CommandFailure("\(error)", code: 2)
    case .invalidParameter(let name, let value, let expected):
      let option = "--" + name.replacing("_", with: "-")
      throw ValidationError("\(option) is \(value), but must be \(expected).")
    case .unusableRows(let indices, let reason):
      let inFile = rows?.fileRows.map { fileRows in indices.map { fileRows[$0] } } ?? indices
      let renamed = HDBSCANError.unusableRows(indices: inFile, reason: reason)
      throw CommandFailure("\(path): \(renamed); mend them, or leave them out with --quarantine")
    case .invalidDistances, .shapeMismatch:
      throw CommandFailure("\(path): \(error)")
    case .cancelled:
      throw CommandFailure("cancelled")
    }
  }
}
