internal import ArgumentParser
internal import FaceClustering
internal import Foundation

/// Who acts, for the log of actions.
struct ActorOptions: ParsableArguments {
  @Option(name: .long, help: "Who does it, for the log. Default: your login name.")
  var actor: String?

  mutating func validate() throws {
    guard let actor else { return }
    if actor.isEmpty { throw ValidationError("--actor must not be empty.") }
    if actor.unicodeScalars.count > 200 {
      throw ValidationError("--actor has at most 200 characters.")
    }
    if actor.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
      throw ValidationError("--actor holds no line breaks or other control characters.")
    }
  }

  /// The name for the log: that of the account that the program runs under, unless another is given.
  var name: String {
    if let actor { return actor }
    let login = NSUserName()
    // In a container the account may have no name.
    return login.isEmpty ? "user \(geteuid())" : login
  }
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
    if moved > 0 { lines.append("  moved      \(Formatting.count(moved, "face"))") }
    if !setAside.isEmpty {
      lines.append(
        "  set aside  \(setAside.prefix(20).joined(separator: ", "))"
          + (setAside.count > 20 ? " and \(setAside.count - 20) more" : "")
          + (kind == "undo" ? "" : " (said not to be that person)"))
    }
    if let undecided, undecided > 0 {
      lines.append("  undecided  \(Formatting.undecided(undecided))")
    }
    if let undoLine { lines.append(undoLine) }
    if dryRun { lines.append("dry run, nothing was written") }
    return lines.joined(separator: "\n")
  }

  /// How to take it back; nil after a dry run.
  var undoLine: String? { actionID.map { "  undo with  photodb undo \($0)" } }
}
