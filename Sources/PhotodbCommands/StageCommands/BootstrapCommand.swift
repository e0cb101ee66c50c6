internal import ArgumentParser
internal import FaceClustering
internal import HDBSCAN

/// `photodb re-bootstrap`.
struct BootstrapCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "re-bootstrap",
    abstract: "Fits the whole collection anew; ids, names and corrections stay.",
    discussion: """
      Reads all eligible faces in one snapshot, fits HDBSCAN, matches the clusters with those that \
      people know, and applies the result in one transaction. Killed or failing, it leaves the old \
      run in charge.
      """)

  @Flag(name: .long, help: "Say what would change, and write nothing.")
  var dryRun = false

  @Option(help: "Threads for the fit. Default: one for each processor.")
  var threads: Int?

  @OptionGroup var options: GlobalOptions

  mutating func validate() throws {
    if let threads, threads < 1 { throw ValidationError("--threads must be at least 1.") }
  }

  func run() async throws {
    let bar = options.output.progressBar()
    let report = try await DatabaseSession.with(options) { session in
      try await session.stage(threads: threads).bootstrap(dryRun: dryRun) { progress in
        bar.update(phase: "fit: \(progress.phase)", fraction: progress.fraction)
        return true
      }
    }
    bar.finish()
    try options.output.output.report(report) { Self.text(report) }
  }

  /// The summary for people.
  static func text(_ report: BootstrapReport) -> String {
    let lineage = report.lineage
    let seconds = report.seconds
    return """
      \(report.runID.map { "run \($0)" } ?? "dry run, nothing was written")
      faces      \(Formatting.count(report.embeddingCount)) fitted, \
      \(Formatting.count(report.filteredCount)) filtered (small or uncertain)
      clusters   \(Formatting.count(report.clusterCount)), people \
      \(Formatting.count(report.peopleCount)), noise \(Formatting.count(report.noiseCount)) faces
      lineage    continued \(lineage.continued), split \(lineage.split), merged \
      \(lineage.merged), born \(lineage.born), died \(lineage.died), kept \(lineage.kept)
      changed    \(Formatting.count(report.moved)) faces moved, \(report.candidates) questions raised
      seconds    read \(Formatting.seconds(seconds.read)), fit \(Formatting.seconds(seconds.fit)), \
      people \(Formatting.seconds(seconds.people)), \
      extract \(Formatting.seconds(seconds.extract)), match \(Formatting.seconds(seconds.match)), \
      write \(Formatting.seconds(seconds.write)), total \(Formatting.seconds(seconds.total))
      memory     \(Formatting.bytes(Int(report.peakMemoryBytes))) at the peak
      """
  }
}
