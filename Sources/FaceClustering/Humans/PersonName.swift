/// What can be the name of a person.
public enum PersonName {
  /// What is wrong with a name, as the rest of a sentence about it; nil where nothing is.
  ///
  /// Names of every script are fine, and signs that are joined (👩‍👧). Nobody could see or find a name of
  /// blanks alone; signs that turn the direction of writing change how the text around it reads.
  public static func fault(_ name: String) -> String? {
    let scalars = name.unicodeScalars
    let isInvisible = scalars.allSatisfy {
      $0.properties.isWhitespace || $0.properties.isDefaultIgnorableCodePoint
    }
    if isInvisible { return "holds nothing that can be seen" }
    if scalars.count > longest { return "has more than \(longest) characters" }
    let breaks: Set<Unicode.GeneralCategory> = [.control, .lineSeparator, .paragraphSeparator]
    if scalars.contains(where: { breaks.contains($0.properties.generalCategory) }) {
      return "holds line breaks or other control characters"
    }
    if scalars.contains(where: \.properties.isBidiControl) {
      return "holds signs that turn the direction of writing"
    }
    return nil
  }

  /// Most characters of a name, as Unicode counts them: one that is seen may be made of any number.
  public static let longest = 200

  /// Refuses a name that is none.
  ///
  /// - Throws: ``HumanActionError/unusableName(reason:)``.
  static func check(_ name: String?) throws {
    if let reason = name.flatMap(fault) { throw HumanActionError.unusableName(reason: reason) }
  }
}
