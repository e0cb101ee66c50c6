/// A command cannot do what it was asked; one line says what, where, and what to do.
///
/// The program prints `photodb: error: ` and the line on standard error and ends with the code.
struct CommandFailure: Error, Equatable, CustomStringConvertible {
  /// What is wrong, where, and what to do, in one line.
  let description: String

  /// Exit code of the process: 1, or 2 where a setting is wrong.
  let code: Int32

  /// A failure with its line.
  init(_ description: String, code: Int32 = 1) {
    self.description = description
    self.code = code
  }
}

/// The reader of standard output went away, as `| head` does after its last line.
///
/// Commands that stream rows let it through; the program then ends quietly with code 0.
struct OutputClosed: Error {}

/// The text of any error in one line.
func oneLine(_ error: any Error) -> String {
  String(describing: error)
    .split(whereSeparator: \.isNewline)
    .map { $0.drop(while: \.isWhitespace) }
    .filter { !$0.isEmpty }
    .joined(separator: " ")
}
