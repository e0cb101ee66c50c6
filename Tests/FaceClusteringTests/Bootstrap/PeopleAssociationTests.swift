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
    ///
    /// The larger, older one is 1. Faces 0 to 5 are of cluster 1, 6 to 11 of cluster 2; cluster 3, of person 20 as
    /// well, is empty.
    private func joined(
      drawn: Set<Int64> = [], prohibitions: Prohibitions = Prohibitions(),
      keptApart: [(Int64, Int64)] = [], isThirdVerified: Bool = false, asked: [Int64] = []
    ) throws -> BootstrapPlan {
      let angles = Circle.person(at: 0) + Circle.person(at: 90)
      let embeddings = Matrix<Float>(angles.map(Circle.vector))
      let ids = angles.indices.map(Int64.init)
      let clustering = try HDBSCAN.fit(.float32(embeddings), parameters: Parameters())
      var found = FoundClusters(clustering)
      found.persons = [0, 0]
      found.surplus = [0, 0]
      found.births = [1, 1]
      var live = LiveClusters()
      live.ids = [1, 2, 3]
      live.personIDs = [10, 20, 20]
      live.personNames = [nil, nil, nil]
      live.faceCounts = [6, 6, 0]
      live.verified = [false, false, isThirdVerified]
      let blank = ids.map { _ in nil as Int64? }
      let nobody = FaceSnapshot(
        ids: [], photoIDs: [], statuses: [], clusterIDs: [], embeddings: Matrix([]))
      let input = BootstrapInput(
        settings: StageSettings(),
        snapshot: FaceSnapshot(
          ids: ids, photoIDs: blank, statuses: ids.map { _ in nil }, clusterIDs: blank,
          embeddings: embeddings), leftOut: nobody, clustering: clustering, found: found,
        states: [], outside: nobody,
        live: live, prohibitions: prohibitions, promisedPersons: drawn, keptApart: keptApart)
      var plan = BootstrapPlan()
      plan.clusters = (0..<2).map { label in
        PlannedCluster(
          existingID: live.ids[label], label: label, faces: Array(ids[6 * label..<6 * label + 6]),
          facts: MemberFacts.facts(
            of: (0..<6).map {
              Member(
                detectionID: ids[6 * label + $0], embeddings: embeddings, row: 6 * label + $0,
                isCore: false)
            }, dimension: 4, epsilon: CosineDistance(0.1), lambdaBirth: 1, persistence: 1,
            origin: "bootstrap"))
      }
      plan.questions = asked.map { PlannedQuestion(detectionID: $0, cluster: 1, similarity: 0.5) }
      PeopleAssociation(input).apply(to: &plan)
      AnsweredQuestions.drop(from: &plan, input)
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

    @Test func whatWasSaidOfFacesOnEitherSideKeepsClustersApart() throws {
      var person = Prohibitions()
      person.persons = [2: [20]]
      var cluster = Prohibitions()
      cluster.clusters = [7: [1]]
      var pair = Prohibitions()
      pair.detections = [3: [9], 9: [3]]
      for said in [person, cluster, pair] {
        let plan = try joined(prohibitions: said)
        #expect(plan.clusters.allSatisfy { $0.movesToPersonID == nil && $0.surplus == nil })
      }
      // People took back that the two are one.
      #expect(try joined(keptApart: [(20, 10)]).clusters.allSatisfy { $0.movesToPersonID == nil })
      var elsewhere = Prohibitions()
      elsewhere.persons = [2: [30]]
      #expect(
        try joined(prohibitions: elsewhere).clusters.compactMap(\.movesToPersonID) == [10])
    }

    /// When the questions about cluster 2 were raised, nobody knew that it would be of person 10.
    @Test func aQuestionIsJudgedByThePersonThatItsClusterGoesTo() throws {
      var said = Prohibitions()
      said.clusters = [31: [1]]
      said.persons = [30: [10], 32: [40]]
      // Face 2 is of cluster 1, so it is with that person; of faces 30 and 31 people said that they are not.
      let asked: [Int64] = [2, 30, 31, 32, 33]
      let together = try joined(prohibitions: said, asked: asked)
      #expect(together.clusters.compactMap(\.movesToPersonID) == [10])
      #expect(together.questions.map(\.detectionID) == [32, 33])
      let apart = try joined(prohibitions: said, keptApart: [(10, 20)], asked: asked)
      #expect(apart.questions.map(\.detectionID) == asked)
    }

    @Test func whoIsKnownByOneClusterIsKnownInAll() throws {
      let plan = try joined(isThirdVerified: true)
      #expect(plan.clusters.allSatisfy { $0.movesToPersonID == nil })
      #expect(plan.questions.count == 1)
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
