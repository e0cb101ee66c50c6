internal import ArgumentParser
internal import FaceClustering
internal import Foundation
internal import PostgresClient
internal import Store

/// `photodb check-staleness`, for cron and monitoring.
struct StalenessCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check-staleness",
    abstract: "Says whether the active run still fits the collection.",
    discussion: """
      Changes nothing and never starts a bootstrap. Exit codes: 0 fresh, 1 warning, 2 stale or no \
      active run, 3 could not check.
      """)

  @Flag(name: .long, help: "Check every collection; the worst decides the exit code.")
  var all = false

  @Flag(name: .long, help: "Print the text format of Prometheus.")
  var prometheus = false

  @OptionGroup var options: GlobalOptions

  mutating func validate() throws {
    if prometheus && options.output.json {
      throw ValidationError("--prometheus and --json exclude each other.")
    }
  }

  func run() async throws {
    let reports: [StalenessReport]
    do {
      reports = try await DatabaseSession.with(options) { session in
        let names =
          all
          ? try await session.pool.withTransaction {
            try CollectionRepository().list(on: $0).map(\.name)
          } : [session.collection]
        var reports: [StalenessReport] = []
        for name in names {
          let stage = try await FaceClustering.open(
            pool: session.pool, collection: name, settings: session.settings.stage,
            logger: session.logger)
          reports.append(try await stage.checkStaleness(now: Date().timeIntervalSince1970))
        }
        return reports
      }
    } catch {
      StandardError.shared.line("photodb: error: could not check: \(oneLine(error))")
      throw ExitCode(3)
    }
    let output = options.output.output
    if prometheus {
      try output.print(StalenessMetrics.text(reports))
    } else if all {
      try output.report(AllReports(collections: reports)) {
        reports.map(text).joined(separator: "\n")
      }
    } else if let report = reports.first {
      try output.report(report) { text(report) }
    }
    // Without a collection there is no run either.
    throw ExitCode(reports.map(\.exitCode).max() ?? 2)
  }

  private struct AllReports: Encodable {
    let collections: [StalenessReport]
  }

  private func text(_ report: StalenessReport) -> String {
    guard let runID = report.runID else {
      return "\(report.collection): no active run; `photodb re-bootstrap` makes one"
    }
    var lines = [
      "\(report.collection): \(report.status.rawValue), run \(runID) over "
        + "\(Formatting.count(report.embeddingCount)) faces, now "
        + Formatting.count(report.currentCount)
    ]
    for signal in report.signals {
      let value = signal.value.map { Formatting.decimal($0, places: 3) } ?? "too few arrivals"
      lines.append(
        "  \(signal.fired ? "✗" : "·") \(signal.name) \(value) "
          + "(limit \(Formatting.decimal(signal.threshold, places: 3)))")
    }
    return lines.joined(separator: "\n")
  }
}

/// Staleness in the text format of Prometheus, for the textfile collector.
enum StalenessMetrics {
  static func text(_ reports: [StalenessReport]) -> String {
    var lines = [
      "# HELP photodb_staleness 0 fresh, 1 warning, 2 stale or no active run.",
      "# TYPE photodb_staleness gauge",
    ]
    for report in reports {
      lines.append(
        "photodb_staleness{collection=\"\(escape(report.collection))\"} \(report.exitCode)")
    }
    lines += [
      "# HELP photodb_staleness_signal Measured value of a staleness signal.",
      "# TYPE photodb_staleness_signal gauge",
    ]
    for report in reports {
      for signal in report.signals {
        guard let value = signal.value else { continue }
        lines.append(
          "photodb_staleness_signal{collection=\"\(escape(report.collection))\","
            + "name=\"\(signal.name)\",fired=\"\(signal.fired)\"} \(value)")
      }
    }
    return lines.joined(separator: "\n")
  }

  private static func escape(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
  }
}
