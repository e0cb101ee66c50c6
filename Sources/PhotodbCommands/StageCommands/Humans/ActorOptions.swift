internal import ArgumentParser
internal import FaceClustering
internal import Foundation

/// Who acts, for the log of actions.
struct ActorOptions: ParsableArguments {
  @Option(name: .long, help: "Who does it, for the log. Default: the variable USER.")
  var actor: String?

  /// The name for the log.
  var name: String? { actor ?? ProcessInfo.processInfo.environment["USER"] }
}

extension GlobalOptions {
  /// Does what a person wants of the collection, and says what came of it.
  func act(
    _ action: (FaceClustering) async throws -> HumanActionReport
  ) async throws {
    let report = try await DatabaseSession.with(self) { try await action(try await $0.stage()) }
    try output.output.report(report) { report.text }
  }
}

extension HumanActionReport {
  /// The report for people.
  var text: String {
    var lines = [dryRun ? "would have \(summary)" : summary]
    if moved > 0 { lines.append("  moved      \(Formatting.count(moved)) faces") }
    if !setAside.isEmpty {
      lines.append(
        "  set aside  \(setAside.prefix(20).joined(separator: ", "))"
          + (setAside.count > 20 ? " and \(setAside.count - 20) more" : "")
          + " (said not to be that person)")
    }
    if let actionID { lines.append("  undo with  photodb undo \(actionID)") }
    if dryRun { lines.append("dry run, nothing was written") }
    return lines.joined(separator: "\n")
  }
}
