internal import ArgumentParser
internal import FaceClustering
internal import Logging

/// `photodb worker`.
struct WorkerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker", abstract: "Places new faces as they come, beside other workers.",
    discussion: """
      Run as many as you like, on as many machines as you like, over one database. An import wakes \
      them. SIGTERM and SIGINT undo the batch in hand. With --json every log line on standard \
      error is a JSON object, and so is the summary on standard output at the end. Exit codes: 0 \
      stopped or drained, 1 failed; with --once also where an attempt failed or a job was given up.
      Example: photodb worker --all --json
      """)

  @Flag(name: .long, help: "Serve every collection instead of the one of --collection.")
  var all = false

  @Flag(name: .long, help: "End when no job is ready.")
  var once = false

  @Option(
    parsing: .unconditional,
    help: "Seconds that a job stays with a worker that gives no sign of life.")
  var lease = 60.0

  @Option(parsing: .unconditional, help: "Longest time between two looks for work, in seconds.")
  var poll = 30.0

  @Option(parsing: .unconditional, help: "How often a job is begun before it is given up.")
  var attempts = 5

  @Option(parsing: .unconditional, help: "Faces that are decided in one transaction.")
  var batch = 1_000

  @Option(parsing: .unconditional, help: "Threads for numeric work. Default: all processors.")
  var threads: Int?

  @OptionGroup var options: GlobalOptions

  mutating func validate() throws {
    if !(1...86_400).contains(lease) { throw ValidationError("--lease must be 1…86400.") }
    if !(0.1...86_400).contains(poll) { throw ValidationError("--poll must be 0.1…86400.") }
    if !(1...1_000).contains(attempts) { throw ValidationError("--attempts must be 1…1000.") }
    if !(1...100_000).contains(batch) { throw ValidationError("--batch must be 1…100000.") }
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads must be 1…1024, not \(threads).")
    }
    try options.database.refuseCollection(besideAll: all)
  }

  func run() async throws {
    let logger = options.output.workLogger
    let (options, all, once) = (options, all, once)
    var behaviour = WorkerOptions()
    behaviour.lease = .seconds(lease)
    behaviour.poll = .seconds(poll)
    behaviour.maximumAttempts = attempts
    behaviour.batchSize = batch
    behaviour.threads = threads
    let chosen = behaviour
    let report = try await StopSignals.cancelling {
      logger.notice("stopping; the batch in hand is undone")
    } _: {
      try await DatabaseSession.with(options, logger: logger) { session in
        var behaviour = chosen
        if !all {
          behaviour.collections = [session.collection]
          try await Self.look(at: session, once: once, logger)
        }
        let worker = Worker(
          pool: session.pool, settings: session.settings.stage, options: behaviour,
          logger: logger)
        logger.notice(
          "working", metadata: ["worker": "\(worker.owner)"])
        return try await worker.run(untilDrained: once)
      }
    }
    try options.output.output.report(report) {
      """
      \(Formatting.count(report.jobs, "job")) done, \(Formatting.count(report.faces, "face")) placed, \
      \(Formatting.count(report.failures, "attempt")) failed, \
      \(Formatting.count(report.dead, "job")) given up
      """
    }
    if once && report.failures + report.dead > 0 { throw ExitCode(1) }
  }

  /// A collection that does not exist is a mistake where the queue is only drained; a worker that goes on
  /// may wait for its first import.
  private static func look(
    at session: DatabaseSession, once: Bool, _ logger: Logger
  ) async throws {
    if once {
      _ = try await session.stage()
      return
    }
    let (name, pool) = (session.collection, session.pool)
    if try await FaceClustering.dimension(ofCollection: name, pool: pool) == nil {
      logger.warning("there is no collection “\(name)” yet; waiting for it")
    }
  }
}

extension OutputOptions {
  /// The logger of a process that works on its own: what it does is told, with `--json` as JSON.
  var workLogger: Logger {
    let level: Logger.Level = quiet ? .error : verbose ? .debug : .info
    return Logger(label: "photodb") { [json] _ in
      if json { JSONLogHandler(logLevel: level) } else { TerminalLogHandler(logLevel: level) }
    }
  }
}
