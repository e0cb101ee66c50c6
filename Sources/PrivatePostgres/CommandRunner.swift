internal import Subprocess

/// Runs PostgreSQL's programs as the server's user.
///
/// Every command goes through `env -i`: variables such as `PGDATA`, `PGPORT` or `LANG` must not
/// change what the private server is, `runuser` is found whatever the caller's `PATH`, and the
/// current folder is one that every user may enter.
struct CommandRunner {
  private static let environment = [
    "-i", "-C", "/", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL=C",
  ]
  private static let longestOutput = 1 << 20

  let user: ServerUser

  /// Runs a program to its end.
  ///
  /// - Returns: What it printed, standard error included.
  /// - Throws: ``PrivateServerError/commandFailed(command:reason:log:)``.
  @discardableResult
  func run(
    _ program: String, _ arguments: [String], input: String = "", log: String? = nil
  ) async throws -> String {
    let change = user.isAnother ? ["runuser", "-u", user.name, "--"] : []
    let name = program.split(separator: "/").last.map(String.init) ?? program
    let result: ExecutionResult<Void, StringOutput<UTF8>, CombinedErrorOutput>
    do {
      result = try await Subprocess.run(
        .name("env"), arguments: Arguments(Self.environment + change + [program] + arguments),
        input: .string(input),
        output: .string(limit: Self.longestOutput), error: .combinedWithOutput)
    } catch {
      throw PrivateServerError.commandFailed(command: name, reason: "\(error)", log: log)
    }
    let text = result.standardOutput
    guard result.terminationStatus.isSuccess else {
      let reason = Self.reason(in: text) ?? "it ended with \(result.terminationStatus)"
      throw PrivateServerError.commandFailed(command: name, reason: reason, log: log)
    }
    return text
  }

  /// The line of a program's output that says what is wrong.
  static func reason(in text: String) -> String? {
    let lines = text.split(whereSeparator: \.isNewline)
    let telling = ["FATAL:", "PANIC:", "ERROR:", "error:", "could not"]
    let line = lines.last { line in telling.contains { line.contains($0) } } ?? lines.last
    return line.map(String.init)
  }
}
