/// A text as PostgreSQL compares ids and paths: by its bytes.
///
/// Swift takes texts for equal that only look the same, such as é and e with an accent; rows are
/// another's then. Dictionaries and sets of external ids and paths have it as their key.
public struct ExactText: Hashable, Comparable, Sendable {
  /// The text.
  public let text: String

  /// A text to be compared by its bytes.
  public init(_ text: String) { self.text = text }

  /// Whether both have the same bytes.
  public static func == (first: ExactText, second: ExactText) -> Bool {
    first.text.utf8.elementsEqual(second.text.utf8)
  }

  /// The order of the bytes, that of PostgreSQL's collation "C".
  public static func < (first: ExactText, second: ExactText) -> Bool {
    first.text.utf8.lexicographicallyPrecedes(second.text.utf8)
  }

  /// Feeds the bytes to a hasher.
  public func hash(into hasher: inout Hasher) {
    var text = text
    text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }
}
