internal import ArgumentParser
internal import FaceClustering
internal import HDBSCAN
internal import Logging
internal import Vectors

/// `photodb re-bootstrap`.
struct BootstrapCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "re-bootstrap",
    abstract: "Groups the whole collection anew; ids, names and corrections stay.",
    discussion: """
      Reads all faces in one snapshot, fits HDBSCAN to the eligible ones, lets small and uncertain \
      ones join by evidence, matches the clusters with those that people know, and applies the \
      result in one transaction. Killed or failing, it leaves the old run in charge. Before it \
      begins it says what time and memory it will take, and refuses where the memory would not \
      suffice.

      With --without-fit people are taken out of the hierarchy of the run in charge again, in a \
      small part of the time: with what was said since, and with other settings of the extraction. \
      Faces that came later are placed by evidence and are no part of the hierarchy; the more there \
      are, the more a new fit is worth its time.

      Example: photodb re-bootstrap --dry-run
      """)

  @Flag(name: .long, help: "Say what would change, and write nothing.")
  var dryRun = false

  @Flag(name: .long, help: "Take the hierarchy of the run in charge instead of a fit.")
  var withoutFit = false

  @Option(parsing: .unconditional, help: "Threads for the fit. Default: one for each processor.")
  var threads: Int?

  @OptionGroup var options: GlobalOptions

  mutating func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads must be 1…1024, not \(threads).")
    }
  }

  func run() async throws {
    let bar = options.output.progressBar()
    let (report, forecast) = try await DatabaseSession.with(options) { session in
      let stage = try await session.stage(threads: threads)
      let expected = try await announced(stage, session)
      let report = try await stage.bootstrap(dryRun: dryRun, withoutFit: withoutFit) { progress in
        bar.update(phase: "fit: \(progress.phase)", fraction: progress.fraction)
        return true
      }
      return (report, expected)
    }
    bar.finish()
    try options.output.output.report(Report(report, forecast)) { Self.text(report) }
  }

  /// Says what the bootstrap will take, and refuses it where memory would not suffice.
  private func announced(
    _ stage: FaceClustering, _ session: DatabaseSession
  ) async throws -> BootstrapForecast {
    let estimate = try await BootstrapEstimate.read(
      stage.collection, settings: stage.settings, withoutFit: withoutFit, pool: session.pool)
    let forecast = try BootstrapForecast(estimate, threads: threads ?? availableThreads)
    if estimate.faces > 0 { session.logger.notice("\(forecast.line)") }
    try estimate.check()
    return forecast
  }

  /// What the bootstrap did, and what was expected.
  private struct Report: Encodable {
    let report: BootstrapReport
    let forecast: BootstrapForecast

    init(_ report: BootstrapReport, _ forecast: BootstrapForecast) {
      self.report = report
      self.forecast = forecast
    }

    private enum CodingKeys: String, CodingKey {
      case estimatedSeconds, estimatedMemoryBytes
    }

    func encode(to encoder: any Encoder) throws {
      try report.encode(to: encoder)
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(forecast.seconds, forKey: .estimatedSeconds)
      try container.encode(forecast.estimate.memoryBytes, forKey: .estimatedMemoryBytes)
    }
  }

  /// The summary for people.
  static func text(_ report: BootstrapReport) -> String {
    let lineage = report.lineage
    let seconds = report.seconds
    let text = """
      \(report.runID.map { "run \($0)" } ?? "dry run, nothing was written")\
      \(report.fitOfRun.map { ", with the fit of run \($0)" } ?? "")
      faces      \(Formatting.count(report.embeddingCount)) fitted, \
      \(Formatting.count(report.filteredCount)) not (small, uncertain\
      \(report.fitOfRun == nil ? "" : " or later")), \(Formatting.count(report.filteredPlaced)) \
      of them placed
      clusters   \(Formatting.count(report.clusterCount)), people \
      \(Formatting.count(report.peopleCount)), noise \(Formatting.count(report.noiseCount, "face"))
      lineage    continued \(lineage.continued), split \(lineage.split), merged \
      \(lineage.merged), born \(lineage.born), died \(lineage.died), kept \(lineage.kept)
      changed    \(Formatting.count(report.moved, "face")) moved, \
      \(Formatting.count(report.candidates, "question")) raised
      seconds    read \(Formatting.seconds(seconds.read)), fit \(Formatting.seconds(seconds.fit)), \
      people \(Formatting.seconds(seconds.people)), \
      extract \(Formatting.seconds(seconds.extract)), match \(Formatting.seconds(seconds.match)), \
      write \(Formatting.seconds(seconds.write)), total \(Formatting.seconds(seconds.total))
      memory     \(Formatting.bytes(Int(report.peakMemoryBytes))) at the peak
      """
    if report.reconsidered == 0 { return text }
    return text + "\nundecided  \(Formatting.undecided(report.reconsidered))"
  }
}
