internal import ArgumentParser
internal import FaceClustering
internal import Glibc

/// The program `photodb`.
public enum PhotodbProgram {
  /// Runs the command named on the command line and ends the process.
  ///
  /// Exit codes: 0 success, 1 failure, 2 wrong usage, 130 and 143 stopped by SIGINT and SIGTERM;
  /// some commands document others.
  public static func main() async -> Never {
    // A reader that goes away shows as an error of the write, not as a signal that kills us.
    signal(SIGPIPE, SIG_IGN)
    let work = Task {
      let command: any ParsableCommand
      let words = Array(CommandLine.arguments.dropFirst())
      if let unknown = unknownTopic(ofHelp: words) { throw unknown }
      do {
        command = try await Photodb.asyncParseAsRoot(nil)
      } catch {
        let isMisuse = Photodb.exitCode(for: error) == .validationFailure
        throw (isMisuse ? negativeNumber(in: words) : nil) ?? error
      }
      try await runParsed(command)
    }
    let stop = StopSignal.watch { work.cancel() }
    do {
      try await work.value
    } catch {
      if let signal = stop.received { exit(Ending(of: error, stoppedBy: signal).report()) }
      exit(Ending(of: error).report())
    }
    // Whatever a signal asked for so late, the work is done and committed.
    exit(0)
  }
}

/// What is wrong with words that could not be read where a negative number stands among them.
///
/// It is taken for an option, and the parser complains of the argument beside it.
///
/// - Returns: nil where none does, or where it is the value of an option.
func negativeNumber(in words: [String]) -> CommandFailure? {
  let words = words.prefix { $0 != "--" }
  for (index, word) in words.enumerated() {
    guard word.first == "-", Int(word) != nil else { continue }
    if index > 0, words[index - 1].hasPrefix("-") { continue }
    return CommandFailure(
      "“\(word)” is no id: ids are numbers above 0; write -- before names that begin with a dash",
      code: 2)
  }
  return nil
}

/// What `photodb help` is asked about where there is no such command.
///
/// The parser would show the help of the last command that it knows, as if that had been asked for.
func unknownTopic(ofHelp words: [String]) -> CommandFailure? {
  guard words.first == "help" else { return nil }
  var command: any ParsableCommand.Type = Photodb.self
  for word in words.dropFirst() where !word.hasPrefix("-") && word != "help" {
    let below = command.configuration.subcommands
    if below.isEmpty { return nil }
    guard let next = below.first(where: { $0._commandName == word }) else {
      return CommandFailure(
        "there is no command “\(word)”; `photodb --help` lists them", code: 2)
    }
    command = next
  }
  return nil
}

/// Runs a command whose arguments have been read.
///
/// - Throws: ``Misuse`` where only the work shows that an argument is wrong; what the command throws.
func runParsed(_ command: any ParsableCommand) async throws {
  do {
    if var command = command as? any AsyncParsableCommand {
      try await command.run()
    } else {
      var command = command
      try command.run()
    }
  } catch let error as ValidationError {
    throw Misuse(message: error.message, command: type(of: command))
  }
}

/// Wrong usage that shows only while a command runs.
///
/// A bare `ValidationError` would not tell whose usage to show.
struct Misuse: Error {
  /// What is wrong, and how it has to be.
  let message: String
  /// The command that was run.
  let command: any ParsableCommand.Type

  /// The same text as where the arguments alone show that they are wrong.
  var text: String {
    let words = Photodb.words(for: command).joined(separator: " ")
    return """
      Error: \(message)
      Usage: \(Photodb.usageString(for: command))
        See '\(words) --help' for more information.
      """
  }
}

extension ParsableCommand {
  /// The words that call a command which is this one or below it; none where it is neither.
  fileprivate static func words(for command: any ParsableCommand.Type) -> [String] {
    if ObjectIdentifier(command) == ObjectIdentifier(Self.self) { return [_commandName] }
    for subcommand in configuration.subcommands {
      let words = subcommand.words(for: command)
      if !words.isEmpty { return [_commandName] + words }
    }
    return []
  }
}

/// How the process ends after an error: what is said where, and the exit code.
struct Ending: Equatable {
  /// Text for standard output (help and versions are no errors).
  var output = ""
  /// Text for standard error.
  var error = ""
  /// Exit code of the process.
  var code: Int32

  /// Sorts an error into help, wrong usage, failure, or a bare exit code.
  init(of error: any Error) {
    let code = Photodb.exitCode(for: error).rawValue
    if let misuse = error as? Misuse {
      self.code = 2
      self.error = misuse.text
    } else if error is OutputClosed {
      self.code = 0
    } else if let exit = error as? ExitCode {
      self.code = exit.rawValue
    } else if code == 0 {
      self.code = 0
      output = Photodb.fullMessage(for: error)
    } else if code == ExitCode.validationFailure.rawValue {
      self.code = 2
      self.error = Photodb.fullMessage(for: error)
    } else {
      self.code = (error as? CommandFailure)?.code ?? 1
      self.error = "photodb: error: \(oneLine(error))"
    }
  }

  /// An error after a signal asked the command to stop.
  init(of error: any Error, stoppedBy signal: Int32) {
    code = 128 + signal
    let name = StopSignal.name(of: signal)
    self.error =
      switch error {
      case BootstrapError.cancelled: "photodb: stopped by \(name): \(oneLine(error))"
      default:
        "photodb: stopped by \(name): what was under way was undone, what was committed stays"
      }
  }

  /// Says it, and gives the exit code.
  func report() -> Int32 {
    if !error.isEmpty { StandardError.shared.line(error) }
    if output.isEmpty { return code }
    do {
      try write(output + "\n", to: STDOUT_FILENO)
      return code
    } catch {
      return Ending(of: error).report()
    }
  }
}
