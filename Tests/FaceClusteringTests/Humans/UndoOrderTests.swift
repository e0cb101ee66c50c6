import PostgresClient
import Store
import Testing

@testable import FaceClustering

extension OnPostgres {
  /// Actions taken back, and done again, in another order than they came in: refused in one line where the
  /// ground is gone, and never against what stands.
  @Suite struct UndoOrderTests {
    @Test func nothingGoesToAClusterThatIsGone() async throws {
      try await TestStage.runFourPeople { test, _ in
        let made = try await test.stage.assign(externalIDs: ["face-0"], to: .newPerson(name: nil))
        let cluster = made.clusterIDs[0]
        let joined = try await test.stage.assign(externalIDs: ["face-6"], to: .cluster(cluster))
        let back = try await test.stage.undo(action: joined.actionID)
        let rejected = try await test.stage.reject(externalIDs: ["face-7"], from: .cluster(cluster))
        let allowed = try await test.stage.undo(action: rejected.actionID)
        let named = try await test.stage.name(person: made.personIDs[0], "Eve")
        #expect(named.name == "Eve")
        let unnamed = try await test.stage.undo()
        _ = try await test.stage.undo(action: made.actionID)
        try await test.expectNoUndo(
          of: back.actionID, saying: "cluster \(cluster) was removed by action")
        try await test.expectNoUndo(
          of: allowed.actionID, saying: "cluster \(cluster) was removed by action")
        try await test.expectNoUndo(
          of: unnamed.actionID, saying: "person \(made.personIDs[0]) was removed")
      }
    }

    @Test func aClusterComesBackWithoutADeletedFace() async throws {
      try await TestStage.runFourPeople { test, _ in
        let made = try await test.stage.assign(
          externalIDs: ["face-0", "face-1"], to: .newPerson(name: nil))
        let back = try await test.stage.undo()
        _ = try await test.stage.deleteFaces(externalIDs: ["face-0", "face-1"])
        _ = try await test.stage.undo(action: back.actionID)
        #expect(try await test.stage.cluster(made.clusterIDs[0]).faceCount == 0)
      }
    }

    @Test func whoIsDeletedSinceIsSaid() async throws {
      try await TestStage.runFourPeople { test, _ in
        _ = try await test.stage.assign(
          externalIDs: ["face-0", "face-1"], to: .newPerson(name: nil))
        _ = try await test.stage.deleteFaces(externalIDs: ["face-0"])
        let one = try await test.stage.undo()
        #expect(one.moved == 1 && one.summary.hasSuffix("; 1 face is gone, deleted since"))
        _ = try await test.stage.reject(externalIDs: ["face-7"])
        _ = try await test.stage.deleteFaces(externalIDs: ["face-7"])
        let none = try await test.stage.undo()
        #expect(none.moved == 0 && none.summary.hasSuffix("; 1 face is gone, deleted since"))
        _ = try await test.stage.reject(externalIDs: ["face-8"])
        let all = try await test.stage.undo()
        #expect(all.moved == 1 && !all.summary.contains("deleted"))
      }
    }

    @Test func aClusterIsRetiredAgainWithFewerFaces() async throws {
      try await TestStage.runFourPeople { test, _ in
        let made = try await test.stage.assign(
          externalIDs: ["face-0", "face-6"], to: .newPerson(name: nil))
        _ = try await test.stage.bootstrap()
        let back = try await test.stage.undo()
        let again = try await test.stage.undo(action: back.actionID)
        _ = try await test.stage.deleteFaces(externalIDs: ["face-6"])
        _ = try await test.stage.undo(action: again.actionID)
        let cluster = try await test.stage.cluster(made.clusterIDs[0])
        #expect(cluster.retiredAt != nil && cluster.faceCount == 0)
      }
    }

    @Test func whatALaterActionMadeAsItWasBeforeStands() async throws {
      try await TestStage.runFourPeople { test, faces in
        let (person, cluster) = (
          try #require(faces["face-0"]?.personID), try #require(faces["face-0"]?.clusterID)
        )
        _ = try await test.stage.name(person: person, "Ann")
        _ = try await test.stage.name(person: person, "Bob")
        let bob = try await test.stage.actions(limit: 1)[0].id
        _ = try await test.stage.name(person: person, "Ann")
        try await test.expectNoUndo(of: bob, saying: "was renamed by action")
        let verified = try await test.stage.verify(cluster: cluster)
        _ = try await test.stage.verify(cluster: cluster, false)
        try await test.expectNoUndo(of: verified.actionID, saying: "was verified or not")
        _ = try await test.stage.undo()
        _ = try await test.stage.undo(action: verified.actionID)
        #expect(try await !test.stage.cluster(cluster).verified)
        // One person again, by a merge instead of by taking back that they were separated.
        _ = try await test.stage.merge(
          persons: [try #require(faces["face-6"]?.personID)], into: person)
        let separated = try await test.stage.separate(person: person)
        let merged = try await test.stage.merge(
          persons: [separated.personIDs[1]], into: person)
        try await test.expectNoUndo(
          of: separated.actionID, saying: "was given to another person by action")
        _ = try await test.stage.undo(action: merged.actionID)
        _ = try await test.stage.undo(action: separated.actionID)
        #expect(try await test.faces()["face-6"]?.personID == person)
      }
    }

    /// Programs do not outrank people: who had been put somewhere by hand goes back there.
    @Test func whoWasThereByHandGoesBackFromWhereProgramsPutThem() async throws {
      try await TestStage.runFourPeople { test, faces in
        let cluster = try #require(faces["face-0"]?.clusterID)
        _ = try await test.stage.assign(externalIDs: ["face-6"], to: .cluster(cluster))
        _ = try await test.stage.reject(externalIDs: ["face-6"])
        _ = try await test.stage.bootstrap()
        let placed = try #require(try await test.faces()["face-6"])
        try #require(placed.clusterID != nil && placed.clusterID != cluster)
        _ = try await test.stage.undo()
        let face = try #require(try await test.faces()["face-6"])
        #expect(face.clusterID == cluster && face.status == "manual")
      }
    }

    @Test func oneClusterThatIsRetiredDoesNotKeepTheOthersMerged() async throws {
      try await TestStage.runFourPeople { test, faces in
        let persons = try ["face-6", "face-12"].map { try #require(faces[$0]?.personID) }
        let emptied = try #require(faces["face-12"]?.clusterID)
        let merged = try await test.stage.merge(
          persons: persons, into: try #require(faces["face-0"]?.personID))
        _ = try await test.stage.deleteFaces(
          externalIDs: faces.values.filter { $0.clusterID == emptied }.map(\.externalID))
        _ = try await test.stage.bootstrap()
        try #require(try await test.stage.cluster(emptied).retiredAt != nil)
        _ = try await test.stage.undo(action: merged.actionID)
        #expect(try await test.faces()["face-6"]?.personID == persons[0])
      }
    }

    @Test func aRepresentativeThatIsGoneKeepsNoUndoAway() async throws {
      try await TestStage.runFourPeople { test, faces in
        let cluster = try #require(faces["face-0"]?.clusterID)
        let first = try await test.stage.represent(cluster: cluster, by: "face-2")
        let second = try await test.stage.represent(cluster: cluster, by: "face-1")
        _ = try await test.stage.deleteFaces(externalIDs: ["face-1"])
        try await test.expectNoUndo(of: first.actionID, saying: "by action")
        _ = try await test.stage.undo(action: second.actionID)
        #expect(try await test.stage.cluster(cluster).representative == "face-2")
        _ = try await test.stage.assign(externalIDs: ["face-2"], to: .newPerson(name: nil))
        try await test.expectNoUndo(of: first.actionID, saying: "(assign)")
        for _ in 0..<2 { _ = try await test.stage.undo() }
        #expect(try await test.stage.cluster(cluster).representativeIsChosen == false)
      }
    }

    /// As lineage hands it on: forbidden where the face is by hand.
    private func forbidAsLineage(
      _ face: AssignmentRow?, like own: AssignmentRow, in test: TestStage
    ) async throws {
      let review = ReviewRepository(test.collection)
      try await test.pool.withTransaction {
        _ = try review.forbid(
          [(try #require(face).detectionID, own.clusterID, own.personID)], actor: "lineage", on: $0)
      }
    }

    @Test func aConfirmedFaceThatLineageForbidsIsTakenBack() async throws {
      try await TestStage.runFourPeople { test, faces in
        let own = try #require(faces["face-0"])
        _ = try await test.stage.assign(
          externalIDs: ["face-6"], to: .cluster(try #require(own.clusterID)))
        _ = try await test.stage.assign(
          externalIDs: ["face-6"], to: .cluster(try #require(own.clusterID)))
        try await forbidAsLineage(faces["face-6"], like: own, in: test)
        for _ in 0..<2 { _ = try await test.stage.undo() }
        #expect(try await test.faces()["face-6"]?.clusterID == faces["face-6"]?.clusterID)
      }
    }

    @Test func aMergeLeavesWhoWasPutThereByHand() async throws {
      try await TestStage.runFourPeople { test, faces in
        let (own, third) = (try #require(faces["face-0"]), try #require(faces["face-12"]))
        let person = try #require(own.personID)
        _ = try await test.stage.assign(
          externalIDs: ["face-1"], to: .cluster(try #require(own.clusterID)))
        try await forbidAsLineage(faces["face-1"], like: own, in: test)
        let merged = try await test.stage.merge(
          persons: [try #require(third.personID)], into: person)
        #expect(merged.setAside == [])
        #expect(try await test.faces()["face-1"]?.status == "manual")
      }
    }

    @Test func aYesTakesBackThatTwoFacesAreDifferent() async throws {
      try await TestStage.runFourPeople { test, faces in
        let (asked, other) = (try #require(faces["face-6"]), try #require(faces["face-0"]))
        let review = ReviewRepository(test.collection)
        try await test.pool.withTransaction { connection in
          try review.constrain(
            asked.detectionID, other.detectionID, mustLink: false, actor: nil, on: connection)
          _ = try review.ask(
            [
              CandidateQuestion(
                detectionID: asked.detectionID, clusterID: try #require(other.clusterID),
                similarity: 0.6, reason: "bootstrap_conflict")
            ], on: connection)
        }
        let question = try #require(try await test.stage.candidates().first)
        let before = try await test.dump()
        _ = try await test.stage.accept(candidate: question.id)
        #expect(try await test.value("SELECT count(*) FROM detection_constraint") == "0")
        try await test.expectInvariants()
        _ = try await test.stage.undo()
        #expect(TestStage.difference(before, try await test.dump()) == [])
      }
    }

    @Test func aFaceThatAProgramMovedSinceStaysAndHindersNobody() async throws {
      try await TestStage.runFourPeople { test, faces in
        let (a, b) = (try #require(faces["face-0"]), try #require(faces["face-6"]))
        _ = try await test.stage.importFaces(Circle.file([90.1], prefix: "new"))
        _ = try await test.stage.assign()
        let rejected = try await test.stage.reject(externalIDs: ["new-0"])
        let detection = try #require(try await test.faces()["new-0"]).detectionID
        // Another cluster takes it.
        try await test.pool.withTransaction { connection in
          _ = try DetectionRepository(test.collection).place(
            [
              Placement(
                detectionID: detection, status: .auto, clusterID: a.clusterID,
                confidence: 0.9, tier: "epsilon_ball")
            ], runID: nil, on: connection)
          try MemberSums(collection: test.collection).recount(
            [try #require(a.clusterID)], on: connection)
        }
        _ = try await test.stage.undo(action: rejected.actionID)
        #expect(try await test.faces()["new-0"]?.clusterID == a.clusterID)
        #expect(
          try await test.value("SELECT count(*) FROM cluster_person_cannot_link") == "0")
        #expect(a.clusterID != b.clusterID)
      }
    }

    /// It was verified, which was taken back, and then a program could retire it.
    @Test func aRetiredClusterIsNotVerifiedAgain() async throws {
      try await TestStage.runFourPeople { test, faces in
        let cluster = try #require(faces["face-0"]?.clusterID)
        _ = try await test.stage.verify(cluster: cluster)
        let withdrawn = try await test.stage.undo()
        _ = try await test.stage.deleteFaces(externalIDs: (0..<6).map { "face-\($0)" })
        _ = try await test.stage.bootstrap()
        try #require(try await test.stage.cluster(cluster).retiredAt != nil)
        try await test.expectNoUndo(of: withdrawn.actionID, saying: "was retired")
        #expect(try await test.stage.cluster(cluster).verified == false)
      }
    }
  }
}
