internal import Configuration
internal import Foundation
internal import Synchronization

/// A settings file in YAML: one `name: value` a line, names in lower case.
struct SettingsFile: Sendable {
  /// Path as the user gave it.
  let path: String
  /// Every key of the file, nested ones joined with dots.
  let keys: Set<String>
  /// Answers look-ups; nil where the file holds no settings at all.
  let provider: FileProvider<YAMLSnapshot>?

  /// Reads the file.
  ///
  /// - Throws: ``CommandFailure`` where it is missing, unreadable or no YAML mapping.
  init(path: String) async throws {
    self.path = path
    guard let data = FileManager.default.contents(atPath: path) else {
      throw CommandFailure(
        "the settings file \(path) cannot be read: give the path of an existing YAML file")
    }
    guard Self.holdsSettings(data) else {
      keys = []
      provider = nil
      return
    }
    let seen = SeenKeys()
    // The parser asks for every key whether its value is a secret; that is the one place where
    // it tells all keys of a file, which the check for unknown ones needs.
    let options = YAMLSnapshot.ParsingOptions(
      secretsSpecifier: .dynamic { key, _ in
        seen.insert(key)
        return key == DatabaseSetting.fileKey
      })
    let location = InMemoryProvider(values: [
      "filePath": ConfigValue(.string(path), isSecret: false)
    ])
    do {
      provider = try await FileProvider<YAMLSnapshot>(
        parsingOptions: options, config: ConfigReader(provider: location))
    } catch {
      throw CommandFailure(
        "the settings file \(path) is no YAML mapping of `name: value` lines: "
          + Self.withoutQuotes(String(describing: error)), code: 2)
    }
    keys = seen.all
  }

  /// The parser's complaint without the lines of the file that it quotes, for one of them may hold
  /// a password.
  private static func withoutQuotes(_ complaint: String) -> String {
    let lines = complaint.split(whereSeparator: \.isNewline)
    let own = lines.prefix { !$0.hasPrefix("Context:") }
    return own.last?.contains("^") == true
      ? own.dropLast(2).joined(separator: " ") : own.joined(separator: " ")
  }

  /// Whether anything but blanks and comments stands in the file.
  private static func holdsSettings(_ data: Data) -> Bool {
    data.split(separator: UInt8(ascii: "\n")).contains { line in
      let first = line.first { !" \t\r".utf8.contains($0) }
      return first != nil && first != UInt8(ascii: "#")
    }
  }
}

/// Collects keys from a closure that may run anywhere.
private final class SeenKeys: Sendable {
  private let keys = Mutex<Set<String>>([])

  var all: Set<String> { keys.withLock { $0 } }

  func insert(_ key: String) { keys.withLock { _ = $0.insert(key) } }
}
