/// What texts of others must be like to be stored and shown.
public enum TextLimits {
  /// Most bytes of an external id or of a collection's name; a row of an index of PostgreSQL holds 2,704.
  public static let longestName = 1_024
  /// Most bytes of the path of a photo.
  public static let longestPath = 2_048

  /// Why a text cannot be stored and shown, as the rest of a sentence that does not repeat it: terminals
  /// obey control characters.
  ///
  /// - Parameter longest: most bytes.
  /// - Returns: nil where nothing is wrong.
  public static func fault(_ text: String, longest: Int) -> String? {
    if text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
      return "holds control characters"
    }
    let thousands = "\(longest / 1_000),\(String(longest % 1_000 + 1_000).dropFirst())"
    return text.utf8.count > longest ? "is longer than \(thousands) bytes" : nil
  }
}
