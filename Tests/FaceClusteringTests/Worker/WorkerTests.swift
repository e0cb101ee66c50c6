import FaceClustering
import PostgresClient
import Store
import TestSupport
import Testing

/// Looks again and again, for a minute at the most: a busy machine is no failure.
func eventually(
  _ what: Comment, within limit: Duration = .seconds(60),
  _ location: SourceLocation = #_sourceLocation, _ holds: () async throws -> Bool
) async throws {
  let end = ContinuousClock.now + limit
  while ContinuousClock.now < end {
    if try await holds() { return }
    try await Task.sleep(for: .milliseconds(10))
  }
  Issue.record(what, sourceLocation: location)
}

extension TestStage {
  /// Runs workers beside `body`, and then asks them to stop.
  @discardableResult
  func withWorkers(
    _ count: Int, options: WorkerOptions = WorkerOptions(), _ body: () async throws -> Void
  ) async throws -> [WorkerReport] {
    let (pool, settings) = (pool, stage.settings)
    let tasks = (0..<count).map { _ in
      Task {
        try await Worker(
          pool: pool, settings: settings, options: options, logger: TestServer.silentLogger
        ).run()
      }
    }
    let outcome: Result<Void, any Error>
    do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
    for task in tasks { task.cancel() }
    var reports: [WorkerReport] = []
    for task in tasks { reports.append(try await task.value) }
    try outcome.get()
    return reports
  }

  /// No face is without a status, and no work waits.
  func isSettled() async throws -> Bool {
    let waits = try await stage.counts().byStatus["new"] ?? 0
    let jobs = try await stage.jobs()
    return waits == 0 && jobs.isEmpty
  }
}

extension OnPostgres {
  /// Workers beside imports, bootstraps, each other, and a server that goes away.
  @Suite struct WorkerTests {
    private static let people = [0.0, 90, 180, 270].flatMap { Circle.person(at: $0) }

    @Test func fourWorkersDecideEachFaceOnce() async throws {
      try await TestStage.run { test in
        let fixture = try FaceFixture.load()
        let known = fixture.people.flatMap { $0.prefix(8) }
        _ = try await test.stage.importFaces(fixture.file(known))
        _ = try await test.stage.bootstrap()
        let arrivals = fixture.people.flatMap { $0.dropFirst(8) } + fixture.strangers
        var options = WorkerOptions()
        options.batchSize = 7
        options.threads = 1
        let reports = try await test.withWorkers(4, options: options) {
          for start in stride(from: 0, to: arrivals.count, by: 20) {
            _ = try await test.stage.importFaces(
              fixture.file(Array(arrivals[start..<min(start + 20, arrivals.count)])))
          }
          try await eventually("everything is decided") { try await test.isSettled() }
        }
        #expect(reports.reduce(0) { $0 + $1.failures } == 0)
        let firsts = try await test.value(
          """
          SELECT count(*) || ' ' || count(DISTINCT detection_id) FROM assignment_event
          WHERE old_status IS NULL AND tier <> 'bootstrap'
          """)
        #expect(firsts == "\(arrivals.count) \(arrivals.count)")
      }
    }

    @Test func anImportWakesAWorkerLongBeforeItWouldLook() async throws {
      try await TestStage.run(dimension: 4) { test in
        var options = WorkerOptions()
        options.poll = .seconds(3_600)
        try await test.withWorkers(1, options: options) {
          for round in 0..<3 {
            // By now it waits.
            try await Task.sleep(for: .milliseconds(300))
            _ = try await test.stage.importFaces(Circle.file([10], prefix: "r\(round)"))
            try await eventually("it is decided") { try await test.isSettled() }
          }
        }
      }
    }

    @Test func importsThatComeTogetherAreOneJob() async throws {
      try await TestStage.run(dimension: 4) { test in
        for round in 0..<3 {
          _ = try await test.stage.importFaces(Circle.file([1], prefix: "r\(round)"))
        }
        #expect(try await test.stage.jobs().map(\.status) == [.queued])
        // One that changes nothing announces nothing.
        try await test.pool.query("DELETE FROM clustering_job")
        _ = try await test.stage.importFaces(Circle.file([1], prefix: "r0"))
        #expect(try await test.stage.jobs().isEmpty)
        // Nobody announced them, and yet they are found.
        let worker = Worker(pool: test.pool, logger: TestServer.silentLogger)
        let report = try await worker.run(untilDrained: true)
        #expect(report.jobs == 1 && report.faces == 3)
        #expect(try await test.isSettled())
      }
    }

    @Test func anImportThatHasNotCommittedKeepsItsJob() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(Circle.file([1]))
        let collection = test.collection
        let other = try await test.pool.connectionOfItsOwn()
        try await other.query("BEGIN")
        try await other.announce(collection)
        let worker = Worker(pool: test.pool, logger: TestServer.silentLogger)
        #expect(try await worker.run(untilDrained: true).jobs == 0)
        try await other.query("COMMIT")
        #expect(try await worker.run(untilDrained: true).jobs == 1)
        await other.close()
      }
    }

    @Test func aJobThatFailsIsTriedAgainAndGivenUp() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(Circle.file(Self.people))
        _ = try await test.stage.bootstrap()
        try await test.pool.query("UPDATE cluster SET reference_centroid = 'short'")
        _ = try await test.stage.importFaces(Circle.file([1], prefix: "new"))
        var options = WorkerOptions()
        options.maximumAttempts = 3
        options.firstPause = .milliseconds(20)
        let reports = try await test.withWorkers(2, options: options) {
          try await eventually("it is given up") {
            try await test.stage.jobs().first?.status == .dead
          }
          // It stays where it is, however often workers look.
          try await Task.sleep(for: .milliseconds(300))
        }
        #expect(reports.reduce(0) { $0 + $1.failures } == 3)
        #expect(reports.reduce(0) { $0 + $1.dead } == 1)
        let dead = try #require(try await test.stage.jobs().first)
        #expect(dead.attempts == 3 && dead.error?.contains("damaged") == true)

        try await test.pool.query("UPDATE cluster SET reference_centroid = centroid")
        #expect(try await test.stage.retryDeadJobs() == 1)
        let worker = Worker(pool: test.pool, logger: TestServer.silentLogger)
        #expect(try await worker.run(untilDrained: true).faces == 1)
        #expect(try await test.isSettled())
      }
    }

    @Test func aWorkerThatIsStoppedGivesItsJobBack() async throws {
      try await TestStage.run(dimension: 4) { test in
        let angles = (0..<2_000).map { Double($0) }
        _ = try await test.stage.importFaces(Circle.file(angles))
        var options = WorkerOptions()
        options.batchSize = 1
        let reports = try await test.withWorkers(1, options: options) {
          try await eventually("it has begun") {
            try await test.stage.counts().byStatus["new"] ?? 0 < angles.count
          }
        }
        #expect(reports.map(\.jobs) == [0])
        let left = try await test.stage.counts().byStatus["new"] ?? 0
        #expect(left > 0)
        let job = try #require(try await test.stage.jobs().first)
        #expect(job.status == .queued && job.attempts == 0)
        let worker = Worker(pool: test.pool, logger: TestServer.silentLogger)
        #expect(try await worker.run(untilDrained: true).jobs == 1)
        #expect(try await test.isSettled())
      }
    }

    @Test func aLeaseThatRanOutIsTakenOverUntilTheJobIsGivenUp() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(Circle.file([1]))
        // Begun by one that never came back.
        let claimed = try await test.claim(lease: 0.3)
        #expect(claimed?.attempts == 1)
        try await test.withWorkers(1) {
          try await eventually("another takes it") { try await test.isSettled() }
        }
        // Whoever begins this one dies of it.
        _ = try await test.stage.importFaces(Circle.file([2], prefix: "new"))
        for _ in 0..<3 {
          _ = try await test.claim(lease: 0.01)
          try await Task.sleep(for: .milliseconds(30))
        }
        var options = WorkerOptions()
        options.maximumAttempts = 3
        let worker = Worker(
          pool: test.pool, options: options, logger: TestServer.silentLogger)
        #expect(try await worker.run(untilDrained: true).dead == 1)
        #expect(try await test.stage.jobs().first?.attempts == 3)
        #expect(try await test.stage.jobs().first?.error?.contains("every worker") == true)
        _ = try await test.stage.assign()
      }
    }

    /// The last worker ended without a word; why those before it failed is known.
    @Test func aJobThatIsGivenUpKeepsItsReason() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(Circle.file([1]))
        try await test.pool.query(
          "UPDATE clustering_job SET attempts = 2, error = 'the disk is full'")
        #expect(try await test.claim(lease: 0.01)?.attempts == 3)
        try await Task.sleep(for: .milliseconds(30))
        var options = WorkerOptions()
        options.maximumAttempts = 3
        let worker = Worker(
          pool: test.pool, options: options, logger: TestServer.silentLogger)
        let report = try await worker.run(untilDrained: true)
        #expect(report.dead == 1 && report.failures == 0)
        let job = try #require(try await test.stage.jobs().first)
        #expect(job.status == .dead && job.attempts == 3 && job.error == "the disk is full")
        _ = try await test.stage.assign()
      }
    }

    @Test func arrivalsDuringABootstrapAreNeitherLostNorClobbered() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(Circle.file(Self.people))
        _ = try await test.stage.bootstrap()
        try await test.withWorkers(2) {
          let stage = test.stage
          let arrive = once {
            _ = try await stage.importFaces(Circle.file([0, 91, 45], prefix: "during"))
          }
          _ = try await stage.bootstrap { _ in
            arrive()
            return true
          }
          try await eventually("the arrivals are decided") { try await test.isSettled() }
        }
        let faces = try await test.faces()
        #expect(faces.count == Self.people.count + 3)
        #expect(faces["during-0"]?.clusterID == faces["face-0"]?.clusterID)
        #expect(faces["during-1"]?.clusterID == faces["face-6"]?.clusterID)
        #expect(faces["during-2"]?.status != nil)
      }
    }

    @Test func connectionsThatAreCutAreMadeAgain() async throws {
      try await TestStage.run(dimension: 4) { test in
        let reports = try await test.withWorkers(2) {
          for round in 0..<5 {
            _ = try await test.stage.importFaces(
              Circle.file((0..<20).map { Double($0 * 3) }, prefix: "r\(round)"))
            try await test.pool.query(
              """
              SELECT pg_terminate_backend(pid) FROM pg_stat_activity
              WHERE datname = current_database() AND pid <> pg_backend_pid()
              """)
            try await eventually("everything is decided") { try await test.isSettled() }
          }
        }
        #expect(reports.allSatisfy { $0.connectionsLost > 0 })
        #expect(try await test.stage.counts().total == 100)
      }
    }
  }
}

extension PostgresConnection {
  fileprivate func announce(_ collection: CollectionRecord) throws {
    try JobQueue().enqueue(.assign, collection, on: self)
  }
}

extension TestStage {
  fileprivate func claim(lease: Double) async throws -> JobRecord? {
    try await pool.withTransaction {
      try JobQueue().claim(collections: nil, owner: "somebody", lease: lease, on: $0)
    }
  }
}
