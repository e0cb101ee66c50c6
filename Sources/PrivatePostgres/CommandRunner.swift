internal import Subprocess

/// Runs PostgreSQL's programs as the server's user.
///
/// Every command goes through `env -i`: variables such as `PGDATA`, `PGPORT` or `LANG` must not
/// change what the private server is, and `runuser` is found whatever the caller's `PATH`.
struct CommandRunner {
  private static let environment = [
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL=C",
  ]
  private static let longestOutput = 1 << 20

  let user: ServerUser
  /// Where programs run.
  ///
  /// Names of files are given relative to it, because `pg_ctl` and `initdb` pass them through a
  /// shell with too little quoting for every path.
  let folder: String

  /// Runs a program to its end.
  ///
  /// - Parameters:
  ///   - program: Its path, or a name to look up.
  ///   - arguments: Its arguments.
  ///   - isOwn: Run it as oneself, and not as the server's user.
  ///   - input: What it reads.
  ///   - log: The file to name when it fails.
  /// - Returns: What it printed, standard error included.
  /// - Throws: ``PrivateServerError/commandFailed(command:reason:log:)``.
  @discardableResult
  func run(
    _ program: String, _ arguments: [String], isOwn: Bool = false, input: String = "",
    log: String? = nil
  ) async throws -> String {
    let change = user.isAnother && !isOwn ? ["runuser", "-u", user.name, "--"] : []
    let words = ["-i", "-C", folder] + Self.environment + change + [program] + arguments
    let name = program.split(separator: "/").last.map(String.init) ?? program
    let result: ExecutionResult<Void, StringOutput<UTF8>, CombinedErrorOutput>
    do {
      result = try await Subprocess.run(
        .name("env"), arguments: Arguments(words),
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
