internal import ArgumentParser
internal import Store

/// `photodb migrate`: brings the database to the schema of this program.
struct MigrateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "migrate", abstract: "Brings the database to the schema of this program.",
    discussion: """
      Each migration is one transaction, and several processes may migrate at once. The private \
      server is migrated by every command that uses it.

      Example: photodb migrate --dry-run
      """)

  @Flag(name: .long, help: "Say what would be applied, and apply nothing.")
  var dryRun = false

  @OptionGroup var options: GlobalOptions

  func run() async throws {
    let bar = options.output.progressBar()
    let report = try await DatabaseSession.with(options, schema: .none) { session in
      try await Migrator().migrate(session.pool, dryRun: dryRun) { number, count, name in
        bar.update(
          phase: "migrate \(name)", completed: number - 1, total: count, unit: "migrations")
      }
    }
    bar.finish()
    try options.output.output.report(
      Report(applied: report.applied, pending: report.pending, existing: report.existing)
    ) {
      let lines =
        report.applied.map { "applied  \($0)" } + report.pending.map { "pending  \($0)" }
      return lines.isEmpty
        ? "up to date: \(report.existing) migrations" : lines.joined(separator: "\n")
    }
  }

  private struct Report: Encodable {
    let applied: [String]
    let pending: [String]
    let existing: Int
  }
}
