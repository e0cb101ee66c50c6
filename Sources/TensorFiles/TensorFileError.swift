/// Why a file was refused: which file, what is wrong, where in it, and what to do.
///
/// The text is always one line, whatever the file's names contain.
public struct TensorFileError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file, or `memory` for bytes that came from elsewhere.
  public let path: String
  /// What is wrong.
  public let what: String
  /// The place in the file ("tensor embeddings", "line 12"), empty where the file as a whole is meant.
  public let location: String
  /// What the reader of the message can do, empty where nothing helps but another file.
  public let advice: String

  /// Makes an error from its parts.
  public init(path: String, what: String, location: String = "", advice: String = "") {
    self.path = path
    self.what = what
    self.location = location
    self.advice = advice
  }

  /// `PATH: LOCATION: WHAT; ADVICE`, in one line.
  public var description: String {
    var text = path + ": "
    if !location.isEmpty { text += location + ": " }
    text += what
    if !advice.isEmpty { text += "; " + advice }
    return singleLine(text, limit: 1000)
  }
}

/// The text with control characters escaped and cut at `limit` characters.
///
/// Names come from hostile files: they may hold line breaks, terminal escapes, or be very long.
func singleLine(_ text: String, limit: Int = 120) -> String {
  var result = ""
  for scalar in text.unicodeScalars.prefix(limit) {
    if scalar.properties.generalCategory == .control || scalar.value == 0x2028
      || scalar.value == 0x2029
    {
      result += scalar.escaped(asASCII: true)
    } else {
      result.unicodeScalars.append(scalar)
    }
  }
  return text.unicodeScalars.count > limit ? result + "…" : result
}
