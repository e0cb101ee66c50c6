import FaceClustering
import Foundation
import HDBSCAN
import PostgresClient
import Store
import Synchronization
import TestSupport
import Testing

extension OnPostgres {
  /// One bootstrap at a time; a failure at any point leaves the old run in charge.
  @Suite struct BootstrapSafetyTests {
    private static let angles = [0.0, 90, 180, 270].flatMap { Circle.person(at: $0) }

    @Test func theSecondOfTwoIsRefusedWithTheFirstsNumber() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(Circle.file(Self.angles))
        let refusals = Mutex<[String]>([])
        let during = once {
          do {
            _ = try await test.stage.bootstrap()
          } catch let error as BootstrapError {
            refusals.withLock { $0.append(error.description) }
          }
        }
        let report = try await test.stage.bootstrap { _ in
          during()
          return true
        }
        let run = try #require(report.runID)
        #expect(
          refusals.withLock { $0 } == [
            "a bootstrap of collection “faces” is already running (run \(run)); "
              + "wait for it or look at `photodb runs list`"
          ])
        #expect(try await test.stage.runs().map(\.id) == [run])
        // And the lock is free again.
        _ = try await test.stage.bootstrap()
      }
    }

    @Test func aHandlerThatSaysNoCancelsTheRunAndTheOldOneStays() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(Circle.file(Self.angles))
        let good = try await test.stage.bootstrap()
        let before = try await test.fingerprint()
        let error = await #expect(throws: BootstrapError.self) {
          try await test.stage.bootstrap { _ in false }
        }
        #expect(
          error?.description == "run 2 of collection “faces” was cancelled; nothing was changed")
        #expect(try await test.fingerprint() == before)
        let runs = try await test.stage.runs()
        #expect(runs.map(\.status) == ["cancelled", "completed"])
        #expect(runs.map(\.isActive) == [false, true])
        #expect(runs[1].id == good.runID)
        #expect(runs[0].error == "cancelled by its caller")
        #expect(runs[0].finishedAt != nil)
        let dry = await #expect(throws: BootstrapError.self) {
          try await test.stage.bootstrap(dryRun: true) { _ in false }
        }
        #expect(dry?.description.hasPrefix("the bootstrap of collection") ?? false)
      }
    }

    @Test func aTaskThatIsCancelledLeavesACancelledRun() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(Circle.file(Self.angles))
        _ = try await test.stage.bootstrap()
        let before = try await test.fingerprint()
        let fitting = Mutex(false)
        let cancelled = Mutex(false)
        let task = Task {
          try await test.stage.bootstrap { _ in
            fitting.withLock { $0 = true }
            // The cancellation comes while it fits.
            while !cancelled.withLock({ $0 }) { usleep(5_000) }
            return true
          }
        }
        while !fitting.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(5)) }
        task.cancel()
        cancelled.withLock { $0 = true }
        let error = await #expect(throws: BootstrapError.self) { try await task.value }
        #expect(error?.description.hasPrefix("run 2 of") ?? false)
        #expect(try await test.fingerprint() == before)
        let runs = try await test.stage.runs()
        #expect(runs.map(\.status) == ["cancelled", "completed"])
        #expect(runs.map(\.isActive) == [false, true])
        // The lock is free, and the next one is not disturbed.
        #expect(try await test.stage.bootstrap().runID == 3)
      }
    }

    @Test func theFirstsNumberIsWaitedForAMoment() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(Circle.file(Self.angles))
        let locks = CollectionLocks(test.collection)
        let holder = try await PostgresConnection.connect(
          test.pool.configuration, logger: TestServer.silentLogger)
        #expect(try await holder.transaction { try locks.tryBootstrap(on: $0) })
        func refusal() async -> String? {
          await #expect(throws: BootstrapError.self) { try await test.stage.bootstrap() }?
            .description
        }
        let nameless = await refusal()
        #expect(nameless?.contains("already running, which has no number yet;") ?? false)
        // Whoever is cancelled while waiting has made no run.
        let impatient = Task { try await test.stage.bootstrap() }
        impatient.cancel()
        let cancelled = await #expect(throws: BootstrapError.self) { try await impatient.value }
        #expect(
          cancelled?.description
            == "the bootstrap of collection “faces” was cancelled; nothing was changed")
        // On a busy machine the number may come too late; then once more.
        var isNamed = false
        for _ in 0..<20 where !isNamed {
          try await test.pool.query("DELETE FROM hdbscan_run")
          async let late = refusal()
          try await Task.sleep(for: .milliseconds(100))
          try await test.pool.query(
            """
            INSERT INTO hdbscan_run (collection_id, id, status, embedding_model, min_cluster_size,
              min_samples) VALUES ($1, 77, 'running', 'test', 3, 2)
            """, [.int64(test.collection.id)])
          isNamed = await late?.contains("already running (run 77);") ?? false
        }
        #expect(isNamed)
        // A lock that is let go within that time is taken.
        try await test.pool.query("DELETE FROM hdbscan_run")
        async let third = test.stage.bootstrap()
        await holder.close()
        #expect(try await third.runID == 1)
      }
    }

    @Test func aFailingWriteRollsEverythingBack() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(Circle.file(Self.angles))
        _ = try await test.stage.bootstrap()
        let before = try await test.fingerprint()
        _ = try await test.stage.importFaces(Circle.file(Circle.person(at: 45), prefix: "new"))
        // The last thing that is written is refused: everything before it must be undone.
        try await test.pool.query(
          """
          ALTER TABLE hdbscan_run ADD CONSTRAINT no_second_run CHECK (id < 2 OR status <> 'completed')
          """)
        await #expect(throws: PostgresError.self) { try await test.stage.bootstrap() }
        try await test.pool.query("ALTER TABLE hdbscan_run DROP CONSTRAINT no_second_run")
        #expect(
          try await test.stage.deleteFaces(externalIDs: (0..<6).map { "new-\($0)" }) == 6)
        #expect(try await test.fingerprint() == before)
        let failed = try await test.stage.runs()[0]
        #expect(failed.status == "failed")
        #expect(try #require(failed.error).contains("no_second_run"))
      }
    }

    @Test func aRunWhoseProcessDiedIsMarkedFailed() async throws {
      try await TestStage.run(dimension: 4) { test in
        let insert = """
          INSERT INTO hdbscan_run (collection_id, status, embedding_model, min_cluster_size,
            min_samples) VALUES ($1, 'running', 'test', 3, 2) RETURNING id
          """
        let id: [PostgresValue] = [.int64(test.collection.id)]
        _ = try await test.pool.query(insert, id)
        let seen = try await test.stage.runs()
        #expect(seen.map(\.status) == ["failed"])
        #expect(seen[0].error == "abandoned: the process that ran it ended before it was done")
        _ = try await test.pool.query(insert, id)
        _ = try await test.stage.importFaces(Circle.file(Self.angles))
        _ = try await test.stage.bootstrap()
        #expect(try await test.stage.runs().map(\.status) == ["completed", "failed", "failed"])
      }
    }

    @Test func aBootstrapThatLostItsPlaceWritesNothing() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(Circle.file(Self.angles))
        let other = Mutex<Int64?>(nil)
        // The session that holds the lock is cut; another bootstrap comes first.
        let during = once {
          try await test.pool.query(
            """
            SELECT pg_terminate_backend(pid) FROM pg_locks
            WHERE locktype = 'advisory' AND database =
              (SELECT oid FROM pg_database WHERE datname = current_database())
            """)
          let report = try await test.stage.bootstrap()
          other.withLock { $0 = report.runID }
        }
        let error = await #expect(throws: BootstrapError.self) {
          try await test.stage.bootstrap { _ in
            during()
            return true
          }
        }
        #expect(try #require(error?.description).contains("run 1 lost its place"))
        let runs = try await test.stage.runs()
        #expect(runs.map(\.status) == ["completed", "failed"])
        #expect(runs.first { $0.isActive }?.id == other.withLock { $0 })
      }
    }

    @Test func aRunThatLosesItsLockWhileItWritesIsNotMarkedAbandoned() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(Circle.file(Self.angles))
        _ = try await test.stage.bootstrap()
        _ = try await test.stage.importFaces(Circle.file(Circle.person(at: 45), prefix: "new"))
        // Somebody holds what the second run is about to write, as who moves faces does.
        let other = try await test.pool.connectionOfItsOwn()
        try await other.query("BEGIN")
        try await other.query("SELECT FROM cluster FOR NO KEY UPDATE")
        let stage = test.stage
        let second = Task { try await stage.bootstrap() }
        try await eventually("the run writes") { try await test.somebodyWaitsForALock() }
        // The session that holds the lock of bootstraps is cut, and somebody looks for the abandoned.
        try await test.pool.query(
          """
          SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'
            AND classid::bigint = x'70646201'::bigint AND database =
              (SELECT oid FROM pg_database WHERE datname = current_database())
          """)
        let looking = Task { try await stage.runs() }
        try await Task.sleep(for: .milliseconds(300))
        try await other.query("ROLLBACK")
        await other.close()
        #expect(try await second.value.runID == 2)
        _ = try await looking.value
        #expect(try await stage.runs().map(\.status) == ["completed", "completed"])
      }
    }

    @Test func whatHappensDuringTheFitIsNeitherLostNorOverwritten() async throws {
      let fixture = try FaceFixture.load()
      try await TestStage.run { test in
        _ = try await test.stage.importFaces(
          fixture.file(fixture.people.flatMap { $0.prefix(8) }.sorted()))
        _ = try await test.stage.bootstrap()
        let target = try #require(
          try await test.faces()["face-\(fixture.people[1][0])"]?.clusterID)
        let moved = "face-\(fixture.people[0][0])"
        let deleted = "face-\(fixture.people[2][0])"
        let during = once {
          // Arrivals that are assigned, one that is not yet, a correction, and a deletion.
          _ = try await test.stage.importFaces(
            fixture.file(fixture.people.flatMap { $0.dropFirst(8) }.sorted()))
          _ = try await test.stage.assign()
          _ = try await test.stage.importFaces(fixture.file([fixture.strangers[0]]))
          _ = try await test.stage.assign(externalID: moved, to: .cluster(target))
          _ = try await test.stage.deleteFaces(externalIDs: [deleted])
        }
        let beforeFit = try await test.faces()
        let report = try await test.stage.bootstrap { _ in
          during()
          return true
        }
        try await test.expectInvariants()
        #expect(report.embeddingCount == 36 * 8)
        let after = try await test.faces()
        #expect(after[moved]?.status == "manual")
        #expect(after[moved]?.clusterID == target)
        #expect(after[deleted] == nil)
        #expect(after["face-\(fixture.strangers[0])"]?.status == nil)
        let late = fixture.people.flatMap { $0.dropFirst(8) }.compactMap { after["face-\($0)"] }
        #expect(late.count == 36 * 4)
        #expect(late.count { $0.status == "auto" } > 100)
        // Those without a cluster are tried again, for the clusters are others now.
        #expect(late.allSatisfy { $0.status == "auto" || $0.status == nil })
        // Those that had a place keep it.
        let stayed = beforeFit.filter { after[$0.key]?.clusterID == $0.value.clusterID }
        #expect(stayed.count >= beforeFit.count - 2)
        _ = try await test.stage.assign()
        #expect(try await test.stage.counts().byStatus["new"] == nil)
      }
    }
  }
}
