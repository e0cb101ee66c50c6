internal import ArgumentParser
internal import PrivatePostgres

/// `photodb db`: the private PostgreSQL.
struct DatabaseServerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "db", abstract: "Starts, stops and shows the private PostgreSQL.",
    discussion: """
      It lives in ./.photodb, or in the folder named by PHOTODB_HOME, listens on a Unix socket only, \
      and starts by itself when a command needs it and no --database or DATABASE_URL is given.
      """,
    subcommands: [Start.self, Stop.self, Status.self, URL.self])

  /// The server of this folder.
  fileprivate static func server(_ options: OutputOptions) throws -> PrivateServer {
    PrivateServer(directory: try PrivateServerLocation.current(), logger: options.logger)
  }

  struct Start: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Starts it, unless it runs.")

    @OptionGroup var options: OutputOptions

    func run() async throws {
      let server = try server(options)
      try await server.start()
      try options.output.report(ServerReport(server.status())) {
        ServerReport(server.status()).text
      }
    }
  }

  struct Stop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Stops it; open transactions are rolled back.")

    @OptionGroup var options: OutputOptions

    func run() async throws {
      let server = try server(options)
      let wasRunning = try await server.stop()
      try options.output.report(ServerReport(server.status(), wasRunning: wasRunning)) {
        wasRunning ? "stopped" : "it was not running"
      }
    }
  }

  struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows whether it runs, and where; starts nothing.")

    @OptionGroup var options: OutputOptions

    func run() async throws {
      let report = ServerReport(try server(options).status())
      try options.output.report(report) { report.text }
    }
  }

  struct URL: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Prints its URL, as for psql \"$(photodb db url)\"; starts nothing.")

    @OptionGroup var options: OutputOptions

    func run() async throws {
      let report = ServerReport(try server(options).status())
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
  let version: Int?
  let processID: Int32?
  let wasRunning: Bool?

  init(_ status: PrivateServer.Status, wasRunning: Bool? = nil) {
    running = status.isRunning
    url = status.url
    dataDirectory = status.dataDirectory
    logFile = status.logFile
    version = status.version
    processID = status.processID
    self.wasRunning = wasRunning
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
      """
  }
}
