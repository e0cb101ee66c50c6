import PostgresClient
import Store
import Testing

@testable import FaceClustering

extension OnPostgres {
  /// Actions taken back, and done again, in another order than they came in: refused in one line where the
  /// ground is gone, and never against what stands.
  @Suite struct UndoOrderTests {
    private static let angles = [0.0, 90, 180, 270].flatMap { Circle.person(at: $0) }

    private func run(_ body: (TestStage, [String: AssignmentRow]) async throws -> Void) async throws
    {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(Circle.file(Self.angles))
        _ = try await test.stage.bootstrap()
        try await body(test, try await test.faces())
        try await test.expectInvariants()
      }
    }

    private func expectRefusal(
      of action: Int64?, in test: TestStage, saying what: String
    ) async throws {
      let error = await #expect(throws: HumanActionError.self) {
        try await test.stage.undo(action: action)
      }
      #expect(try #require(error).description.contains(what))
    }

    @Test func nothingGoesToAClusterThatIsGone() async throws {
      try await run { test, _ in
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
        try await expectRefusal(
          of: back.actionID, in: test, saying: "cluster \(cluster) was removed by action")
        try await expectRefusal(
          of: allowed.actionID, in: test, saying: "cluster \(cluster) was removed by action")
        try await expectRefusal(
          of: unnamed.actionID, in: test, saying: "person \(made.personIDs[0]) was removed")
      }
    }

    @Test func aClusterComesBackWithoutADeletedFace() async throws {
      try await run { test, _ in
        let made = try await test.stage.assign(
          externalIDs: ["face-0", "face-1"], to: .newPerson(name: nil))
        let back = try await test.stage.undo()
        _ = try await test.stage.deleteFaces(externalIDs: ["face-0", "face-1"])
        _ = try await test.stage.undo(action: back.actionID)
        #expect(try await test.stage.cluster(made.clusterIDs[0]).faceCount == 0)
      }
    }

    @Test func aClusterIsRetiredAgainWithFewerFaces() async throws {
      try await run { test, _ in
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
      try await run { test, faces in
        let (person, cluster) = (
          try #require(faces["face-0"]?.personID), try #require(faces["face-0"]?.clusterID)
        )
        _ = try await test.stage.name(person: person, "Ann")
        _ = try await test.stage.name(person: person, "Bob")
        let bob = try await test.stage.actions(limit: 1)[0].id
        _ = try await test.stage.name(person: person, "Ann")
        try await expectRefusal(of: bob, in: test, saying: "was renamed by action")
        let verified = try await test.stage.verify(cluster: cluster)
        _ = try await test.stage.verify(cluster: cluster, false)
        try await expectRefusal(of: verified.actionID, in: test, saying: "was verified or not")
        _ = try await test.stage.undo()
        _ = try await test.stage.undo(action: verified.actionID)
        #expect(try await !test.stage.cluster(cluster).verified)
        // One person again, by a merge instead of by taking back that they were separated.
        _ = try await test.stage.merge(
          persons: [try #require(faces["face-6"]?.personID)], into: person)
        let separated = try await test.stage.separate(person: person)
        let merged = try await test.stage.merge(
          persons: [separated.personIDs[1]], into: person)
        try await expectRefusal(
          of: separated.actionID, in: test, saying: "was given to another person by action")
        _ = try await test.stage.undo(action: merged.actionID)
        _ = try await test.stage.undo(action: separated.actionID)
        #expect(try await test.faces()["face-6"]?.personID == person)
      }
    }

    /// The first word goes only after the second, and neither undo changes more than its own.
    @Test func whatWasSaidAgainStands() async throws {
      try await run { test, faces in
        let stage = test.stage
        let own = try #require(faces["face-0"])
        let (person, cluster) = (try #require(own.personID), try #require(own.clusterID))
        let other = RejectionTarget.cluster(try #require(faces["face-12"]?.clusterID))
        let statements: [() async throws -> Void] = [
          { _ = try await stage.verify(cluster: cluster) },
          { _ = try await stage.hide(cluster: cluster) },
          { _ = try await stage.hide(person: person) },
          { _ = try await stage.represent(cluster: cluster, by: "face-1") },
          { _ = try await stage.name(person: person, "Ann") },
          { _ = try await stage.assign(externalIDs: ["face-6"], to: .cluster(cluster)) },
          { _ = try await stage.reject(externalIDs: ["face-2"], from: other) },
        ]
        for statement in statements {
          let before = try await test.dump()
          try await statement()
          let after = try await test.dump()
          try await statement()
          #expect(TestStage.difference(after, try await test.dump()) == [])
          let ids = try await stage.actions(limit: 2).map(\.id)
          try await expectRefusal(of: ids[1], in: test, saying: "by action \(ids[0]) (")
          _ = try await stage.undo()
          #expect(TestStage.difference(after, try await test.dump()) == [])
          _ = try await stage.undo()
          #expect(TestStage.difference(before, try await test.dump()) == [])
        }
      }
    }

    /// Forbidden, allowed by undo, and forbidden by another action: doing the first again adds nothing that
    /// could go with the second.
    @Test func whatWasForbiddenAnewIsNotForbiddenTwice() async throws {
      try await run { test, faces in
        let other = RejectionTarget.cluster(try #require(faces["face-12"]?.clusterID))
        _ = try await test.stage.reject(externalIDs: ["face-2"], from: other)
        let allowed = try await test.stage.undo()
        let second = try await test.stage.reject(externalIDs: ["face-2"], from: other)
        try await expectRefusal(
          of: allowed.actionID, in: test,
          saying: "“face-2” was said again to be somebody else by action "
            + "\(try #require(second.actionID)) (reject)")
      }
    }

    /// What was said first and last, and something else in between, is the last one's.
    @Test func theFirstWordGoesNotWhereTheLastSaidTheSame() async throws {
      try await run { test, faces in
        let stage = test.stage
        let own = try #require(faces["face-0"])
        let (person, cluster) = (try #require(own.personID), try #require(own.clusterID))
        let second = try #require(faces["face-6"])
        let other = try #require(faces["face-12"]?.clusterID)
        let stories: [(a: () async throws -> Void, b: () async throws -> Void)] = [
          (
            { _ = try await stage.name(person: person, "Ann") },
            { _ = try await stage.name(person: person, "Bob") }
          ),
          (
            { _ = try await stage.verify(cluster: cluster) },
            { _ = try await stage.verify(cluster: cluster, false) }
          ),
          (
            { _ = try await stage.assign(externalIDs: ["face-6"], to: .cluster(cluster)) },
            { _ = try await stage.assign(externalIDs: ["face-6"], to: .cluster(other)) }
          ),
        ]
        for story in stories {
          let before = try await test.dump()
          try await story.a()
          try await story.b()
          try await story.a()
          let ids = try await stage.actions(limit: 3).map(\.id)
          try await expectRefusal(of: ids[2], in: test, saying: "by action \(ids[0]) (")
          for _ in 0..<3 { _ = try await stage.undo() }
          #expect(TestStage.difference(before, try await test.dump()) == [])
        }
        // A merge on top of another, each way round.
        _ = try await stage.merge(persons: [try #require(second.personID)], into: person)
        let first = try await stage.actions(limit: 1)[0].id
        let third = try #require(faces["face-12"]?.personID)
        _ = try await stage.merge(persons: [person], into: third)
        let last = try await stage.merge(persons: [third], into: person)
        try await expectRefusal(
          of: first, in: test, saying: "by action \(try #require(last.actionID)) (merge)")
      }
    }

    /// An action that changed nothing is done again only where what it said holds; what was done again counts
    /// from then on.
    @Test func doingAgainIsNeverHollow() async throws {
      try await run { test, faces in
        let stage = test.stage
        let own = try #require(faces["face-0"])
        let (person, cluster) = (try #require(own.personID), try #require(own.clusterID))
        let statements: [() async throws -> Void] = [
          { _ = try await stage.assign(externalIDs: ["face-6"], to: .cluster(cluster)) },
          { _ = try await stage.name(person: person, "Ann") },
          { _ = try await stage.reject(externalIDs: ["face-12"], from: .cluster(cluster)) },
        ]
        for statement in statements {
          try await statement()
          try await statement()
          let hollow = try await stage.undo()
          _ = try await stage.undo()
          try await expectRefusal(of: hollow.actionID, in: test, saying: "cannot be taken back")
          // Said, taken back, said anew, taken back; both again.
          try await statement()
          let first = try #require(try await stage.actions(limit: 1).first?.id)
          let firstBack = try await stage.undo()
          try await statement()
          let secondBack = try await stage.undo()
          _ = try await stage.undo(action: firstBack.actionID)
          let held = try await test.dump()
          _ = try await stage.undo(action: secondBack.actionID)
          #expect(TestStage.difference(held, try await test.dump()) == [])
          try await expectRefusal(of: first, in: test, saying: "by action")
          _ = try await stage.undo()
          #expect(TestStage.difference(held, try await test.dump()) == [])
          _ = try await stage.undo()
        }
      }
    }

    /// Programs do not outrank people: who had been put somewhere by hand goes back there.
    @Test func whoWasThereByHandGoesBackFromWhereProgramsPutThem() async throws {
      try await run { test, faces in
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
      try await run { test, faces in
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

    @Test func whatWasAllowedSinceIsNotForbiddenByUndo() async throws {
      try await run { test, faces in
        let cluster = try #require(faces["face-12"]?.clusterID)
        let rejected = try await test.stage.reject(
          externalIDs: ["face-2"], from: .cluster(cluster))
        let allowed = try await test.stage.assign(
          externalIDs: ["face-2"], to: .cluster(cluster), anyway: true)
        try await expectRefusal(
          of: rejected.actionID, in: test,
          saying: "by action \(try #require(allowed.actionID)) (assign)")
        for _ in 0..<2 { _ = try await test.stage.undo() }
        #expect(try await test.value("SELECT count(*) FROM cluster_person_cannot_link") == "0")
      }
    }

    @Test func aRepresentativeThatIsGoneKeepsNoUndoAway() async throws {
      try await run { test, faces in
        let cluster = try #require(faces["face-0"]?.clusterID)
        let first = try await test.stage.represent(cluster: cluster, by: "face-2")
        let second = try await test.stage.represent(cluster: cluster, by: "face-1")
        _ = try await test.stage.deleteFaces(externalIDs: ["face-1"])
        try await expectRefusal(of: first.actionID, in: test, saying: "by action")
        _ = try await test.stage.undo(action: second.actionID)
        #expect(try await test.stage.cluster(cluster).representative == "face-2")
        _ = try await test.stage.assign(externalIDs: ["face-2"], to: .newPerson(name: nil))
        try await expectRefusal(of: first.actionID, in: test, saying: "(assign)")
        for _ in 0..<2 { _ = try await test.stage.undo() }
        #expect(try await test.stage.cluster(cluster).representativeIsChosen == false)
      }
    }

    /// What a later action built on: the name that it carried over, what it inherited, the person that it said.
    @Test func whatALaterActionTookOverGoesFirstWithIt() async throws {
      try await run { test, faces in
        let stage = test.stage
        let own = try #require(faces["face-0"])
        let (person, cluster) = (try #require(own.personID), try #require(own.clusterID))
        let heir = try #require(faces["face-6"]?.personID)
        let before = try await test.dump()
        _ = try await stage.name(person: person, "Ada")
        let rejected = try await stage.reject(externalIDs: ["face-12"], from: .cluster(cluster))
        let merged = try await stage.merge(persons: [person], into: heir)
        let ids = try await stage.actions(limit: 3).map(\.id)
        for action in [ids[2], try #require(rejected.actionID)] {
          try await expectRefusal(of: action, in: test, saying: "by action \(ids[0]) (merge)")
        }
        _ = try await stage.assign(externalIDs: ["face-19"], to: .person(heir))
        try await expectRefusal(of: merged.actionID, in: test, saying: "(assign)")
        for _ in 0..<4 { _ = try await stage.undo() }
        #expect(TestStage.difference(before, try await test.dump()) == [])
      }
    }

    /// Without a name the newest is what was done, or done again, last.
    @Test func theNewestIsWhatWasDoneAgainLast() async throws {
      try await run { test, faces in
        let cluster = try #require(faces["face-0"]?.clusterID)
        let hidden = try await test.stage.hide(cluster: cluster)
        let back = try await test.stage.undo()
        _ = try await test.stage.verify(cluster: cluster)
        _ = try await test.stage.undo(action: back.actionID)
        _ = try await test.stage.undo()
        #expect(try await !test.stage.cluster(cluster).hidden)
        #expect(try await test.stage.cluster(cluster).verified)
        #expect(hidden.actionID != nil)
      }
    }

    @Test func aConfirmedFaceThatLineageForbidsIsTakenBack() async throws {
      try await run { test, faces in
        let own = try #require(faces["face-0"])
        _ = try await test.stage.assign(
          externalIDs: ["face-6"], to: .cluster(try #require(own.clusterID)))
        _ = try await test.stage.assign(
          externalIDs: ["face-6"], to: .cluster(try #require(own.clusterID)))
        let review = ReviewRepository(test.collection)
        try await test.pool.withTransaction {
          try review.forbid(
            detectionID: try #require(faces["face-6"]).detectionID, clusterID: own.clusterID,
            personID: own.personID, actor: "lineage", on: $0)
        }
        for _ in 0..<2 { _ = try await test.stage.undo() }
        #expect(try await test.faces()["face-6"]?.clusterID == faces["face-6"]?.clusterID)
      }
    }

    @Test func aMergeLeavesWhoWasPutThereByHand() async throws {
      try await run { test, faces in
        let (own, third) = (try #require(faces["face-0"]), try #require(faces["face-12"]))
        let person = try #require(own.personID)
        // As lineage hands it on: forbidden where it is by hand.
        _ = try await test.stage.assign(
          externalIDs: ["face-1"], to: .cluster(try #require(own.clusterID)))
        let review = ReviewRepository(test.collection)
        try await test.pool.withTransaction {
          try review.forbid(
            detectionID: try #require(faces["face-1"]).detectionID, clusterID: own.clusterID,
            personID: person, actor: "lineage", on: $0)
        }
        let merged = try await test.stage.merge(
          persons: [try #require(third.personID)], into: person)
        #expect(merged.setAside == [])
        #expect(try await test.faces()["face-1"]?.status == "manual")
      }
    }

    @Test func aYesTakesBackThatTwoFacesAreDifferent() async throws {
      try await run { test, faces in
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
      try await run { test, faces in
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
  }
}
