import PostgresClient
import Store
import TestSupport
import Testing
import Vectors

@testable import FaceClustering

extension OnPostgres {
  /// The pool that a process remembers is the one that the database holds, whoever changes it.
  @Suite struct KnownPoolTests {
    /// A stage that knows the pool, which has one face, and will not look at it as a whole again.
    private func knowing(
      _ body: (_ test: TestStage, _ other: TestStage) async throws -> Void
    ) async throws {
      try await TestStage.run(dimension: 4) { test in
        let test = try await test.reopened(models: ModelCache(recountAfter: .seconds(600)))
        _ = try await test.stage.importFaces(Circle.file([200], prefix: "lonely"))
        _ = try await test.stage.assign()
        try await body(test, try await test.reopened())
      }
    }

    private func arrive(
      _ degrees: [Double], _ prefix: String, through test: TestStage
    ) async throws -> AssignmentReport {
      _ = try await test.stage.importFaces(Circle.file(degrees, prefix: prefix))
      return try await test.stage.assign()
    }

    @Test func whoJoinsThroughAnotherProcessIsKnown() async throws {
      try await knowing { test, other in
        #expect(try await arrive([10, 11, 12, 13], "a", through: other).newClusters == 0)
        let report = try await arrive([14], "b", through: test)
        #expect(report.newClusters == 1)
        #expect(report.assigned.pool == 5)
      }
    }

    /// Four faces wait; a preview that puts two of them elsewhere leaves all for the group of the fifth.
    private func expectNothingHidden(byPreviewIn test: TestStage) async throws {
      _ = try await test.stage.assign(
        externalIDs: ["a-0", "a-1"], to: .newPerson(name: nil), dryRun: true)
      let report = try await arrive([14], "b", through: test)
      #expect(report.newClusters == 1)
      #expect(report.assigned.pool == 5)
    }

    @Test func aPreviewIsNotRemembered() async throws {
      try await knowing { test, other in
        #expect(try await arrive([10, 11, 12, 13], "a", through: other).newClusters == 0)
        try await expectNothingHidden(byPreviewIn: test)
      }
    }

    @Test func aFirstLookInAPreviewIsNotRemembered() async throws {
      try await TestStage.run(dimension: 4) { test in
        let other = try await test.reopened()
        #expect(try await arrive([10, 11, 12, 13], "a", through: other).newClusters == 0)
        let test = try await test.reopened(models: ModelCache(recountAfter: .seconds(600)))
        try await expectNothingHidden(byPreviewIn: test)
      }
    }

    @Test func aVectorThatWasReplacedIsFoundOnceTheServerCountedIt() async throws {
      try await TestStage.run(dimension: 4) { test in
        let test = try await test.reopened(
          models: ModelCache(pause: .zero, recountAfter: .seconds(600)))
        _ = try await arrive([100, 101, 102, 103, 200], "a", through: test)
        let session = try await test.pool.connectionOfItsOwn()
        do {
          try await session.execute(
            script: """
              CREATE TEMPORARY TABLE replaced AS SELECT * FROM face_embedding
                WHERE detection_id = (SELECT id FROM person_detection WHERE external_id = 'a-4');
              DELETE FROM face_embedding
                WHERE detection_id = (SELECT detection_id FROM replaced);
              UPDATE replaced SET embedding = (SELECT embedding FROM face_embedding
                JOIN person_detection ON id = detection_id WHERE external_id = 'a-0');
              INSERT INTO face_embedding SELECT * FROM replaced;
              SELECT pg_stat_force_next_flush();
              """)
        } catch {
          await session.close()
          throw error
        }
        await session.close()
        #expect(try await arrive([104], "c", through: test).assigned.pool == 6)
      }
    }

    @Test func whoLeftOrWasDeletedIsNotTaken() async throws {
      try await knowing { test, other in
        #expect(try await arrive([10, 11, 12, 13], "a", through: test).newClusters == 0)
        // Far enough that its new cluster takes nobody else.
        _ = try await other.stage.assign(externalID: "a-0", to: .newPerson(name: "Ann"))
        try await other.pool.query("UPDATE cluster SET epsilon = 0")
        #expect(try await other.stage.deleteFaces(externalIDs: ["a-1"]) == 1)
        #expect(try await arrive([14], "b", through: test).newClusters == 0)
        let report = try await arrive([15, 16], "c", through: test)
        #expect(report.assigned.pool == 5)
        #expect(try await test.faces()["a-0"]?.status == "manual")
      }
    }

    @Test func whoWasPutAsideOrGoesBackByUndoIsKnown() async throws {
      try await knowing { test, other in
        #expect(try await arrive([10, 11, 12, 13], "a", through: test).newClusters == 0)
        for face in 0..<4 {
          _ = try await other.stage.assign(externalID: "a-\(face)", to: .newPerson(name: nil))
        }
        try await other.pool.query("UPDATE cluster SET epsilon = 0")
        #expect(try await arrive([14], "b", through: test).newClusters == 0)
        // The pool as `test` knows it is written anew, so that only who comes back makes five.
        let fresh = try await test.reopened(models: ModelCache(recountAfter: .seconds(600)))
        _ = try await arrive([210], "c", through: fresh)
        _ = try await other.stage.reject(externalIDs: ["a-0", "a-1"])
        for _ in 0..<1 { _ = try await other.stage.undo() }
        #expect(try await other.faces()["a-0"]?.status == "manual")
        _ = try await other.stage.reject(externalIDs: ["a-0", "a-1"])
        #expect(try await arrive([13.5], "d", through: fresh).newClusters == 0)
        let report = try await arrive([14.5], "e", through: fresh)
        #expect(report.newClusters == 1)
        #expect(report.assigned.pool == 5)
      }
    }

    @Test func aVectorThatChangedIsLookedAtWhereItMatters() async throws {
      try await knowing { test, other in
        #expect(try await arrive([10, 11, 12, 13], "a", through: test).newClusters == 0)
        try await other.pool.query(
          """
          UPDATE face_embedding SET embedding = (SELECT embedding FROM face_embedding
            JOIN person_detection ON id = detection_id WHERE external_id = 'lonely-0')
          WHERE detection_id = (SELECT id FROM person_detection WHERE external_id = 'a-0')
          """)
        #expect(try await arrive([14], "b", through: test).newClusters == 0)
        try await other.pool.query(
          """
          UPDATE face_embedding SET embedding = decode(repeat('00', 16), 'hex')
          WHERE detection_id = (SELECT id FROM person_detection WHERE external_id = 'a-1')
          """)
        let spoilt = try await arrive([15], "c", through: test)
        #expect(spoilt.newClusters == 0)
        #expect(spoilt.invalidFaces.map(\.externalID) == ["a-1"])
        #expect(try await arrive([16], "d", through: test).assigned.pool == 5)
      }
    }

    @Test func aVectorThatChangedIsFoundInTime() async throws {
      try await TestStage.run(dimension: 4) { test in
        let test = try await test.reopened(models: ModelCache(recountAfter: .zero))
        _ = try await arrive([100, 101, 102, 103, 200], "a", through: test)
        try await test.pool.query(
          """
          UPDATE face_embedding SET embedding = (SELECT embedding FROM face_embedding
            JOIN person_detection ON id = detection_id WHERE external_id = 'a-0')
          WHERE detection_id = (SELECT id FROM person_detection WHERE external_id = 'a-4')
          """)
        // Nobody new is near: the seed alone is looked around.
        #expect(try await arrive([300], "b", through: test).newClusters == 0)
        #expect(try await arrive([104], "c", through: test).assigned.pool == 6)
      }
    }

    /// After any history, what is remembered and asked for what joined holds all who are in the pool.
    @Test func nobodyIsMissingAfterRunsComeAndGo() async throws {
      try await knowing { test, other in
        let reader = FaceReader(test.collection)
        var known = try await test.pool.withTransaction { try reader.pool(since: nil, on: $0).pool }
        func check(_ step: String) async throws {
          let before = known
          let (after, whole) = try await test.pool.withTransaction {
            (try reader.pool(since: before, on: $0).pool, try reader.pool(on: $0))
          }
          known = after
          let found = after.faces(Set(whole.ids))
          #expect(found.ids == whole.ids, "\(step)")
          for row in whole.ids.indices {
            #expect(found.embeddings.values(ofRow: row) == whole.embeddings.values(ofRow: row))
          }
        }
        _ = try await arrive(
          Circle.person(at: 10) + Circle.person(at: 90) + [150, 160, 170], "a", through: other)
        try await check("assign")
        _ = try await other.stage.bootstrap()
        try await check("bootstrap")
        _ = try await arrive([11, 180, 185], "b", through: other)
        _ = try await other.stage.reject(externalIDs: ["a-1"])
        try await check("reject")
        _ = try await other.stage.bootstrap()
        _ = try await other.stage.assign()
        try await check("another bootstrap")
        _ = try await other.stage.deleteFaces(externalIDs: ["a-13"])
        _ = try await other.stage.activate(run: 1)
        try await check("activate")
        _ = try await other.stage.assign(force: true)
        try await check("force")
      }
    }

    /// A burst, people and strangers wait: more faces than are looked at together.
    @Test func whoMayBeInAGroupIsToldByTheDefinition() async throws {
      let fixture = try FaceFixture.load()
      let burst = [Int](repeating: fixture.strangers[0], count: 600)
      let rows = Array(fixture.identities.indices) + burst
      var settings = StageSettings()
      settings.unassignedClusterThreshold = 10_000
      try await TestStage.run(settings: settings) { test in
        _ = try await test.stage.importFaces(
          FaceFile(
            faces: rows.indices.map { IncomingFace(externalID: "\($0)", photo: "\($0)") },
            rows: Array(rows.indices), embeddings: fixture.embeddings.selecting(rows: rows)))
        _ = try await test.stage.assign()
        let groups = PoolGroups(
          radius: CosineDistance(0.315), minimum: 5, samePhotoExclusion: true, threads: 2)
        let collection = test.collection
        let (faces, new) = try await test.pool.withTransaction { connection in
          let known = try ModelCache().pool(of: collection, on: connection)
          let whole = known.faces.parts[0]
          #expect(whole.ids.count == rows.count)
          // All faces but every seventh are new.
          let new = whole.ids.filter { $0 % 7 > 0 }
          var expected: Set<Int64> = []
          for seed in whole.ids.indices where whole.ids[seed] % 7 > 0 {
            let near = whole.ids.indices.filter {
              NearClusters.distance(whole.embeddings, seed, whole.embeddings, $0) <= groups.radius
            }
            if near.count >= groups.minimum { expected.formUnion(near.map { whole.ids[$0] }) }
          }
          #expect(expected.count > 600 && expected.count < rows.count)
          for screen in [nil, known.screen.screen] {
            #expect(
              try groups.candidates(in: known.faces, screen: screen, newIDs: Set(new)) == expected)
          }
          return (known.faces, new)
        }
        let cancelled = Task {
          withUnsafeCurrentTask { $0?.cancel() }
          return try groups.candidates(in: faces, newIDs: Set(new))
        }
        await #expect(throws: CancellationError.self) { try await cancelled.value }
      }
    }
  }
}
