import Foundation
import Testing
import Vectors

@testable import TensorFiles

/// The path of a file that scripts/fixtures/tensor_files.py has written.
func fixture(_ name: String, file: String = #filePath) -> String {
  URL(fileURLWithPath: file).deletingLastPathComponent()
    .appendingPathComponent("Fixtures").appendingPathComponent(name).path
}

func fixtureBytes(_ name: String) throws -> [UInt8] {
  [UInt8](try Data(contentsOf: URL(fileURLWithPath: fixture(name))))
}

/// What the fixtures' matrices hold at (i, j).
func fixtureValue(_ row: Int, _ column: Int) -> Double {
  Double((31 * row + 17 * column) % 64 - 32) / 64
}

/// The rows of a loaded matrix in double precision.
func rows(_ matrix: LoadedMatrix) -> [[Double]] {
  let matrix = matrix.doublePrecision
  return (0..<matrix.rows).map { matrix.values(ofRow: $0) }
}

func fixtureRows(_ rows: Int, _ columns: Int) -> [[Double]] {
  (0..<rows).map { row in (0..<columns).map { fixtureValue(row, $0) } }
}

/// Calls `body` with the path of a folder that is removed afterwards.
func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("photodb-tensors-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder.path)
}

func write(_ text: String, to path: String) throws {
  try Data(text.utf8).write(to: URL(fileURLWithPath: path))
}

/// The one line with which `body` is refused; anything but a `TensorFileError` fails the test.
func refusal(
  _ location: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) -> String {
  do {
    try body()
    Issue.record("was accepted", sourceLocation: location)
  } catch let error as TensorFileError {
    let text = error.description
    #expect(!text.contains { $0.isNewline }, sourceLocation: location)
    return text
  } catch {
    Issue.record("threw \(error)", sourceLocation: location)
  }
  return ""
}

/// A safetensors file of that header and as many zero bytes.
func safetensors(header: String, payload: Int = 0) -> [UInt8] {
  var bytes: [UInt8] = []
  append(UInt64(header.utf8.count), to: &bytes)
  return bytes + Array(header.utf8) + [UInt8](repeating: 0, count: payload)
}

/// A `.npy` file of that dictionary and as many zero bytes.
func npy(dictionary: String, payload: Int = 0) -> [UInt8] {
  var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0]
  append(UInt16(dictionary.utf8.count), to: &bytes)
  return bytes + Array(dictionary.utf8) + [UInt8](repeating: 0, count: payload)
}
