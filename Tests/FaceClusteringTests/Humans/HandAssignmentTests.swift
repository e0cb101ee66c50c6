import FaceClustering
import PostgresClient
import Store
import Testing

extension OnPostgres {
  /// What a human says about one face.
  @Suite struct HandAssignmentTests {
    private static let angles = [0.0, 90, 180, 270].flatMap { Circle.person(at: $0) }

    private func run(_ body: (TestStage) async throws -> Void) async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(Circle.file(Self.angles))
        _ = try await test.stage.bootstrap()
        try await body(test)
      }
    }

    @Test func aFaceSaidToBeSomeoneElseIsRefusedUntilThatIsTakenBack() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(
          Circle.file([0.0, 180].flatMap { Circle.person(at: $0) }))
        _ = try await test.stage.bootstrap()
        let faces = try await test.faces()
        let (a, b) = (try #require(faces["face-0"]), try #require(faces["face-6"]))
        let target = try #require(b.clusterID)
        let review = ReviewRepository(test.collection)
        try await test.pool.withTransaction {
          try review.constrain(
            a.detectionID, b.detectionID, mustLink: false, actor: nil, on: $0)
        }
        await #expect(throws: HumanActionError.self) {
          try await test.stage.assign(externalID: "face-0", to: .cluster(target))
        }
        #expect(try await test.faces()["face-0"] == a)
        _ = try await test.stage.assign(externalID: "face-0", to: .cluster(target), anyway: true)
        #expect(try await test.value("SELECT count(*) FROM detection_constraint") == "0")
      }
    }

    @Test func countsAndCentroidsFollowAndEpsilonDoesNot() async throws {
      try await run { test in
        let before = try await test.faces()
        let (old, new) = (
          try #require(before["face-0"]?.clusterID), try #require(before["face-6"]?.clusterID)
        )
        let epsilons = "SELECT jsonb_object_agg(id, ARRAY[epsilon, lambda_birth]) FROM cluster"
        let unchanged = try await test.value(epsilons)
        let done = try await test.stage.assign(
          externalID: "face-0", to: .cluster(new), actor: "ann")
        #expect(done.oldClusterID == old)
        #expect(done.clusterID == new)
        #expect(done.personID == before["face-6"]?.personID)
        let face = try #require(try await test.faces()["face-0"])
        #expect(face.status == "manual")
        #expect(face.confidence == 1)
        #expect(face.tier == "manual")
        #expect(face.lambda == nil && face.outlierScore == nil)
        #expect(face.personID == done.personID)
        #expect(try await test.value(epsilons) == unchanged)
        let counts = try await test.value(
          "SELECT string_agg(face_count::text, ' ' ORDER BY id) FROM cluster WHERE id IN ($1, $2)",
          [.int64(old), .int64(new)])
        #expect(counts == (old < new ? "5 7" : "7 5"))
        #expect(
          try await test.value(
            """
            SELECT actor || ' ' || tier || ' ' || confidence FROM assignment_event
            ORDER BY id DESC LIMIT 1
            """) == "ann manual 1")
        try await test.expectInvariants()
      }
    }

    @Test func confirmingAFaceWhereItIsKeepsCountsRight() async throws {
      try await run { test in
        let cluster = try #require(try await test.faces()["face-2"]?.clusterID)
        #expect(try await test.faces()["face-2"]?.status == "hdbscan_core")
        _ = try await test.stage.assign(externalID: "face-2", to: .cluster(cluster))
        #expect(try await test.faces()["face-2"]?.status == "manual")
        try await test.expectInvariants()
      }
    }

    @Test func noAlgorithmMovesItAfterwards() async throws {
      try await run { test in
        let before = try await test.faces()
        let new = try #require(before["face-6"]?.clusterID)
        _ = try await test.stage.assign(externalID: "face-0", to: .cluster(new))
        let raised = try await test.stage.bootstrap()
        #expect(raised.candidates == 1)
        _ = try await test.stage.assign(force: true)
        _ = try await test.stage.bootstrap()
        let face = try #require(try await test.faces()["face-0"])
        #expect(face.clusterID == new)
        #expect(face.status == "manual")
        // Density disagrees, which is a question and nothing more.
        let asked = try await test.pool.query(
          "SELECT cluster_id, reason, status FROM face_match_candidate")
        #expect(asked.count == 1)
        #expect(try asked[0].int64(0) == before["face-1"]?.clusterID)
        #expect(try asked[0].text(1) == "bootstrap_conflict")
      }
    }

    @Test func whatWasForbiddenIsRefusedUnlessItIsTakenBack() async throws {
      try await run { test in
        let before = try await test.faces()
        let face = try #require(before["face-0"])
        let other = try #require(before["face-6"])
        let cluster = try #require(other.clusterID)
        let review = ReviewRepository(test.collection)
        try await test.pool.withTransaction {
          try review.forbid(
            [(face.detectionID, nil, other.personID)], actor: nil,
            on: $0)
        }
        let error = await #expect(throws: HumanActionError.self) {
          try await test.stage.assign(externalID: "face-0", to: .cluster(cluster))
        }
        #expect(try #require(error?.description).contains("repeat with --anyway"))
        #expect(try await test.faces()["face-0"] == face)
        _ = try await test.stage.assign(
          externalID: "face-0", to: .cluster(cluster), anyway: true)
        #expect(try await test.faces()["face-0"]?.clusterID == cluster)
        #expect(
          try await test.value("SELECT count(*) FROM cluster_person_cannot_link") == "0")
      }
    }

    @Test func newPersonsAndPersonsOfSeveralClusters() async throws {
      try await run { test in
        let made = try await test.stage.assign(
          externalID: "face-0", to: .newPerson(name: "Ann"), actor: "test")
        let people = try await test.stage.people()
        #expect(people.first { $0.name == "Ann" }?.faceCount == 1)
        #expect(
          try await test.value(
            """
            SELECT origin || ' ' || (epsilon IS NULL) || ' ' || (medoid_detection_id = 1)
            FROM cluster WHERE id = $1
            """, [.int64(made.clusterID)]) == "manual true true")
        try await test.expectInvariants()
        // Of Ann's clusters the nearest takes a face: the one at 90° gets a face of 91°.
        let other = try #require(try await test.faces()["face-6"])
        try await test.give(try #require(other.clusterID), toPerson: made.personID)
        let placed = try await test.stage.assign(
          externalID: "face-12", to: .person(made.personID))
        #expect(placed.clusterID == other.clusterID)
      }
    }

    @Test func whatIsNotThereIsNamed() async throws {
      try await run { test in
        await #expect(throws: StoreError.unknownDetection("nobody", collection: "faces")) {
          try await test.stage.assign(externalID: "nobody", to: .newPerson(name: nil))
        }
        await #expect(throws: StoreError.unknownCluster(4711, collection: "faces")) {
          try await test.stage.assign(externalID: "face-0", to: .cluster(4711))
        }
        await #expect(throws: StoreError.unknownPerson(4711, collection: "faces")) {
          try await test.stage.assign(externalID: "face-0", to: .person(4711))
        }
        let gone = try #require(try await test.faces()["face-0"]?.clusterID)
        _ = try await test.stage.deleteFaces(externalIDs: (0..<6).map { "face-\($0)" })
        _ = try await test.stage.bootstrap()
        await #expect(throws: HumanActionError.self) {
          try await test.stage.assign(externalID: "face-6", to: .cluster(gone))
        }
        try await test.pool.query("DELETE FROM face_embedding WHERE detection_id = 13")
        await #expect(throws: HumanActionError.self) {
          try await test.stage.assign(externalID: "face-12", to: .newPerson(name: nil))
        }
        try await test.pool.query(
          """
          UPDATE person_detection SET cluster_id = NULL, person_id = NULL, is_core = false,
            cluster_status = 'invalid', invalid_reason = 'no embedding' WHERE id = 13
          """)
        _ = try await test.stage.bootstrap()
      }
    }

    @Test func handsAndWorkersAtOnceLeaveTheCountsRight() async throws {
      try await run { test in
        let faces = try await test.faces()
        let clusters = Set(faces.values.compactMap(\.clusterID)).sorted()
        _ = try await test.stage.importFaces(
          Circle.file((0..<120).map { Double($0) * 3 }, prefix: "new"))
        try await withThrowingTaskGroup(of: Void.self) { group in
          for worker in 0..<3 {
            group.addTask {
              _ = try await test.reopened().stage.assign(batchSize: 7)
              for turn in 0..<12 {
                _ = try await test.stage.assign(
                  externalID: "face-\((turn * 5 + worker) % 24)",
                  to: .cluster(clusters[(turn + worker) % clusters.count]))
              }
            }
          }
          group.addTask { _ = try await test.stage.bootstrap() }
          try await group.waitForAll()
        }
        try await test.expectInvariants()
        // Whatever the order was, 24 faces at most are manual, and none lost its place.
        let after = try await test.faces()
        #expect(after.values.count { $0.status == "manual" } <= 24)
        #expect(after.values.filter { $0.status == "manual" }.allSatisfy { $0.clusterID != nil })
      }
    }
  }
}
