internal import ArgumentParser
internal import FaceClustering
internal import PostgresClient
internal import Store

/// `photodb maintain`.
struct MaintainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "maintain", abstract: "Keeps clusters in order: daily, weekly, or one task.",
    discussion: """
      daily: \(MaintenanceTask.daily.map(\.rawValue).joined(separator: ", ")).
      weekly: \(MaintenanceTask.weekly.map(\.rawValue).joined(separator: ", ")).
      Safe beside workers, imports and people; doing it twice changes nothing the second time. Exit \
      codes: 0 all tasks succeeded, 1 one failed; the others are done all the same.
      Example: photodb maintain daily --all --json
      """)

  @Argument(help: "daily, weekly, or names of tasks.")
  var tasks: [String]

  @Flag(name: .long, help: "Say what would be changed and write nothing.")
  var dryRun = false

  @Flag(name: .long, help: "Join the persons that association suggests, rather than asking.")
  var apply = false

  @Flag(name: .long, help: "Every collection instead of the one of --collection.")
  var all = false

  @OptionGroup var options: GlobalOptions

  mutating func validate() throws {
    _ = try chosen()
    try options.database.refuseCollection(besideAll: all)
    if dryRun && apply { throw ValidationError("--dry-run and --apply exclude each other.") }
  }

  private func chosen() throws -> [MaintenanceTask] {
    try tasks.flatMap { name in
      switch name {
      case "daily": return MaintenanceTask.daily
      case "weekly": return MaintenanceTask.weekly
      default:
        guard let task = MaintenanceTask(rawValue: name) else {
          let known = MaintenanceTask.allCases.map(\.rawValue).joined(separator: ", ")
          throw ValidationError("There is no task “\(name)”; known: daily, weekly, \(known).")
        }
        return [task]
      }
    }
  }

  func run() async throws {
    let chosen = try chosen()
    let reports = try await DatabaseSession.with(options) { session in
      let names =
        all
        ? try await session.pool.withTransaction {
          try CollectionRepository().list(on: $0).map(\.name)
        } : [session.collection]
      var reports: [MaintenanceReport] = []
      for name in names {
        let stage = try await FaceClustering.open(
          pool: session.pool, collection: name, settings: session.settings.stage,
          logger: session.logger)
        reports.append(try await stage.maintain(chosen, dryRun: dryRun, apply: apply))
      }
      return reports
    }
    if all {
      try options.output.output.report(AllReports(collections: reports)) {
        reports.map(Self.text).joined(separator: "\n")
      }
    } else if let report = reports.first {
      try options.output.output.report(report) { Self.text(report) }
    }
    if !reports.allSatisfy(\.succeeded) { throw ExitCode(1) }
  }

  private struct AllReports: Encodable {
    let collections: [MaintenanceReport]
  }

  private static func text(_ report: MaintenanceReport) -> String {
    var lines = [
      Formatting.printable(report.collection) + (report.dryRun ? " (nothing is written)" : "")
    ]
    for task in report.tasks {
      let state =
        task.error.map { "failed: \($0)" }
        ?? "\(Formatting.count(task.changed)) changed of \(Formatting.count(task.examined))"
      lines.append(
        "  \(task.succeeded ? "·" : "✗") \(task.task.rawValue): \(state), "
          + Formatting.seconds(task.seconds))
      lines += task.findings.map { "      \($0)" }
      if task.found > task.findings.count {
        lines.append("      … and \(task.found - task.findings.count) more")
      }
    }
    return lines.joined(separator: "\n")
  }
}
