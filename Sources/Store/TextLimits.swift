/// What texts of others must be like to be stored and shown.
public enum TextLimits {
  /// Most bytes of an external id or of a collection's name; a row of an index of PostgreSQL holds 2,704.
  public static let longestName = 1_024
  /// Most bytes of the path of a photo.
  public static let longestPath = 2_048

  /// Most Unicode scalars of the name of an embedding model.
  public static let longestModel = 256

  /// Why a text cannot be stored and shown, as the rest of a sentence that does not repeat it: terminals
  /// obey control characters.
  ///
  /// - Parameter longest: most bytes.
  /// - Returns: nil where nothing is wrong.
  public static func fault(_ text: String, longest: Int) -> String? {
    if holdsControls(text) { return "holds control characters" }
    let thousands = "\(longest / 1_000),\(String(longest % 1_000 + 1_000).dropFirst())"
    return text.utf8.count > longest ? "is longer than \(thousands) bytes" : nil
  }

  /// Why a text cannot be the name of an embedding model, as the rest of such a sentence.
  ///
  /// - Returns: nil where nothing is wrong.
  public static func fault(ofModel name: String) -> String? {
    if name.isEmpty { return "is empty" }
    if holdsControls(name) { return "holds control characters" }
    return name.unicodeScalars.count > longestModel
      ? "is longer than \(longestModel) characters" : nil
  }

  private static func holdsControls(_ text: String) -> Bool {
    text.unicodeScalars.contains { $0.properties.generalCategory == .control }
  }
}
