import Foundation
import Subprocess
import TestSupport

/// Runs the built program in a folder of its own, as a user would.
struct PhotodbProcess: Sendable {
  struct Outcome: Sendable {
    let code: Int32
    let output: String
    let error: String

    /// The JSON object on standard output.
    func object() throws -> [String: Any] {
      let value = try JSONSerialization.jsonObject(with: Data(output.utf8))
      guard let object = value as? [String: Any] else { throw NoObject(output: output) }
      return object
    }
  }

  struct NoObject: Error {
    let output: String
  }

  /// Working folder; the private server's files go to `.photodb` inside it.
  let folder: String
  /// Variables beside those of the test process.
  var environment: [String: String] = [:]

  /// Runs `body` in a fresh folder and stops the private server after it.
  static func inFreshFolder(_ body: (PhotodbProcess) async throws -> Void) async throws {
    try await TemporaryFolder.with { folder in
      let process = PhotodbProcess(folder: folder)
      let result: Result<Void, any Error>
      do { result = .success(try await body(process)) } catch { result = .failure(error) }
      _ = try await process.run("db", "stop")
      try result.get()
    }
  }

  /// The program lies beside the test bundle that was built with it.
  static var path: String {
    get throws {
      // Swift Testing may run in a helper of the toolchain: the bundle is then among its arguments.
      let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") }
      guard let bundle else { throw NoObject(output: "no test bundle in \(CommandLine.arguments)") }
      return URL(fileURLWithPath: bundle).deletingLastPathComponent()
        .appendingPathComponent("photodb").path
    }
  }

  func run(_ arguments: String...) async throws -> Outcome { try await launch(arguments) }

  /// Runs with `--json` and gives the object; the exit code must be 0.
  func json(_ arguments: String...) async throws -> [String: Any] { try await json(arguments) }

  /// The same, with the words in an array.
  func json(_ arguments: [String]) async throws -> [String: Any] {
    let outcome = try await launch(arguments + ["--json"])
    guard outcome.code == 0 else { throw NoObject(output: outcome.error) }
    return try outcome.object()
  }

  /// Starts the program and does not wait for it; what it says on standard error goes to a file.
  func start(_ arguments: [String], log: String) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = try words(arguments)
    let path = "\(folder)/\(log)"
    try Data().write(to: URL(fileURLWithPath: path))
    process.standardError = FileHandle(forWritingAtPath: path)
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    return process
  }

  /// Starts the program, lets `meddle` do something to the running process, and waits for its end.
  func run(
    _ arguments: [String], meddle: (_ process: Process) async throws -> Void
  ) async throws -> (code: Int32, error: String, seconds: Double) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = try words(arguments)
    process.standardOutput = FileHandle.nullDevice
    let errors = folder + "/stderr-\(UUID().uuidString)"
    try Data().write(to: URL(fileURLWithPath: errors))
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: errors))
    try process.run()
    try await meddle(process)
    let start = ContinuousClock.now
    while process.isRunning { try await Task.sleep(for: .milliseconds(10)) }
    let code =
      process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    return (
      code, try String(contentsOfFile: errors, encoding: .utf8),
      (ContinuousClock.now - start) / .seconds(1)
    )
  }

  /// Waits until a process that was started catches SIGINT and SIGTERM; half a minute at most.
  ///
  /// Before that, a signal ends it without a word.
  static func waitUntilSignalsAreCaught(_ process: Process) async throws {
    let both: UInt64 = 1 << (SIGINT - 1) | 1 << (SIGTERM - 1)
    for _ in 0..<3_000 where process.isRunning {
      let status = try String(
        contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
      let caught = status.split(separator: "\n").first { $0.hasPrefix("SigCgt:") }
      let mask = caught.flatMap {
        UInt64($0.dropFirst(7).trimmingPrefix(while: \.isWhitespace), radix: 16)
      }
      if let mask, mask & both == both { return }
      try await Task.sleep(for: .milliseconds(10))
    }
  }

  /// Runs a line in a shell that stands in the folder; the private server is named by the line alone.
  func shell(_ line: String) async throws -> Outcome {
    try await outcome(
      of: ["-u", "DATABASE_URL", "-u", "PHOTODB_HOME", "-C", folder, "bash", "-c", line])
  }

  private func words(_ arguments: [String]) throws -> [String] {
    let variables =
      ["PHOTODB_HOME=\(folder)/.photodb"] + environment.map { "\($0.key)=\($0.value)" }
    // `env` sets the folder and the variables: one program that everyone has.
    return ["-u", "DATABASE_URL", "-C", folder] + variables + [try Self.path] + arguments
  }

  /// The same, with the words in an array.
  func launch(_ arguments: [String]) async throws -> Outcome {
    try await outcome(of: words(arguments))
  }

  private func outcome(of words: [String]) async throws -> Outcome {
    let result = try await Subprocess.run(
      .name("env"), arguments: Arguments(words), output: .string(limit: 64 << 20),
      error: .string(limit: 1 << 20))
    let code: Int32 =
      switch result.terminationStatus {
      case .exited(let code): Int32(code)
      case .signaled(let signal): -Int32(signal)
      }
    return Outcome(
      code: code, output: result.standardOutput, error: result.standardError)
  }
}
