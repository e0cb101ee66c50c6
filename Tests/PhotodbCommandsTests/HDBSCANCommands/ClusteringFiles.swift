import ArgumentParser
import Foundation
import HDBSCAN
import TensorFiles
import Testing
import Vectors

@testable import PhotodbCommands

/// Small inputs and results for the commands on files.
enum ClusteringFiles {
  /// Three groups on a grid of eighths, with exact duplicates in the first: some lambdas are infinite.
  static let rows: [[Double]] = {
    var rows: [[Double]] = []
    for group in 0..<3 {
      for index in 0..<8 {
        rows.append([
          Double(group * 10) + Double(index % 3) / 8, Double(index / 3) / 8 - Double(group),
        ])
      }
    }
    rows += [[Double]](repeating: rows[0], count: 6)
    rows.append([100, 100])
    return rows
  }()

  /// Writes the rows, or others, as the kind of file that the name's extension says.
  static func write(_ rows: [[Double]] = rows, to path: String) throws {
    let matrix = Matrix<Double>(rows)
    switch fileExtension(of: path) {
    case "npy": try NumpyFile.write(Tensor(matrix), to: path)
    case "npz": try NumpyArchive.write(["embeddings": Tensor(matrix)], to: path)
    case "csv":
      let text = rows.map { $0.map { "\($0)" }.joined(separator: ",") }.joined(separator: "\n")
      try AtomicFile.write(Array(text.utf8), to: path)
    default:
      try SafetensorsContent(tensors: ["embeddings": Tensor(matrix)]).write(to: path)
    }
  }

  /// Calls `body` with the path of a folder that is removed afterwards.
  static func withFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("photodb-hdbscan-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    do {
      let result = try await body(folder.path)
      try FileManager.default.removeItem(at: folder)
      return result
    } catch {
      try FileManager.default.removeItem(at: folder)
      throw error
    }
  }

  /// Runs `photodb hdbscan` with these arguments, as the program would.
  static func run(_ arguments: String...) async throws {
    try await runParsed(HDBSCANCommand.parseAsRoot(arguments))
  }

  /// How the program would end after `photodb hdbscan` with these arguments.
  static func ending(_ arguments: String...) async -> Ending { await ending(arguments) }

  /// How the program would end after `photodb hdbscan` with these arguments.
  static func ending(_ arguments: [String]) async -> Ending {
    do {
      try await runParsed(HDBSCANCommand.parseAsRoot(arguments))
      return Ending(of: ExitCode.success)
    } catch {
      return Ending(of: error)
    }
  }
}
