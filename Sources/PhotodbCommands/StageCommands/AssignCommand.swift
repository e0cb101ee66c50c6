internal import ArgumentParser
internal import FaceClustering
internal import Logging
internal import Store

/// `photodb assign`.
struct AssignCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "assign", abstract: "Places every face that has no status yet.",
    discussion: """
      Tier 1 predicts with the model of the active run, tier 2 looks for the clusters whose ball \
      holds the face, and what is left waits in the pool, where enough mutually close faces form a \
      new cluster.

      Example: photodb assign --json
      """)

  @Flag(name: .long, help: "Decide again what was decided incrementally before, too.")
  var force = false

  @OptionGroup var options: GlobalOptions

  func run() async throws {
    let bar = options.output.progressBar()
    let report = try await DatabaseSession.with(options) { session in
      for warning in session.settings.warnings { session.logger.warning("\(warning)") }
      let stage = try await session.stage()
      let counts = try await stage.counts()
      let waiting = force ? counts.total : counts.byStatus["new"] ?? 0
      return try await stage.assign(force: force) { done in
        bar.update(phase: "assign", completed: done, total: waiting, unit: "faces")
      }
    }
    bar.finish()
    try options.output.output.report(report) { Self.text(report) }
  }

  /// The summary for people.
  static func text(_ report: AssignmentReport) -> String {
    var lines = [
      """
      \(Formatting.count(report.total, "face")) in \(Formatting.seconds(report.seconds)) \
      (\(Formatting.decimal(report.perFaceMilliseconds.p50, places: 3)) ms a face at the median)
        predicted by the model   \(Formatting.count(report.assigned.predict))
        within an epsilon ball   \(Formatting.count(report.assigned.epsilonBall))
        new clusters of the pool \(Formatting.count(report.assigned.pool, "face")) in \
      \(Formatting.count(report.newClusters, "cluster"))
        waiting for an answer    \(Formatting.count(report.pending))
        left in the pool         \(Formatting.count(report.unassigned + report.constrained))
      """
    ]
    if report.invalid > 0 { lines.append("  unusable embedding       \(report.invalid)") }
    if let reason = report.tierOneSkipped { lines.append("tier 1 was not used: \(reason)") }
    return lines.joined(separator: "\n")
  }
}
