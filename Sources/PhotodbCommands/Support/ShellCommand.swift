internal import Foundation
internal import PrivatePostgres

/// Command lines that can be copied into a shell.
enum ShellCommand {
  /// How to call this program again on the same database, from the current folder.
  ///
  /// `PHOTODB_HOME`, or the database that was named, is part of it, so that the line works in a
  /// shell that does not have the variable. Passwords are masked.
  ///
  /// - Throws: ``PrivateServerError`` when the current folder is gone.
  static func photodb(
    _ settings: ResolvedSettings, program: String = CommandLine.arguments.first ?? "photodb",
    folder: String = FileManager.default.currentDirectoryPath
  ) throws -> String {
    let name = quoted(relative(program, to: folder))
    if let url = settings.databaseURL {
      return "DATABASE_URL=\(quoted(maskedDatabaseURL(url))) \(name)"
    }
    let (directory, origin) = try PrivateServerLocation.find()
    return origin == .variable ? "PHOTODB_HOME=\(quoted(directory)) \(name)" : name
  }

  /// The program by its name where the shell's search found it, else by a path.
  private static func relative(_ program: String, to folder: String) -> String {
    guard program.hasPrefix(folder + "/") else { return program }
    return "./" + program.dropFirst(folder.count + 1)
  }

  /// A word as a POSIX shell reads it.
  static func quoted(_ word: String) -> String {
    let plain = word.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: "/._-+:@%=,".utf8.contains(byte)
      }
    }
    return plain && !word.isEmpty ? word : "'\(word.replacing("'", with: "'\\''"))'"
  }
}
