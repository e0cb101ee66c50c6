import HDBSCAN
import PostgresClient
import Store
import TestSupport
import Testing
import Vectors

@testable import FaceClustering

extension OnPostgres {
  /// The stored model: read back exactly, checked, left out where it cannot be used.
  @Suite struct ModelTests {
    private func run(_ body: (TestStage, FaceFixture) async throws -> Void) async throws {
      let fixture = try FaceFixture.load()
      try await TestStage.run { test in
        _ = try await test.stage.importFaces(
          fixture.file(fixture.people.flatMap { $0.prefix(8) }.sorted()))
        _ = try await test.stage.bootstrap()
        try await body(test, fixture)
      }
    }

    private func late(_ fixture: FaceFixture) -> [Int] {
      fixture.people.flatMap { $0.dropFirst(8) }.sorted() + fixture.strangers
    }

    private func active(_ test: TestStage, models: ModelCache = ModelCache()) async throws
      -> ActiveModel
    {
      let (collection, settings) = (test.collection, test.stage.settings)
      return try await test.pool.withTransaction {
        try models.active(of: collection, settings: settings, on: $0)
      }
    }

    @Test func predictingFromTheDatabaseEqualsPredictingInMemory() async throws {
      try await run { test, fixture in
        let snapshot = try await test.stage.faces()
        let clustering = try HDBSCAN.fit(
          .float32(snapshot.embeddings), parameters: test.stage.settings.fitParameters)
        let memory = try PredictionModel(
          points: .float32(snapshot.embeddings), clustering: clustering)
        let loaded = try #require(try await active(test).loaded)
        #expect(loaded.missing == 0)
        let queries = try fixture.embeddings.selecting(rows: late(fixture)).normalised()
        let expected = try memory.predict(.float32(queries))
        #expect(try loaded.model.predict(.float32(queries)) == expected)
        #expect(expected.count { $0.label >= 0 } > 100)
        // A fitted face gets its own label.
        let own = try loaded.model.predict(.float32(snapshot.embeddings))
        #expect(own.map(\.label) == clustering.labels)
        #expect(own.map(\.probability) == clustering.probabilities)
      }
    }

    @Test func aModelOfManyFacesIsSmall() async throws {
      try await run { test, _ in
        let bytes = try #require(
          try await test.value("SELECT octet_length(clusterer_state) FROM hdbscan_run")
            .flatMap { Int($0) })
        #expect(bytes < 36 * 8 * 100 + 4_096)
      }
    }

    @Test func aDamagedModelIsOneLineAndTierTwoTakesOver() async throws {
      try await run { test, fixture in
        _ = try await test.stage.importFaces(fixture.file(late(fixture)))
        for damage in [
          "set_byte(clusterer_state, octet_length(clusterer_state) - 9, 77)",
          "substring(clusterer_state FROM 1 FOR 2000)", "'\\x00'::bytea", "''::bytea",
        ] {
          try await test.pool.query(
            "CREATE TABLE kept AS SELECT clusterer_state AS blob FROM hdbscan_run")
          try await test.pool.query("UPDATE hdbscan_run SET clusterer_state = \(damage)")
          let stage = try await test.reopened()
          let report = try await stage.stage.assign(force: true)
          let reason = try #require(report.tierOneSkipped)
          #expect(reason.hasPrefix("the stored model is unreadable: "))
          #expect(!reason.contains("\n"))
          #expect(reason.hasSuffix("`photodb re-bootstrap` makes a new one"))
          #expect(report.assigned.predict == 0)
          #expect(report.assigned.epsilonBall > 80)
          #expect(try await test.stage.counts().byStatus["new"] == nil)
          try await test.pool.query(
            "UPDATE hdbscan_run SET clusterer_state = (SELECT blob FROM kept)")
          try await test.pool.query("DROP TABLE kept")
        }
        let healed = try await test.reopened().stage.assign(force: true)
        #expect(healed.tierOneSkipped == nil)
        #expect(healed.assigned.predict > 80)
      }
    }

    @Test func deletedFacesAreLeftOutAndTooManyMakeTheModelStale() async throws {
      try await run { test, fixture in
        func delete(_ rows: [Int]) async throws {
          _ = try await test.stage.deleteFaces(externalIDs: rows.map { "face-\($0)" })
        }
        try await delete(fixture.people.map { $0[0] })
        let model = try await active(test)
        #expect(model.skipped == nil)
        #expect(model.loaded?.missing == 36)
        _ = try await test.stage.importFaces(fixture.file(late(fixture)))
        #expect(try await test.reopened().stage.assign().assigned.predict > 80)
        // Two of eight are a quarter, more than the fifth that is allowed.
        try await delete(fixture.people.map { $0[1] })
        let stale = try await active(test)
        #expect(stale.loaded == nil)
        #expect(stale.skipped == "the model is stale: 25 % of its faces were deleted")
        let report = try await test.reopened().stage.assign(force: true)
        #expect(report.assigned.predict == 0)
        #expect(report.assigned.epsilonBall > 80)
      }
    }

    @Test func deletionsAreCountedWhileTheModelIsInMemory() async throws {
      try await run { test, fixture in
        let models = ModelCache(recountAfter: .zero)
        #expect(try await active(test, models: models).loaded?.missing == 0)
        for round in 0..<2 {
          _ = try await test.stage.deleteFaces(
            externalIDs: fixture.people.map { "face-\($0[round])" })
        }
        let stale = try await active(test, models: models)
        #expect(stale.loaded == nil)
        #expect(stale.skipped == "the model is stale: 25 % of its faces were deleted")
        // Between two counts the last one holds.
        let slow = ModelCache(recountAfter: .seconds(600))
        let share = try #require(try await active(test, models: slow).skipped)
        #expect(share.contains("25 %"))
      }
    }

    @Test func deletionsThatTheServerCountedAreNoticed() async throws {
      try await run { test, fixture in
        let models = ModelCache(pause: .zero, recountAfter: .seconds(600))
        #expect(try await active(test, models: models).loaded?.missing == 0)
        _ = try await test.stage.importFaces(fixture.file([fixture.strangers[0]]))
        let gone = fixture.people[0].prefix(2).map { "face-\($0)" }
        #expect(try await test.stage.deleteFaces(externalIDs: gone) == 2)
        // The server tells what it counted when it gets round to it; here a session makes haste.
        let session = try await test.pool.connectionOfItsOwn()
        do {
          try await session.execute(
            script: """
              DELETE FROM person_detection WHERE external_id = 'face-\(fixture.strangers[0])';
              SELECT pg_stat_force_next_flush();
              """)
        } catch {
          await session.close()
          throw error
        }
        await session.close()
        #expect(try await active(test, models: models).loaded?.missing == 2)
      }
    }

    @Test func theCacheReadsABlobOnceARun() async throws {
      try await run { test, fixture in
        let models = ModelCache()
        let first = try #require(try await active(test, models: models).runID)
        // While the run is the same the blob is not looked at again: damage goes unseen.
        try await test.pool.query("UPDATE hdbscan_run SET clusterer_state = ''")
        #expect(try await active(test, models: models).loaded?.runID == first)
        #expect(try await active(test).loaded == nil)
        let second = try #require(try await test.stage.bootstrap().runID)
        #expect(second != first)
        let after = try await active(test, models: models)
        #expect(after.runID == second)
        #expect(after.loaded?.runID == second)
        try await test.pool.query("UPDATE hdbscan_run SET is_active = false")
        let none = try await active(test, models: models)
        #expect(none.runID == nil && none.loaded == nil)
        #expect(none.skipped == "there is no active run")
        try await test.pool.query(
          "UPDATE hdbscan_run SET is_active = true WHERE id = $1", [.int64(second)])
      }
    }

    /// Nobody who reads the map takes a label that the model lacks, or one label twice.
    @Test func aDamagedMapOfLabelsIsOneLineForEveryReader() async throws {
      try await run { test, fixture in
        _ = try await test.stage.importFaces(fixture.file(late(fixture)))
        let map = try #require(
          try await test.value("SELECT label_to_cluster_id FROM hdbscan_run"))
        let stage = test.stage
        let run = try #require(try await active(test).runID)
        let cluster = try #require(
          try await test.value(
            "SELECT min(value::text::bigint) FROM hdbscan_run, jsonb_each(label_to_cluster_id)"
          ).flatMap { Int64($0) })
        for labels in [["0", "+0"], ["00"], ["99999"], ["-1"], ["x"]] {
          let damaged = labels.map { "\"\($0)\": \(cluster)" }.joined(separator: ", ")
          try await test.pool.query(
            "UPDATE hdbscan_run SET label_to_cluster_id = $1", [.json("{\(damaged)}")])
          let report = try await test.reopened().stage.assign(force: true)
          #expect(report.assigned.predict == 0)
          #expect(
            report.tierOneSkipped
              == "the stored model is unreadable: its map of labels names labels that it lacks; "
              + "`photodb re-bootstrap` makes a new one")
          await #expect(throws: StoredModelError.self) {
            try await stage.splitProposal(cluster: cluster)
          }
          await #expect(throws: StoredModelError.self) { try await stage.tree(ofRun: run) }
          await #expect(throws: StoredModelError.self) { try await stage.tree(ofCluster: cluster) }
        }
        try await test.pool.query(
          "UPDATE hdbscan_run SET label_to_cluster_id = $1", [.json(map)])
        #expect(try await stage.tree(ofCluster: cluster).isEmpty == false)
      }
    }

    @Test func aLabelWhoseClusterIsGoneIsAMissOfTheTier() async throws {
      try await run { test, fixture in
        _ = try await test.stage.importFaces(fixture.file(late(fixture)))
        let map = try await test.value("SELECT label_to_cluster_id FROM hdbscan_run")
        try await test.pool.query(
          """
          UPDATE hdbscan_run SET label_to_cluster_id = (SELECT jsonb_object_agg(key, 999999)
            FROM jsonb_each(label_to_cluster_id))
          """)
        let report = try await test.reopened().stage.assign()
        #expect(report.tierOneSkipped == nil)
        #expect(report.assigned.predict == 0)
        #expect(report.assigned.epsilonBall > 80)
        #expect(try await test.stage.counts().byStatus["new"] == nil)
        try await test.pool.query(
          "UPDATE hdbscan_run SET label_to_cluster_id = $1", [.json(try #require(map))])
      }
    }
  }
}
