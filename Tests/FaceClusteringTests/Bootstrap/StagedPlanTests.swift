import Foundation
import PostgresClient
import Store
import Synchronization
import TestSupport
import Testing

@testable import FaceClustering

extension OnPostgres {
  /// A bootstrap plans before it keeps others waiting, and again when nobody can change anything.
  @Suite struct StagedPlanTests {
    private static let angles = [0.0, 90, 180, 270].flatMap { Circle.person(at: $0) }

    /// Everything that can happen after the first plan was brought, and before the second.
    private func meanwhile(
      in test: TestStage, _ other: Int64, on connection: isolated PostgresConnection
    ) throws {
      let actions = HumanActions(
        collection: test.collection, settings: test.stage.settings, actor: "ann")
      _ = try actions.assign(
        externalIDs: ["face-0"], to: .cluster(other), anyway: false, on: connection)
      _ = try actions.reject(externalIDs: ["face-7"], from: nil, on: connection)
      // The last member of a person, and one of another.
      let removal = FaceRemoval(collection: test.collection, settings: test.stage.settings)
      #expect(
        try removal.delete(
          externalIDs: (12..<18).map { "face-\($0)" } + ["face-23"], on: connection) == 7)
    }

    /// A bootstrap, and what happens while it waits to make its second plan.
    private func bootstrap<Value: Sendable>(
      in test: TestStage,
      meanwhile: @Sendable (isolated PostgresConnection) throws -> Value
    ) async throws -> (report: BootstrapReport, value: Value) {
      let task = Mutex<Task<BootstrapReport, any Error>?>(nil)
      let holder = try await test.pool.connectionOfItsOwn()
      let value = try await holder.transaction { connection in
        try CollectionLocks(test.collection).shareMembership(on: connection)
        task.withLock { $0 = Task { try await test.stage.bootstrap() } }
        while try !waiting({ try await test.somebodyWaitsForALock() }) { usleep(5_000) }
        return try meanwhile(connection)
      }
      await holder.close()
      return (try #require(try await task.withLock { $0 }?.value), value)
    }

    @Test func whatHappensBetweenTheTwoPlansStands() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(Circle.file(Self.angles))
        _ = try await test.stage.bootstrap()
        _ = try await test.stage.importFaces(Circle.file([45, 46, 91, 271], prefix: "new"))
        _ = try await test.stage.assign()
        let other = try #require(try await test.faces()["face-6"]?.clusterID)
        let shapes = """
          SELECT string_agg(format('%s %s %s', cluster_id, face_count, reference_centroid), ','
            ORDER BY cluster_id) FROM
          """
        let (report, left) = try await bootstrap(in: test) { connection in
          try meanwhile(in: test, other, on: connection)
          return try connection.query(
            "\(shapes) (SELECT *, id AS cluster_id FROM cluster WHERE retired_at IS NULL) c"
          ).single().text(0)
        }
        let faces = try await test.faces()
        #expect(faces["face-0"]?.clusterID == other)
        #expect(faces["face-0"]?.status == "manual")
        #expect(faces["face-7"]?.clusterID != other)
        #expect(faces["face-12"] == nil)
        #expect(faces.count == Self.angles.count + 4 - 7)
        #expect(report.lineage.died + report.lineage.merged == 1)
        try await test.expectInvariants()
        // What is kept of the run that was left is as it was when it was left.
        #expect(
          try await test.value("\(shapes) hdbscan_run_cluster c WHERE run_id = 1") == left)
        #expect(try await StateTable().violations(in: test) == [])
      }
    }

    /// Vectors of clusters that the server had at the first plan are not sent.
    @Test func vectorsThatWereSpoiltBetweenTheTwoPlansAreWritten() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(Circle.file(Self.angles))
        _ = try await test.stage.bootstrap()
        let before = try await test.fingerprint()
        _ = try await bootstrap(in: test) { connection in
          _ = try connection.query(
            """
            UPDATE cluster SET centroid_sum = decode(repeat('00', 32), 'hex'),
              centroid = decode(repeat('00', 16), 'hex')
            """)
        }
        #expect(try await test.fingerprint() == before)
        try await test.expectInvariants()
      }
    }

    @Test func vectorsThatAreNotWhatTheyShouldBeAreWritten() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(Circle.file(Self.angles))
        _ = try await test.stage.bootstrap()
        let before = try await test.fingerprint()
        let zero = "decode(repeat('00', 32), 'hex')"
        for damage in [
          "centroid_sum = \(zero), centroid = substr(\(zero), 1, 16)",
          "reference_centroid = (SELECT reference_centroid FROM cluster ORDER BY id LIMIT 1)",
        ] {
          try await test.pool.query("UPDATE cluster SET \(damage)")
          _ = try await test.stage.bootstrap()
          #expect(try await test.fingerprint() == before, "\(damage)")
        }
      }
    }
  }
}
