import PersonGrouping
import PostgresClient
import Store
import Testing
import Vectors

@testable import FaceClustering

extension OnPostgres {
  /// Clusters go under one person, and can be taken back.
  @Suite struct PeopleAssociationTests {
    @Test func clustersMoveUnderAPersonAndTheLogSaysFromWhere() async throws {
      let fixture = try FaceFixture.load()
      try await TestStage.run { test in
        _ = try await test.stage.importFaces(fixture.file(Array(fixture.identities.indices)))
        let report = try await test.stage.bootstrap()
        let run = try #require(report.runID)
        let collection = test.collection
        try await test.pool.withTransaction { connection in
          let live = try ClusterRepository(collection).live(on: connection)
          try PersonAssociationRepository(collection).associate(
            [
              PersonAssociation(
                clusterID: live.ids[1], movesToPersonID: live.personIDs[0], surplus: 0.5)
            ], runID: run, on: connection)
        }
        #expect(
          try await test.value(
            """
            SELECT count(*) FROM person_association a
            JOIN cluster c ON c.id = a.cluster_id AND c.person_id = a.new_person_id
            WHERE a.old_person_id <> a.new_person_id
            """) == "1")
        #expect(try await test.stage.people().contains { $0.clusterCount == 2 })
      }
    }
  }
}
