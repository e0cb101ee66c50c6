import FaceClustering
import PostgresClient
import Store
import TestSupport
import Testing

extension OnPostgres {
  /// Each signal fires at its threshold, and the exit code follows the worst.
  @Suite struct StalenessTests {
    private static let angles = [0.0, 90, 180, 270].flatMap { Circle.person(at: $0) }

    private func run(_ body: (TestStage) async throws -> Void) async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(Circle.file(Self.angles))
        _ = try await test.stage.bootstrap()
        try await body(test)
      }
    }

    private func report(_ test: TestStage, daysLater: Double = 0) async throws -> StalenessReport {
      let now = try #require(
        try await test.value("SELECT extract(epoch FROM now())").flatMap { Double($0) })
      return try await test.stage.checkStaleness(now: now + daysLater * 86_400)
    }

    private func fired(_ report: StalenessReport) -> [String] {
      report.signals.filter(\.fired).map(\.name)
    }

    @Test func freshAfterABootstrapAndNothingWithoutOne() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(Circle.file(Self.angles))
        let none = try await report(test)
        #expect(none.status == .noRun)
        #expect(none.exitCode == 2)
        #expect(none.currentCount == 24)
        let run = try await test.stage.bootstrap()
        let fresh = try await report(test)
        #expect(fresh.status == .fresh)
        #expect(fresh.exitCode == 0)
        #expect(fresh.runID == run.runID)
        #expect(fresh.growth == 1)
        #expect(fired(fresh) == [])
        #expect(
          fresh.signals.map(\.name) == [
            "growth", "deleted_share", "embedding_model_changed", "model_readable",
            "parameters_changed", "pool_share", "tier1_noise_rate", "drift", "age_days",
          ])
      }
    }

    @Test func growthFiresAtAQuarter() async throws {
      try await run { test in
        _ = try await test.stage.importFaces(
          Circle.file([1, 2, 3, 91, 92], prefix: "new"))
        #expect(try await report(test).status == .fresh)
        _ = try await test.stage.importFaces(Circle.file([93], prefix: "sixth"))
        let stale = try await report(test)
        #expect(stale.growth == 1.25)
        #expect(stale.exitCode == 2)
        #expect(fired(stale) == ["growth"])
      }
    }

    @Test func deletionFiresAtAFifthWhateverArrives() async throws {
      try await run { test in
        _ = try await test.stage.deleteFaces(externalIDs: (0..<4).map { "face-\($0)" })
        #expect(try await report(test).status == .fresh)
        _ = try await test.stage.deleteFaces(externalIDs: ["face-4"])
        _ = try await test.stage.importFaces(
          Circle.file([1, 2, 3, 91, 92], prefix: "new"))
        let stale = try await report(test)
        #expect(stale.growth == 1)
        #expect(fired(stale) == ["deleted_share"])
        #expect(stale.status == .stale)
      }
    }

    @Test func changedParametersAreAWarningAndOnlyThat() async throws {
      try await run { test in
        var settings = test.stage.settings
        settings.minSamples = 5
        settings.minFaceConfidence = 0.95
        settings.gateRelative = 0.5
        let report = try await report(try await test.reopened(settings: settings))
        #expect(fired(report) == ["parameters_changed"])
        #expect(report.signals.first { $0.name == "parameters_changed" }?.value == 2)
        #expect(report.status == .warning)
        #expect(report.exitCode == 1)
      }
    }

    @Test func aStricterFilterIsNoDeletion() async throws {
      try await TestStage.run(dimension: 4) { test in
        var file = Circle.file(Self.angles)
        for index in file.faces.indices { file.faces[index].confidence = 0.92 }
        _ = try await test.stage.importFaces(file)
        _ = try await test.stage.bootstrap()
        var settings = test.stage.settings
        settings.minFaceConfidence = 0.95
        let report = try await report(try await test.reopened(settings: settings))
        #expect(fired(report) == ["parameters_changed"])
        #expect(report.currentCount == 0)
      }
    }

    @Test func arrivalsThatStayInThePoolFire() async throws {
      var settings = StageSettings()
      settings.unassignedClusterThreshold = 10_000
      settings.stalenessThreshold = 1_000
      settings.gateAbsolute = 0.9
      try await TestStage.run(dimension: 4, settings: settings) { test in
        _ = try await test.stage.importFaces(Circle.file(Self.angles))
        _ = try await test.stage.bootstrap()
        // Fourteen that fit and five that do not: too few to mean anything.
        let near = (0..<14).map { Double($0) }
        _ = try await test.stage.importFaces(
          Circle.file(near + [45, 135, 225, 315, 44], prefix: "new"))
        #expect(try await test.stage.assign().unassigned == 5)
        let few = try await report(test)
        #expect(few.signals.first { $0.name == "pool_share" }?.value == nil)
        #expect(few.status == .fresh)
        _ = try await test.stage.importFaces(
          Circle.file([46, 47, 134, 136], prefix: "more"))
        #expect(try await test.stage.assign().unassigned == 4)
        let many = try await report(test)
        #expect(many.signals.first { $0.name == "pool_share" }?.value == 9.0 / 23)
        #expect(fired(many).contains("pool_share"))
        #expect(many.status == .stale)
      }
    }

    /// However many faces wait for an answer after them.
    @Test func driftIsThatOfArrivalsWithACluster() async throws {
      try await run { test in
        _ = try await test.stage.importFaces(
          Circle.file((0..<25).map { Double($0 % 12) }, prefix: "new"))
        #expect(try await test.stage.assign().unassigned == 0)
        let before = try await report(test).signals.first { $0.name == "drift" }?.value
        #expect(before != nil)
        _ = try await test.stage.importFaces(
          Circle.file([Double](repeating: 45, count: 520), prefix: "late"))
        try await test.pool.query(
          """
          UPDATE person_detection SET cluster_status = 'pending', assigned_tier = 'epsilon_ball',
            assigned_run_id = 1 WHERE external_id LIKE 'late%'
          """)
        let after = try await report(test).signals.first { $0.name == "drift" }?.value
        #expect(after == before)
        // What was written past the stage is not there when everything is checked.
        try await test.pool.query("DELETE FROM person_detection WHERE external_id LIKE 'late%'")
      }
    }

    @Test func aModelThatCannotBeReadFires() async throws {
      try await run { test in
        try await test.pool.query(
          """
          UPDATE hdbscan_run SET clusterer_state =
            set_byte(clusterer_state, octet_length(clusterer_state) - 9, 77)
          """)
        let damaged = try await report(test)
        #expect(fired(damaged) == ["model_readable"])
        #expect(damaged.signals.first { $0.name == "model_readable" }?.value == 0)
        #expect(damaged.status == .stale)
      }
    }

    /// The server tells whether a model is whole; where it is not the one that was written, or nothing
    /// says which was, the model itself is read.
    @Test func aModelIsJudgedWhoeverWroteIt() async throws {
      try await run { test in
        func readable() async throws -> Bool {
          let report = try await report(test)
          return report.signals.first { $0.name == "model_readable" }?.value == 1
        }
        try await test.pool.query("CREATE TABLE kept AS SELECT * FROM hdbscan_run")
        for (change, isReadable) in [
          // Of an older program, which noted no checksum.
          ("clusterer_state_sha256 = NULL", true),
          ("clusterer_state = '\\x00', clusterer_state_sha256 = NULL", false),
          // Damage in the tensors, far from the header.
          (
            "clusterer_state = set_byte(clusterer_state, octet_length(clusterer_state) - 9, 77)",
            false
          ),
          // Written whole, by a program of another time.
          (
            """
            clusterer_state = other.blob, clusterer_state_sha256 = sha256(other.blob)
            FROM (SELECT decode(replace(encode(clusterer_state, 'hex'), encode('"format":"1"', 'hex'),
              encode('"format":"9"', 'hex')), 'hex') AS blob FROM kept) other
            """, false
          ),
          ("label_to_cluster_id = '[]'", false), ("label_to_cluster_id = '{\"0\": \"x\"}'", false),
          ("label_to_cluster_id = '{\"+0\": 1}'", false),
          ("label_to_cluster_id = '{\"99999\": 1}'", false),
        ] {
          try await test.pool.query("UPDATE hdbscan_run SET \(change)")
          #expect(try await readable() == isReadable, "\(change)")
          try await test.pool.query(
            """
            UPDATE hdbscan_run r SET clusterer_state = k.clusterer_state,
              clusterer_state_sha256 = k.clusterer_state_sha256,
              label_to_cluster_id = k.label_to_cluster_id FROM kept k
            """)
          #expect(try await readable())
        }
      }
    }

    @Test func aRunWhoseProcessDiedIsSettledAndOneThatLivesIsNot() async throws {
      try await run { test in
        try await test.pool.query(
          """
          INSERT INTO hdbscan_run (collection_id, status, embedding_model, min_cluster_size,
            min_samples) VALUES ($1, 'running', 'test', 3, 2)
          """, [.int64(test.collection.id)])
        let status = "SELECT status || coalesce(': ' || left(error, 9), '') FROM hdbscan_run "
        let locks = CollectionLocks(test.collection)
        try await test.pool.withConnection { holder in
          #expect(try await holder.transaction { try locks.tryBootstrap(on: $0) })
          _ = try await report(test)
          #expect(try await test.value(status + "WHERE id = 2") == "running")
          try await holder.transaction { try locks.releaseBootstrap(on: $0) }
        }
        #expect(try await report(test).status == .fresh)
        #expect(try await test.value(status + "WHERE id = 2") == "failed: abandoned")
      }
    }

    @Test func oneCollectionThatCannotBeCheckedKeepsNoOtherBack() async throws {
      try await run { test in
        let other = try await TestStage.open(test.pool, collection: "another", dimension: 4)
        _ = try await other.stage.importFaces(Circle.file(Self.angles, prefix: "o"))
        _ = try await other.stage.bootstrap()
        try await test.pool.query(
          "UPDATE hdbscan_run SET parameters = '[]' WHERE collection_id = $1",
          [.int64(other.collection.id)])
        let outcomes = try await FaceClustering.checkStalenessOfAll(
          pool: test.pool, settings: test.stage.settings, now: 0, logger: TestServer.silentLogger)
        #expect(outcomes.map(\.collection) == ["another", "faces"])
        #expect(outcomes.map(\.exitCode) == [3, 0])
      }
    }

    @Test func ageAndAnotherModelFire() async throws {
      try await run { test in
        #expect(try await report(test, daysLater: 89).status == .fresh)
        let old = try await report(test, daysLater: 91)
        #expect(fired(old) == ["age_days"])
        #expect(old.status == .warning)
        try await test.pool.query("UPDATE hdbscan_run SET embedding_model = 'older'")
        #expect(fired(try await report(test)) == ["embedding_model_changed"])
      }
    }
  }
}
