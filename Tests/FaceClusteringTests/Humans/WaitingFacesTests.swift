import PostgresClient
import Store
import Testing

@testable import FaceClustering

extension OnPostgres {
  /// Faces that wait are tried again when why they wait has changed, and workers hear of it.
  @Suite struct WaitingFacesTests {
    /// Everybody within 25° of a person may belong there, unless the gate says otherwise.
    private func bootstrapped(
      people: [Double] = [0, 90, 180, 270], gate: Double = 0.9, threshold: Int = 5,
      _ body: (TestStage) async throws -> Void
    ) async throws {
      var settings = StageSettings()
      settings.gateAbsolute = gate
      settings.unassignedClusterThreshold = threshold
      try await TestStage.run(dimension: 4, settings: settings) { test in
        _ = try await test.stage.importFaces(
          Circle.file(people.flatMap { Circle.person(at: $0) }))
        _ = try await test.stage.bootstrap()
        try await drain(test)
        try await body(test)
      }
    }

    private func arrive(_ file: FaceFile, _ test: TestStage) async throws {
      _ = try await test.stage.importFaces(file)
      try await drain(test)
    }

    /// What workers would do.
    private func drain(_ test: TestStage) async throws {
      _ = try await Worker(
        pool: test.pool, settings: test.stage.settings, logger: test.stage.logger
      ).run(untilDrained: true)
      #expect(try await test.isSettled())
      try await test.expectInvariants()
    }

    private func status(_ face: String, _ test: TestStage) async throws -> String? {
      try await test.faces()[face]?.status
    }

    @Test(arguments: ["reject", "assign", "undo", "delete"])
    func whoWasTwiceInAPhotoIsTriedAgain(deed: String) async throws {
      try await bootstrapped { test in
        var file = Circle.file([0.3, 0.6], prefix: "new")
        file.faces[1].photo = file.faces[0].photo
        if deed == "undo" {
          // The first is elsewhere, and a human puts it there.
          try await arrive(Circle.file([45], prefix: "pool"), test)
          file.faces[0].photo = "other"
        }
        try await arrive(file, test)
        let home = try #require(try await test.faces()["face-0"]?.clusterID)
        let away = try #require(try await test.faces()["face-6"]?.clusterID)
        if deed == "undo" {
          try await test.pool.query(
            """
            UPDATE person_detection SET photo_id = (SELECT photo_id FROM person_detection
              WHERE external_id = 'pool-0') WHERE external_id = 'new-1'
            """)
          _ = try await test.stage.assign(externalIDs: ["pool-0"], to: .cluster(home))
          _ = try await test.stage.assign(force: true)
        }
        #expect(try await status("new-1", test) == "pending")
        switch deed {
        case "reject": _ = try await test.stage.reject(externalIDs: ["new-0"])
        case "assign":
          _ = try await test.stage.assign(externalIDs: ["new-0"], to: .cluster(away))
        case "undo": _ = try await test.stage.undo()
        default: #expect(try await test.stage.deleteFaces(externalIDs: ["new-0"]) == 1)
        }
        #expect(try await status("new-1", test) == nil)
        #expect(try await test.stage.jobs().count == 1)
        try await drain(test)
        #expect(try await test.faces()["new-1"]?.clusterID == home)
        #expect(try await test.stage.candidates().isEmpty)
      }
    }

    @Test func whatAVerifiedClusterRefusedIsTriedAgain() async throws {
      try await bootstrapped(people: [0, 180, 270], gate: 0.4) { test in
        let home = try #require(try await test.faces()["face-0"]?.clusterID)
        _ = try await test.stage.verify(cluster: home)
        // A cosine distance of 0.56, inside the radius of 0.675 and outside 0.8 times that.
        try await arrive(Circle.file([64], prefix: "new"), test)
        #expect(try await status("new-0", test) == "pending")
        #expect(try await test.stage.candidates().map(\.reason) == ["verified"])
        _ = try await test.stage.verify(cluster: home, false)
        #expect(try await status("new-0", test) == nil)
        try await drain(test)
        #expect(try await test.faces()["new-0"]?.clusterID == home)
      }
    }

    @Test func whoWasBetweenTwoPersonsIsTriedAgainOnceTheyAreOne() async throws {
      try await bootstrapped { test in
        try await arrive(Circle.file([0.2], prefix: "new"), test)
        let faces = try await test.faces()
        let (one, other) = (try #require(faces["face-0"]), try #require(faces["face-6"]))
        let waiting = try #require(faces["new-0"])
        let review = ReviewRepository(test.collection)
        let clusters = [try #require(one.clusterID), try #require(other.clusterID)]
        try await test.pool.withTransaction { connection in
          _ = try DetectionRepository(test.collection).place(
            [Placement(detectionID: waiting.detectionID, status: .pending, tier: "epsilon_ball")],
            runID: nil, on: connection)
          try review.ask(
            clusters.map {
              CandidateQuestion(
                detectionID: waiting.detectionID, clusterID: $0, similarity: 0.6,
                reason: "ambiguous")
            }, on: connection)
          try MemberSums(collection: test.collection).recount(clusters, on: connection)
        }
        // A merge of others changes nothing for it.
        _ = try await test.stage.merge(
          persons: [try #require(faces["face-12"]?.personID)],
          into: try #require(faces["face-18"]?.personID))
        #expect(try await status("new-0", test) == "pending")
        let persons = [try #require(one.personID), try #require(other.personID)]
        _ = try await test.stage.merge(persons: [persons[0]], into: persons[1])
        #expect(try await status("new-0", test) == nil)
        try await drain(test)
        #expect(try await test.faces()["new-0"]?.personID == persons[1])
        // Taking the merge back does not depend on where the face went.
        _ = try await test.stage.undo()
        #expect(try await test.faces()["face-0"]?.personID == persons[0])
      }
    }

    @Test func thePoolIsTriedAgainNearANewPerson() async throws {
      try await bootstrapped { test in
        try await arrive(Circle.file([45, 45.5, 46, 135], prefix: "new"), test)
        for face in 0..<4 { #expect(try await status("new-\(face)", test) == "unassigned") }
        _ = try await test.stage.assign(externalIDs: ["new-0"], to: .newPerson(name: "Ada"))
        #expect(try await status("new-1", test) == nil)
        #expect(try await status("new-3", test) == "unassigned")
        try await drain(test)
        for face in 0..<3 { #expect(try await test.faces()["new-\(face)"]?.person == "Ada") }
      }
    }

    @Test func thePoolIsTriedAgainNearEmergingClusters() async throws {
      try await bootstrapped(threshold: 100) { test in
        try await arrive(
          Circle.file(
            Circle.person(at: 45) + Circle.person(at: 135) + [53], prefix: "new"), test)
        #expect(try await test.stage.counts().byStatus["unassigned"] == 13)
        var settings = test.stage.settings
        settings.unassignedClusterThreshold = 5
        let report = try await test.reopened(settings: settings).stage.maintain([.pool])
        #expect(report.tasks[0].error == nil && report.tasks[0].changed >= 12)
        try await drain(test)
        #expect(try await test.stage.counts().byStatus["unassigned"] == nil)
      }
    }

    @Test func whoCameAfterARunIsTriedAgainWhenThatRunIsActivated() async throws {
      try await bootstrapped { test in
        let first = try #require(try await test.stage.runs().first?.id)
        try await arrive(Circle.file([10], prefix: "other"), test)
        _ = try await test.stage.bootstrap()
        try await arrive(Circle.file([135], prefix: "new"), test)
        #expect(try await status("new-0", test) == "unassigned")
        _ = try await test.stage.activate(run: first)
        #expect(try await status("new-0", test) == nil)
        #expect(try await test.stage.jobs().count == 1)
        try await drain(test)
      }
    }

    /// What people put into the pool is looked at by the pool's own rule, too.
    @Test func workersHearOfFacesThatPeoplePutIntoThePool() async throws {
      try await bootstrapped { test in
        #expect(try await test.stage.jobs().isEmpty)
        _ = try await test.stage.name(
          person: try #require(try await test.stage.people().first?.id), "Ada")
        #expect(try await test.stage.jobs().isEmpty)
        let dry = try await test.stage.reject(externalIDs: ["face-0"], dryRun: true)
        #expect(dry.moved == 1)
        #expect(try await test.stage.jobs().isEmpty)
        _ = try await test.stage.reject(externalIDs: ["face-0"])
        #expect(try await test.stage.jobs().count == 1)
        try await drain(test)
        #expect(try await status("face-0", test) == "constrained")
      }
    }
  }
}
