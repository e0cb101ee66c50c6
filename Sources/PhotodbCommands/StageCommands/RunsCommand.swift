internal import ArgumentParser
internal import FaceClustering
internal import Foundation
internal import Store

/// `photodb runs list | show | diff | activate | export-tree`.
struct RunsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs", abstract: "Shows the bootstraps of a collection.",
    subcommands: [
      RunsListCommand.self, RunsShowCommand.self, RunsDiffCommand.self, RunsActivateCommand.self,
      RunsExportTreeCommand.self,
    ])
}

/// `photodb runs list`.
struct RunsListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists the runs, newest first.",
    discussion: "Example: photodb runs list --collection holidays")

  @OptionGroup var options: GlobalOptions

  func run() async throws {
    let runs = try await DatabaseSession.with(options) { try await $0.stage().runs() }
    try options.output.output.report(List(runs: try runs.map(RunDescription.init))) {
      var table = TextTable([
        ("run", .right), ("", .left), ("status", .left), ("finished", .left), ("faces", .right),
        ("clusters", .right), ("noise", .right),
      ])
      for run in runs {
        table.append([
          "\(run.id)", run.isActive ? "active" : "", run.status,
          run.finishedAt.map(timeText) ?? "", Formatting.count(run.embeddingCount),
          Formatting.count(run.clusterCount), Formatting.count(run.noiseCount),
        ])
      }
      return runs.isEmpty ? "no runs yet; `photodb re-bootstrap` makes one" : table.text
    }
  }

  private struct List: Encodable {
    let runs: [RunDescription]
  }
}

/// `photodb runs show ID`.
struct RunsShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Shows one run with its settings and figures.",
    discussion: "Example: photodb runs show 3")

  @Argument(help: "Id of the run.")
  var id: Int64

  @OptionGroup var options: GlobalOptions

  func run() async throws {
    let run = try await DatabaseSession.with(options) { try await $0.stage().run(id) }
    let description = try RunDescription(run)
    let model =
      run.embeddingModel == CollectionRepository.unknownModel ? "" : " of \(run.embeddingModel)"
    try options.output.output.report(description) {
      var lines = [
        "run \(run.id): \(run.status)\(run.isActive ? ", active" : "")",
        "  started    \(run.startedAt.map(timeText) ?? "–")",
        "  finished   \(run.finishedAt.map(timeText) ?? "–")",
        "  faces      \(Formatting.count(run.embeddingCount))\(model)",
        "  clusters   \(Formatting.count(run.clusterCount))",
        "  noise      \(Formatting.count(run.noiseCount))",
      ]
      if let calibration = description.calibration {
        lines.append("  calibrated \(calibration.line)")
      }
      if let error = run.error { lines.append("  error      \(error)") }
      for (title, values) in [
        ("seconds", description.seconds.mapValues { "\($0)" }),
        ("metrics", description.metrics.mapValues { Int(exactly: $0).map { "\($0)" } ?? "\($0)" }),
        ("parameters", description.parameters),
      ] where !values.isEmpty {
        lines.append("  \(title)")
        lines += values.sorted { $0.key < $1.key }.map { "    \($0.key) \($0.value)" }
      }
      return lines.joined(separator: "\n")
    }
  }
}

/// A run as JSON shows it.
struct RunDescription: Encodable {
  let runId: Int64
  let status: String
  let isActive: Bool
  @OrNull var error: String?
  let createdAt: String
  @OrNull var startedAt: String?
  @OrNull var finishedAt: String?
  let embeddingModel: String
  let embeddingCount: Int
  let clusterCount: Int
  let noiseCount: Int
  let minClusterSize: Int
  let minSamples: Int
  let parameters: [String: String]
  let metrics: [String: Double]
  let seconds: [String: Double]
  @OrNull var peakMemoryBytes: Int64?
  /// Null where the run clusters by density alone, or did not come to its end.
  @OrNull var calibration: CalibrationReport?

  init(_ run: RunRecord) throws {
    runId = run.id
    status = run.status
    isActive = run.isActive
    error = run.error
    createdAt = timeText(run.createdAt)
    startedAt = run.startedAt.map(timeText)
    finishedAt = run.finishedAt.map(timeText)
    embeddingModel = run.embeddingModel
    embeddingCount = run.embeddingCount
    clusterCount = run.clusterCount
    noiseCount = run.noiseCount
    minClusterSize = run.minClusterSize
    minSamples = run.minSamples
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    parameters = try decoder.decode([String: String].self, from: Data(run.parametersJSON.utf8))
    metrics = try decoder.decode([String: Double].self, from: Data(run.metricsJSON.utf8))
    seconds = try decoder.decode([String: Double].self, from: Data(run.timingsJSON.utf8))
    peakMemoryBytes = run.peakMemoryBytes
    calibration = try CalibrationReport(of: run)
  }
}

/// Seconds since 1970 as ISO 8601 in UTC.
func timeText(_ seconds: Double) -> String {
  Date(timeIntervalSince1970: seconds).formatted(.iso8601)
}
