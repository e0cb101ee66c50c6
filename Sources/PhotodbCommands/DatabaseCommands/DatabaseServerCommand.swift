internal import ArgumentParser
internal import FaceClustering
internal import PrivatePostgres

/// `photodb db`: the private PostgreSQL.
struct DatabaseServerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "db", abstract: "Starts, stops and shows the private PostgreSQL.",
    discussion: """
      All of it lies in one folder: the one named by PHOTODB_HOME, else ./.photodb, else, as root in \
      a folder that user postgres cannot enter (such as /root), /var/lib/photodb. In it are data \
      (the database), socket, server.log and lock; where its path is too long for a socket, that is \
      in /tmp/photodb-…. `photodb db status` prints the paths. It listens on that socket only, and \
      starts by itself when a command needs it and no --database or DATABASE_URL is given.

      Example: psql "$(photodb db url)"
      """,
    subcommands: [Start.self, Stop.self, Status.self, URL.self])

  /// The server of this folder.
  fileprivate static func server(_ options: OutputOptions) throws -> PrivateServer {
    PrivateServer(directory: try PrivateServerLocation.current(), logger: options.logger)
  }

  struct Start: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Starts it, unless it runs.", discussion: "Example: photodb db start")

    @OptionGroup var options: OutputOptions

    func run() async throws {
      let server = try server(options)
      try await server.start()
      let report = try ServerReport(server.status())
      try options.output.report(report) { report.text }
    }
  }

  struct Stop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Stops it; open transactions are rolled back.",
      discussion: "Example: photodb db stop")

    @OptionGroup var options: OutputOptions

    func run() async throws {
      let server = try server(options)
      let wasRunning = try await server.stop()
      try options.output.report(try ServerReport(server.status(), wasRunning: wasRunning)) {
        wasRunning ? "stopped" : "it was not running"
      }
    }
  }

  struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows whether it runs, and where; starts nothing.",
      discussion: "Example: photodb db status --json")

    @OptionGroup var options: OutputOptions

    func run() async throws {
      let report = try ServerReport(server(options).status())
      try options.output.report(report) { report.text }
    }
  }

  struct URL: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Prints its URL; starts nothing.",
      discussion: "Example: psql \"$(photodb db url)\"")

    @OptionGroup var options: OutputOptions

    func run() async throws {
      let report = try ServerReport(server(options).status())
      try options.output.report(report) { report.url }
    }
  }
}

/// What `photodb db` says of the server.
private struct ServerReport: Encodable {
  let running: Bool
  let url: String
  let dataDirectory: String
  let logFile: String
  @OrNull var version: Int?
  @OrNull var processID: Int32?
  /// Whether it ran before `stop`; null for the other commands.
  @OrNull var wasRunning: Bool?
  /// Why the data is not in the current folder, where nobody asked for another one.
  @OrNull var explanation: String?

  init(_ status: PrivateServer.Status, wasRunning: Bool? = nil) throws {
    running = status.isRunning
    url = status.url
    dataDirectory = status.dataDirectory
    logFile = status.logFile
    version = status.version
    processID = status.processID
    self.wasRunning = wasRunning
    explanation = try PrivateServerLocation.find().origin.explanation
  }

  /// Two aligned columns for people.
  var text: String {
    let state =
      running
      ? "running" + (processID.map { " (process \($0))" } ?? "")
      : version == nil ? "not made yet" : "stopped"
    return """
      state  \(state)
      url    \(url)
      data   \(dataDirectory)
      log    \(logFile)
      """ + (explanation.map { "\nnote   \($0)" } ?? "")
  }
}
