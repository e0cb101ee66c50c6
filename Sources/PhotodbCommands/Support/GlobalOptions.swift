internal import ArgumentParser
internal import Logging

/// How a command speaks: options that every command has.
struct OutputOptions: ParsableArguments {
  @Flag(name: .long, help: "Print one JSON object on standard output.")
  var json = false

  @Flag(name: [.short, .long], help: "Log what is being done.")
  var verbose = false

  @Flag(name: [.short, .long], help: "No progress, and no logs but errors.")
  var quiet = false

  mutating func validate() throws {
    if verbose && quiet { throw ValidationError("--verbose and --quiet exclude each other.") }
  }

  /// Where results are printed.
  var output: CommandOutput { CommandOutput(json: json) }

  /// A logger that writes to standard error.
  var logger: Logger {
    let level: Logger.Level = quiet ? .error : verbose ? .debug : .notice
    return Logger(label: "photodb") { _ in TerminalLogHandler(logLevel: level) }
  }

  /// A progress bar that shows itself on a terminal only, and never with `--json` or `--quiet`.
  func progressBar() -> ProgressBar {
    ProgressBar(isEnabled: !json && !quiet && StandardError.isTerminal)
  }
}

/// Where settings come from.
struct SettingsOptions: ParsableArguments {
  @Option(name: .long, help: "Settings file (YAML). Default: PHOTODB_CONFIG, else ./photodb.yaml.")
  var config: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "A setting for this call, such as --set MIN_EPSILON=0.2; may be repeated.",
      valueName: "NAME=VALUE"))
  var set: [String] = []
}

/// Which database, and whose photos in it.
struct DatabaseOptions: ParsableArguments {
  @Option(name: .long, help: "Name of the collection; nothing crosses it. Default: default.")
  var collection: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "PostgreSQL to use. Default: DATABASE_URL, else photodb's own private server.",
      valueName: "URL"))
  var database: String?

  mutating func validate() throws {
    if collection == "" { throw ValidationError("--collection must not be empty.") }
    if let database, database.isEmpty { throw ValidationError("--database must not be empty.") }
  }

  /// Name of the collection that a command is about.
  var name: String { collection ?? "default" }

  /// Refuses a collection that `--all` would make nothing of.
  func refuseCollection(besideAll all: Bool) throws {
    if all, collection != nil {
      throw ValidationError("--all and --collection exclude each other.")
    }
  }
}

/// The options of every command that works on the database.
struct GlobalOptions: ParsableArguments {
  @OptionGroup(title: "Database") var database: DatabaseOptions
  @OptionGroup(title: "Settings") var settings: SettingsOptions
  @OptionGroup(title: "Output") var output: OutputOptions
}
