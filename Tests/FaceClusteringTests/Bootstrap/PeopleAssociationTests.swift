import HDBSCAN
import PersonGrouping
import PostgresClient
import Testing
import Vectors

@testable import FaceClustering
@testable import Store

extension OnPostgres {
  /// Clusters go under one person, and can be taken back.
  @Suite struct PeopleAssociationTests {
    /// Two clusters that live, of persons 10 and 20, which the evidence says are one.
    private func joined(drawn: Set<Int64>) throws -> BootstrapPlan {
      let angles = Circle.person(at: 0) + Circle.person(at: 90)
      let embeddings = Matrix<Float>(angles.map(Circle.vector))
      let ids = angles.indices.map(Int64.init)
      let clustering = try HDBSCAN.fit(.float32(embeddings), parameters: Parameters())
      var found = FoundClusters(clustering)
      found.persons = [0, 0]
      found.surplus = [0, 0]
      found.births = [1, 1]
      var live = LiveClusters()
      live.ids = [1, 2]
      live.personIDs = [10, 20]
      live.personNames = [nil, nil]
      live.faceCounts = [6, 6]
      live.verified = [false, false]
      let blank = ids.map { _ in nil as Int64? }
      let nobody = FaceSnapshot(
        ids: [], photoIDs: [], statuses: [], clusterIDs: [], embeddings: Matrix([]))
      let input = BootstrapInput(
        settings: StageSettings(),
        snapshot: FaceSnapshot(
          ids: ids, photoIDs: blank, statuses: ids.map { _ in nil }, clusterIDs: blank,
          embeddings: embeddings), leftOut: nobody, clustering: clustering, found: found,
        states: [], outside: nobody,
        live: live, prohibitions: Prohibitions(), drawnPersons: drawn)
      var plan = BootstrapPlan()
      plan.clusters = (0..<2).map { label in
        PlannedCluster(
          existingID: live.ids[label], label: label,
          facts: MemberFacts.facts(
            of: (0..<6).map {
              Member(
                detectionID: ids[6 * label + $0], embeddings: embeddings, row: 6 * label + $0,
                isCore: false)
            }, dimension: 4, epsilon: CosineDistance(0.1), lambdaBirth: 1, persistence: 1,
            origin: "bootstrap"))
      }
      PeopleAssociation(input).apply(to: &plan)
      return plan
    }

    @Test func personsThatPeopleDrewAreNeitherJoinedNorTornApart() throws {
      #expect(try joined(drawn: []).clusters.compactMap(\.movesToPersonID) == [10])
      // Merged, separated or split: nothing moves; of one of them a question may be asked.
      for drawn in [[10], [20], [10, 20]] as [Set<Int64>] {
        let plan = try joined(drawn: drawn)
        #expect(plan.clusters.allSatisfy { $0.movesToPersonID == nil })
        #expect(plan.questions.count == (drawn.count == 1 ? 1 : 0))
      }
    }

    @Test func clustersMoveUnderAPersonAndTheLogSaysFromWhere() async throws {
      let fixture = try FaceFixture.load()
      try await TestStage.run { test in
        _ = try await test.stage.importFaces(fixture.file(Array(fixture.identities.indices)))
        let report = try await test.stage.bootstrap()
        let run = try #require(report.runID)
        let collection = test.collection
        try await test.pool.withTransaction { connection in
          let live = try ClusterRepository(collection).live(on: connection)
          // A face of the one was asked about when it came: is it of the other?
          let face = try connection.query(
            """
            UPDATE person_detection SET cluster_status = 'auto', lambda_val = NULL,
              outlier_score = NULL, is_core = false, is_adopted = false
            WHERE id = (SELECT min(id) FROM person_detection WHERE cluster_id = $1)
            RETURNING id
            """, [.int64(live.ids[0])]
          ).single().int64(0)
          try connection.query(
            """
            UPDATE cluster c SET core_count = (SELECT count(*) FROM person_detection d
              WHERE d.cluster_id = c.id AND d.is_core)
            """)
          try connection.query(
            "UPDATE assignment_event SET new_status = 'auto' WHERE detection_id = \(face)")
          try ReviewRepository(collection).ask(
            [
              CandidateQuestion(
                detectionID: face, clusterID: live.ids[1], similarity: 0.5, reason: "verified")
            ], on: connection)
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
        #expect(try await test.value("SELECT status FROM face_match_candidate") == "expired")
      }
    }
  }
}
