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
      Never starts a bootstrap; only runs whose process died are marked as failed. Exit codes: 0 fresh, 1 warning, 2 stale or no \
      active run, 3 could not check. With --all a collection that cannot be checked does not keep \
      the others from it. With --prometheus there is a series to print whatever happens: 3 says that \
      nothing could be checked, without a collection where --all found out of none.

      Example: photodb check-staleness --all --prometheus > photodb.prom
      """)

  @Flag(name: .long, help: "Check every collection; the worst decides the exit code.")
  var all = false

  @Flag(name: .long, help: "Print the text format of Prometheus.")
  var prometheus = false

  @OptionGroup var options: GlobalOptions

  mutating func validate() throws {
    try options.database.refuseCollection(besideAll: all)
    if prometheus && options.output.json {
      throw ValidationError("--prometheus and --json exclude each other.")
    }
  }

  func run() async throws {
    let outcomes: [StalenessOutcome]
    do {
      outcomes = try await DatabaseSession.with(options) { session in
        let now = Date().timeIntervalSince1970
        if all {
          return try await FaceClustering.checkStalenessOfAll(
            pool: session.pool, settings: session.settings.stage, now: now, logger: session.logger)
        }
        let stage = try await FaceClustering.open(
          pool: session.pool, collection: session.collection, settings: session.settings.stage,
          logger: session.logger)
        return [
          StalenessOutcome(
            collection: session.collection,
            result: .success(try await stage.checkStaleness(now: now)))
        ]
      }
    } catch let error as CancellationError {
      throw error
    } catch {
      StandardError.shared.line("photodb: error: could not check: \(oneLine(error))")
      if prometheus {
        try options.output.output.print(
          StalenessMetrics.notChecked(all ? nil : options.database.name))
      }
      throw ExitCode(3)
    }
    for outcome in outcomes {
      guard let error = outcome.error else { continue }
      StandardError.shared.line(
        "photodb: error: could not check collection “\(Formatting.printable(outcome.collection))”: "
          + error)
    }
    try report(outcomes)
    // Without a collection there is no run either.
    throw ExitCode(outcomes.map(\.exitCode).max() ?? 2)
  }

  private func report(_ outcomes: [StalenessOutcome]) throws {
    let output = options.output.output
    let reports = outcomes.compactMap(\.report)
    if prometheus {
      try output.print(StalenessMetrics.text(outcomes))
    } else if all {
      try output.report(AllReports(collections: outcomes.map(EncodedOutcome.init))) {
        reports.map(text).joined(separator: "\n")
      }
    } else if let report = reports.first {
      try output.report(report) { text(report) }
    }
  }

  private struct AllReports: Encodable {
    let collections: [EncodedOutcome]
  }

  private func text(_ report: StalenessReport) -> String {
    let collection = Formatting.printable(report.collection)
    guard let runID = report.runID else {
      return "\(collection): no active run; `photodb re-bootstrap` makes one"
    }
    var lines = [
      "\(collection): \(report.status.rawValue), run \(runID) over "
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

extension StalenessOutcome {
  fileprivate var report: StalenessReport? { try? result.get() }

  /// Why there is no report, in one line.
  fileprivate var error: String? {
    if case .failure(let error) = result { oneLine(error) } else { nil }
  }
}

/// One collection of `--all`: the report, or an object with the status `error`; `error` is null where
/// there is none.
private struct EncodedOutcome: Encodable {
  let outcome: StalenessOutcome

  private enum CodingKeys: String, CodingKey {
    case collection, status, error
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    if let report = outcome.report {
      try report.encode(to: encoder)
      try container.encodeNil(forKey: .error)
    } else {
      try container.encode(outcome.collection, forKey: .collection)
      try container.encode("error", forKey: .status)
      try container.encode(outcome.error, forKey: .error)
    }
  }
}

/// Staleness in the text format of Prometheus, for the textfile collector.
///
/// Labels say what is measured and never how it came out, so that a series stays the same one.
enum StalenessMetrics {
  static func text(_ outcomes: [StalenessOutcome]) -> String {
    let status = outcomes.map { outcome in
      "photodb_staleness\(labels(collection: outcome.collection)) \(outcome.exitCode)"
    }
    var signals: [(labels: String, signal: StalenessSignal)] = []
    for report in outcomes.compactMap(\.report) {
      for signal in report.signals {
        signals.append((labels(collection: report.collection, name: signal.name), signal))
      }
    }
    let families = [
      family("photodb_staleness", statusHelp, status),
      family(
        "photodb_staleness_signal", "Measured value of a staleness signal, where there is one.",
        signals.compactMap { sample in
          sample.signal.value.map { "photodb_staleness_signal\(sample.labels) \($0)" }
        }),
      family(
        "photodb_staleness_signal_threshold", "Limit from which a staleness signal fires.",
        signals.map { "photodb_staleness_signal_threshold\($0.labels) \($0.signal.threshold)" }),
      family(
        "photodb_staleness_signal_fired", "1 where a staleness signal fires, 0 where it does not.",
        signals.map { "photodb_staleness_signal_fired\($0.labels) \($0.signal.fired ? 1 : 0)" }),
    ]
    return families.joined(separator: "\n")
  }

  /// What there is to say where nothing could be checked.
  ///
  /// - Parameter collection: the one that was asked for; nil where all were, and none is known.
  static func notChecked(_ collection: String?) -> String {
    let which = collection.map { labels(collection: $0) } ?? ""
    return family("photodb_staleness", statusHelp, ["photodb_staleness\(which) 3"])
  }

  private static let statusHelp =
    "0 fresh, 1 warning, 2 stale or no active run, 3 not checked."

  private static func family(_ name: String, _ help: String, _ samples: [String]) -> String {
    (["# HELP \(name) \(help)", "# TYPE \(name) gauge"] + samples).joined(separator: "\n")
  }

  private static func labels(collection: String, name: String? = nil) -> String {
    let collection = "collection=\"\(escape(collection))\""
    return name.map { "{\(collection),name=\"\($0)\"}" } ?? "{\(collection)}"
  }

  private static func escape(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
  }
}
