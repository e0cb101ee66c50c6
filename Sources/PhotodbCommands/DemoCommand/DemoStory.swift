internal import FaceClustering
internal import Foundation
internal import HDBSCAN
internal import Logging
internal import PostgresClient
internal import PrivatePostgres
internal import Store
internal import Vectors

/// The steps of the demo, one after the other, each timed.
struct DemoStory {
  /// The demo's own collection.
  static let collection = "demo"

  let output: OutputOptions
  private let started = ContinuousClock.now

  init(output: OutputOptions) { self.output = output }

  /// Tells the story, alone in this database.
  ///
  /// - Throws: ``CommandFailure`` where another demo is at work; what its steps throw.
  func tell(_ session: DatabaseSession) async throws -> DemoReport {
    // The session that holds the lock is kept to the end; if the process dies, so does it.
    try await session.pool.withConnection { holder in
      guard try await holder.tryDemo() else {
        throw CommandFailure(
          "another `photodb demo` is at work in this database; wait until it has ended")
      }
      let result: Result<DemoReport, any Error>
      do {
        result = .success(try await tellAlone(session))
      } catch {
        result = .failure(error)
      }
      try await holder.releaseDemo()
      return try result.get()
    }
  }

  private func tellAlone(_ session: DatabaseSession) async throws -> DemoReport {
    var report = DemoReport()
    report.collection = Self.collection
    // Opening the session has started the server.
    report.steps.append(
      DemoReport.Step(
        name: session.isPrivate ? "start the private PostgreSQL" : "connect",
        seconds: (ContinuousClock.now - started) / .seconds(1)))
    if session.isPrivate { report.dataDirectory = try PrivateServerLocation.current() }
    report.shellCommand = try ShellCommand.photodb(session.settings)
    let bar = output.progressBar()
    let faces = try DemoFaces()
    try await step("migrate", &report) { _ in
      try await session.ensureSchema()
    }
    try await announceReplacement(session)
    let stage = try await step("import the library", &report) { _ in
      try await session.pool.withTransaction {
        try CollectionRepository().deleteDemo(Self.collection, on: $0)
      }
      let stage = try await FaceClustering.openOrCreate(
        pool: session.pool, collection: Self.collection,
        embeddingModel: CollectionRepository.demoModel,
        dimension: faces.library.embeddings.columns, settings: session.settings.stage,
        logger: session.logger)
      _ = try await stage.importFaces(faces.library) {
        bar.update(phase: "import", completed: $0, total: $1, unit: "faces")
      }
      return stage
    }
    report.bootstrap = try await step("re-bootstrap", &report) { _ in
      try await stage.bootstrap { progress in
        bar.update(phase: "fit: \(progress.phase)", fraction: progress.fraction)
        return true
      }
    }
    try await receiveArrivals(stage, faces, &report)
    try await evaluate(stage, faces, &report)
    bar.finish()
    return report
  }

  private func announceReplacement(_ session: DatabaseSession) async throws {
    let faces = try await session.pool.withTransaction {
      try CollectionRepository().facesOfDemo(Self.collection, on: $0)
    }
    guard let faces else { return }
    session.logger.notice(
      """
      collection “\(Self.collection)” of an earlier demo (\(Formatting.count(faces)) faces, with the \
      names given to them) is replaced; no other collection is touched
      """)
  }

  private func receiveArrivals(
    _ stage: FaceClustering, _ faces: DemoFaces, _ report: inout DemoReport
  ) async throws {
    report.stalenessBefore = try await step("check staleness before", &report) { _ in
      try await stage.checkStaleness(now: Date().timeIntervalSince1970)
    }
    report.arrivals = try await step("import the arrivals", &report) { _ in
      try await stage.importFaces(faces.arrivals).imported
    }
    report.assignment = try await step("assign the arrivals", &report) { _ in
      try await stage.assign()
    }
    report.stalenessAfter = try await step("check staleness after", &report) { _ in
      try await stage.checkStaleness(now: Date().timeIntervalSince1970)
    }
  }

  private func evaluate(
    _ stage: FaceClustering, _ faces: DemoFaces, _ report: inout DemoReport
  ) async throws {
    let (evaluation, outcome, comparison) = try await step(
      "compare with the identities", &report
    ) { _ in
      (
        try await Evaluation.of(
          stage, truth: faces.truth, wanted: Evaluation.Wanted(baselines: false)),
        try await DemoOutcome(stage, faces),
        try await DemoComparison.scores(stage, truth: faces.truth)
      )
    }
    report.pairwise = evaluation.pairwise
    report.bcubed = evaluation.bcubed
    report.comparison = comparison
    report.people = outcome.peopleCount
    report.largestPeople = outcome.largest
    report.tiers = outcome.tiers
  }

  private func step<Result>(
    _ name: String, _ report: inout DemoReport, _ work: (String) async throws -> Result
  ) async throws -> Result {
    if !output.json, !output.quiet { StandardError.shared.line("• \(name)") }
    let start = ContinuousClock.now
    let result = try await work(name)
    report.steps.append(
      DemoReport.Step(name: name, seconds: (ContinuousClock.now - start) / .seconds(1)))
    return result
  }
}

extension PostgresConnection {
  fileprivate func tryDemo() throws -> Bool { try CollectionRepository().tryDemo(on: self) }
  fileprivate func releaseDemo() throws { try CollectionRepository().releaseDemo(on: self) }
}
