internal import Foundation
internal import Glibc

/// A folder for one test or one process.
public enum TemporaryFolder {
  /// Why there is no folder.
  public struct Failure: Error, CustomStringConvertible {
    /// One line.
    public let description: String
  }

  /// Makes a new empty folder that every user may enter, under `/tmp` so that its path is short.
  ///
  /// - Throws: ``Failure``.
  public static func make(prefix: String = "photodb-test-") throws -> String {
    var template = Array("/tmp/\(prefix)XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw Failure(
        description: "cannot make a folder in /tmp: \(String(cString: strerror(errno)))")
    }
    let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    guard chmod(path, 0o755) == 0 else {
      throw Failure(
        description: "cannot open \(path) for others: \(String(cString: strerror(errno)))")
    }
    return path
  }

  /// Removes a folder with all that is in it; does nothing when it is gone.
  ///
  /// - Throws: The file system's error.
  public static func remove(_ path: String) throws {
    guard FileManager.default.fileExists(atPath: path) else { return }
    try FileManager.default.removeItem(atPath: path)
  }

  /// Runs `body` with a new folder and removes it afterwards.
  ///
  /// - Throws: What `body` throws; ``Failure``.
  public static func with<T: Sendable>(
    prefix: String = "photodb-test-", _ body: (String) async throws -> T
  ) async throws -> T {
    let path = try make(prefix: prefix)
    let outcome: Result<T, any Error>
    do {
      outcome = .success(try await body(path))
    } catch {
      outcome = .failure(error)
    }
    try remove(path)
    return try outcome.get()
  }
}
