import PostgresClient
import Store
import Synchronization
import TestSupport
import Testing

@testable import FaceClustering

extension OnPostgres {
  /// Predictions made ahead of a claim count only for the faces and the model they were made for.
  @Suite struct ForesightTests {
    /// Seven faces of everyone fitted, and all others new.
    private func stage(_ body: (TestStage, Assigner) async throws -> Void) async throws {
      let fixture = try FaceFixture.load()
      let early = fixture.people.flatMap { $0.prefix(7) }.sorted()
      let late = fixture.identities.indices.filter { !early.contains($0) }
      try await TestStage.run { test in
        _ = try await test.stage.importFaces(fixture.file(early))
        _ = try await test.stage.bootstrap()
        _ = try await test.stage.importFaces(fixture.file(late))
        try await body(
          test,
          Assigner(
            collection: test.collection, settings: test.stage.settings, models: ModelCache(),
            threads: 2, force: false, batchSize: 100))
      }
    }

    @Test func aFullBatchTellsWhereTheNextOneBegins() async throws {
      try await stage { test, assigner in
        let told = Mutex<[Int64]>([])
        let first = try await test.pool.withTransaction {
          try assigner.assign(
            after: 0, didPredict: { last in told.withLock { $0.append(last) } }, on: $0)
        }
        #expect(first.faces == 100 && first.foreseen == 0)
        #expect(told.withLock { $0 } == [first.lastID])
        let foreseen = try #require(
          try await Foresight.look(after: first.lastID, for: assigner, test.pool))
        let second = try await test.pool.withTransaction {
          try assigner.assign(
            after: first.lastID, foreseen: foreseen,
            didPredict: { last in told.withLock { $0.append(last) } }, on: $0)
        }
        #expect(second.faces == 100 && second.foreseen == 100)
        #expect(told.withLock { $0 } == [first.lastID, second.lastID])
        // All are decided: nobody is left to foresee anything of.
        _ = try await test.stage.assign()
        #expect(try await Foresight.look(after: 0, for: assigner, test.pool) == nil)
      }
    }

    @Test func aRunHandsOnWhatItForesaw() async throws {
      try await stage { test, assigner in
        let log = CollectedLog()
        let report = try await AssignmentRun(
          pool: test.pool, assigner: assigner, logger: log.logger
        ).run(progress: nil)
        let batches = (report.total + 99) / 100
        #expect(batches > 3)
        let said = log.lines.filter { $0.contains("were predicted beside") }
        // But for the first batch; faces in the last may be fewer.
        #expect(said.count == batches - 1)
        #expect(said.dropLast().allSatisfy { $0.hasPrefix("debug 100 of 100 ") })
      }
    }

    @Test func whatChangedSinceIsPredictedAnew() async throws {
      try await stage { test, assigner in
        let foreseen = try #require(try await Foresight.look(after: 0, for: assigner, test.pool))
        let new = try await test.pool.query(
          "SELECT id FROM person_detection WHERE cluster_status IS NULL ORDER BY id LIMIT 100"
        ).map { try $0.int64(0) }
        // Somebody overwrites one vector by another, and somebody says who one more face is.
        try await test.pool.query(
          """
          UPDATE face_embedding SET embedding =
            (SELECT embedding FROM face_embedding WHERE detection_id = $2) WHERE detection_id = $1
          """, [.int64(new[3]), .int64(new[70])])
        let known = try #require(
          try await test.faces().values.first { $0.detectionID == new[5] })
        _ = try await test.stage.assign(externalID: known.externalID, to: .newPerson(name: nil))
        let batch = try await test.pool.withTransaction {
          try assigner.assign(after: 0, foreseen: foreseen, on: $0)
        }
        // One more face than was foreseen came in, and one vector is another.
        #expect(batch.faces == 100 && batch.foreseen == 98)
        let faces = try await test.faces().values
        let (changed, like) = (
          try #require(faces.first { $0.detectionID == new[3] }),
          try #require(faces.first { $0.detectionID == new[70] })
        )
        #expect(changed.status == like.status && changed.clusterID == like.clusterID)
        #expect(changed.confidence == like.confidence)
      }
    }

    @Test func aModelIsReadBeforeAnythingIsLocked() async throws {
      try await stage { test, assigner in
        let claim: @Sendable (isolated PostgresConnection) throws -> Int = {
          try assigner.assign(after: 0, mayRead: false, on: $0).faces
        }
        await #expect(throws: ModelNotRead.self) {
          try await test.pool.withTransaction { try claim($0) }
        }
        _ = try await test.pool.withTransaction {
          try assigner.models.active(
            of: assigner.collection, settings: assigner.settings, on: $0
          ).runID
        }
        #expect(try await test.pool.withTransaction { try claim($0) } == 100)
        // Another run is in charge: its model is another.
        _ = try await test.stage.bootstrap()
        _ = try await test.stage.importFaces(Self.copies(of: 120))
        await #expect(throws: ModelNotRead.self) {
          try await test.pool.withTransaction { try claim($0) }
        }
        let report = try await test.stage.assign()
        #expect(report.tierOneSkipped == nil && report.runID != nil)
      }
    }

    /// The first faces again, under other ids.
    private static func copies(of count: Int) throws -> FaceFile {
      var file = try FaceFixture.load().file(Array(0..<count))
      for index in file.faces.indices { file.faces[index].externalID = "again-\(index)" }
      return file
    }

    @Test func aPredictionOfAnotherRunIsNotUsed() async throws {
      try await stage { test, assigner in
        let foreseen = try #require(try await Foresight.look(after: 0, for: assigner, test.pool))
        _ = try await test.stage.bootstrap()
        _ = try await test.stage.importFaces(Self.copies(of: 120))
        let batch = try await test.pool.withTransaction {
          try assigner.assign(after: 0, foreseen: foreseen, on: $0)
        }
        #expect(batch.faces == 100 && batch.foreseen == 0)
      }
    }
  }
}
