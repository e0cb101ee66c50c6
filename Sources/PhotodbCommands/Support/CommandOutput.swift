internal import Foundation

/// What a command says on standard output: one JSON object with `--json`, text for people without.
///
/// Logs and progress never come here; they go to ``StandardError``.
struct CommandOutput: Sendable {
  /// Whether the result is a JSON object.
  let json: Bool

  /// Prints the result of a command.
  ///
  /// A reader that went away is no error here: the work is done.
  ///
  /// - Parameters:
  ///   - value: becomes the JSON object; `camelCase` properties become `snake_case` keys, sorted.
  ///     Numbers that JSON has no form for become the strings "Infinity", "-Infinity" and "NaN".
  ///   - text: the same for people; called without `--json` only.
  /// - Throws: ``CommandFailure`` where the output cannot be written.
  func report(_ value: some Encodable, text: () -> String) throws {
    let rendered = json ? try Self.encode(value) : text()
    guard !rendered.isEmpty else { return }
    do {
      try print(json ? rendered : Formatting.printable(rendered, lines: true))
    } catch is OutputClosed {
      return
    }
  }

  /// Prints lines of a longer output.
  ///
  /// - Throws: ``OutputClosed`` where the reader went away, so that the producer stops.
  func print(_ text: String) throws {
    try write(
      text.hasSuffix("\n") ? text : text + "\n", to: FileHandle.standardOutput.fileDescriptor)
  }

  /// The JSON text of a value: sorted keys, `snake_case`, one line.
  static func encode(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}
