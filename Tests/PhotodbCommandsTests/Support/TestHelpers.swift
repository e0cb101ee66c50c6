import Foundation
import Testing

@testable import PhotodbCommands

/// Runs `body` with the path of a new folder, which is removed afterwards.
func withTemporaryFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
  let folder = FileManager.default.temporaryDirectory
    .appending(path: "photodb-tests-\(UUID().uuidString)", directoryHint: .isDirectory)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try await body(folder.path(percentEncoded: false))
}

/// The text of the ``CommandFailure`` that `body` throws; records an issue where it throws none.
func failure<Result: Sendable>(
  sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Result
) async -> String {
  do {
    _ = try await body()
    Issue.record("nothing was refused", sourceLocation: sourceLocation)
  } catch let error as CommandFailure {
    return error.description
  } catch {
    Issue.record("another error: \(error)", sourceLocation: sourceLocation)
  }
  return ""
}
