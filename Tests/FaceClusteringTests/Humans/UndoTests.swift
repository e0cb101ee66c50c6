import PostgresClient
import Store
import Testing

@testable import FaceClustering

extension OnPostgres {
  /// Whatever people do can be taken back, and done again.
  @Suite struct UndoTests {
    enum Deed: String, CaseIterable, Sendable {
      case assignOne, assignMany, assignToPerson, newPerson, confirm, assignAnyway
      case rejectOne, rejectMany, rejectPerson, rejectWaiting
      case accept, rejectCandidate, name, unname, merge, mergeWithContradiction, separate, split
      case verify, withdraw, hidePerson, hideCluster, represent
    }

    /// A collection with all that can happen to one: people, questions, prohibitions, flags.
    private static func prepare(_ test: TestStage) async throws {
      let fixture = try FaceFixture.load()
      _ = try await test.stage.importFaces(
        fixture.file(
          (fixture.people.prefix(12).flatMap { $0 } + fixture.strangers.prefix(20)).sorted()))
      _ = try await test.stage.bootstrap()
      let groups = try await test.groups()
      _ = try await test.stage.name(person: groups[0].person, "Ann")
      _ = try await test.stage.verify(cluster: groups[1].cluster)
      _ = try await test.stage.represent(cluster: groups[2].cluster, by: groups[2].faces[1])
      _ = try await test.stage.reject(externalIDs: [groups[3].faces[0]])
      // A face that waits for two answers.
      let review = ReviewRepository(test.collection)
      let waiting = try #require(try await test.faces()[groups[4].faces[0]])
      try await test.pool.withTransaction { connection in
        _ = try DetectionRepository(test.collection).place(
          [Placement(detectionID: waiting.detectionID, status: .pending, tier: "epsilon_ball")],
          runID: nil, on: connection)
        try review.ask(
          [4, 5].map {
            CandidateQuestion(
              detectionID: waiting.detectionID, clusterID: groups[$0].cluster, similarity: 0.6,
              reason: "ambiguous")
          }, on: connection)
        try MemberSums(collection: test.collection).recount(
          [groups[4].cluster], on: connection)
      }
      _ = try await test.stage.represent(cluster: groups[4].cluster, by: groups[4].faces[1])
      try await test.expectInvariants()
    }

    private static func take(_ deed: Deed, in test: TestStage) async throws {
      let stage = test.stage
      let groups = try await test.groups()
      let candidates = try await stage.candidates()
      switch deed {
      case .assignOne:
        _ = try await stage.assign(
          externalIDs: [groups[2].faces[1]], to: .cluster(groups[5].cluster), actor: "ann")
      case .assignMany:
        _ = try await stage.assign(
          externalIDs: groups[6].faces + groups[7].faces.prefix(3), to: .cluster(groups[0].cluster))
      case .assignToPerson:
        _ = try await stage.assign(
          externalIDs: Array(groups[6].faces.prefix(2)), to: .person(groups[0].person))
      case .newPerson:
        _ = try await stage.assign(
          externalIDs: Array(groups[6].faces.prefix(4)), to: .newPerson(name: "Bob"))
      case .confirm:
        _ = try await stage.assign(externalIDs: groups[5].faces, to: .cluster(groups[5].cluster))
      case .assignAnyway:
        let rejected = try #require(
          try await test.value(
            """
            SELECT external_id || ' ' || l.cluster_id FROM cluster_person_cannot_link l
            JOIN person_detection d ON d.id = l.detection_id WHERE l.collection_id = $1 LIMIT 1
            """, [.int64(test.collection.id)])
        ).split(separator: " ")
        _ = try await stage.assign(
          externalIDs: [String(rejected[0])], to: .cluster(try #require(Int64(rejected[1]))),
          anyway: true)
      case .rejectOne: _ = try await stage.reject(externalIDs: [groups[0].faces[2]])
      case .rejectMany:
        _ = try await stage.reject(externalIDs: groups[6].faces + groups[7].faces)
      case .rejectPerson:
        _ = try await stage.reject(
          externalIDs: [groups[6].faces[0], groups[0].faces[0]], from: .person(groups[0].person))
      case .rejectWaiting:
        let candidate = try #require(candidates.first)
        _ = try await stage.reject(
          externalIDs: [candidate.externalID], from: .cluster(candidate.clusterID))
      case .accept: _ = try await stage.accept(candidate: try #require(candidates.first).id)
      case .rejectCandidate: _ = try await stage.reject(candidates: candidates.map(\.id))
      case .name: _ = try await stage.name(person: groups[3].person, "Cid")
      case .unname: _ = try await stage.name(person: groups[0].person, nil)
      case .merge:
        _ = try await stage.merge(
          persons: [groups[6].person, groups[7].person], into: groups[0].person)
      case .mergeWithContradiction:
        // The rejected face joins another cluster; merging that must leave it out.
        let rejected = try #require(
          try await test.value(
            """
            SELECT external_id || ' ' || l.person_id FROM cluster_person_cannot_link l
            JOIN person_detection d ON d.id = l.detection_id WHERE l.collection_id = $1 LIMIT 1
            """, [.int64(test.collection.id)])
        ).split(separator: " ")
        let (face, person) = (String(rejected[0]), try #require(Int64(rejected[1])))
        _ = try await stage.assign(externalIDs: [face], to: .cluster(groups[7].cluster))
        let report = try await stage.merge(persons: [groups[7].person], into: person)
        #expect(report.setAside == [face])
      case .separate:
        _ = try await stage.merge(
          persons: [groups[6].person, groups[7].person], into: groups[0].person)
        _ = try await stage.separate(person: groups[0].person)
      case .split:
        for group in groups {
          do {
            let proposal = try await stage.splitProposal(cluster: group.cluster)
            let done = try await stage.split(cluster: group.cluster)
            #expect(done.clusterIDs.count == proposal.parts.count)
            return
          } catch HumanActionError.cannotSplit {}
        }
        Issue.record("no cluster of the fixture can be split")
      case .verify: _ = try await stage.verify(cluster: groups[5].cluster, actor: "ann")
      case .withdraw: _ = try await stage.verify(cluster: groups[1].cluster, false)
      case .hidePerson: _ = try await stage.hide(person: groups[5].person)
      case .hideCluster: _ = try await stage.hide(cluster: groups[5].cluster)
      case .represent:
        _ = try await stage.represent(cluster: groups[5].cluster, by: groups[5].faces[3])
      }
    }

    /// Each deed and its undo restore every row; its redo makes the same again.
    @Test func whatAFitSaidMeanwhileGoesWithItsStatus() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(
          Circle.file([0.0, 90, 180].flatMap { Circle.person(at: $0) } + [45]))
        _ = try await test.stage.bootstrap()
        let cluster = try #require(try await test.faces()["face-0"]?.clusterID)
        _ = try await test.stage.assign(externalID: "face-18", to: .cluster(cluster))
        _ = try await test.stage.reject(externalIDs: ["face-18"])
        // Noise of this fit, with its lambda.
        _ = try await test.stage.bootstrap()
        #expect(try await test.faces()["face-18"]?.lambda != nil)
        _ = try await test.stage.undo()
        let face = try #require(try await test.faces()["face-18"])
        #expect(face.status == "manual" && face.clusterID == cluster)
        #expect(face.lambda == nil && face.outlierScore == nil)
      }
    }

    @Test func everyDeedIsTakenBackExactly() async throws {
      try await TestStage.run { test in
        let other = try await TestStage.open(test.pool, collection: "others")
        try await Self.prepare(test)
        try await Self.prepare(other)
        let untouched = try await other.dump()
        for deed in Deed.allCases {
          let marker = try await test.stage.actions(limit: 1).first?.id ?? 0
          let before = try await test.dump()
          try await Self.take(deed, in: test)
          try await test.expectInvariants()
          let after = try await test.dump()
          #expect(before != after, "\(deed)")
          let count = try await test.stage.actions(limit: 50).filter { $0.id > marker }.count
          for _ in 0..<count {
            let preview = try await test.stage.undo(dryRun: true)
            #expect(preview.dryRun && preview.actionID == nil)
            _ = try await test.stage.undo(actor: "bob")
          }
          let back = try await test.dump()
          #expect(TestStage.difference(before, back) == [], "\(deed)")
          try await test.expectInvariants()
          // The undos themselves are undone, the last first.
          let undos = try await test.stage.actions(limit: count)
          for undo in undos { _ = try await test.stage.undo(action: undo.id) }
          let again = try await test.dump()
          #expect(TestStage.difference(after, again) == [], "\(deed) again")
          try await test.expectInvariants()
          for _ in 0..<count { _ = try await test.stage.undo() }
          let restored = try await test.dump()
          #expect(TestStage.difference(before, restored) == [], "\(deed) back")
        }
        #expect(try await other.dump() == untouched)
        try await other.expectInvariants()
      }
    }

    @Test func whatCameLaterIsNamed() async throws {
      try await TestStage.run { test in
        try await Self.prepare(test)
        let groups = try await test.groups()
        let face = groups[2].faces[1]
        let first = try #require(
          try await test.stage.assign(externalIDs: [face], to: .cluster(groups[5].cluster))
            .actionID)
        let second = try #require(
          try await test.stage.assign(externalIDs: [face], to: .cluster(groups[6].cluster))
            .actionID)
        let error = await #expect(throws: HumanActionError.self) {
          try await test.stage.undo(action: first)
        }
        #expect(
          try #require(error).description
            == "action \(first) cannot be taken back: detection “\(face)” was moved by action "
            + "\(second) (assign); `photodb undo --list` shows the others, and `photodb undo ID` "
            + "takes one of them back")
        // In the right order both go back.
        _ = try await test.stage.undo(action: second)
        _ = try await test.stage.undo(action: first)
        try await test.expectNoUndo(of: first, saying: "taken back already")

        // A cluster that a person made and that others joined stays.
        let made = try await test.stage.assign(
          externalIDs: [face], to: .newPerson(name: "Eve"))
        let joined = try await test.stage.assign(
          externalIDs: [groups[3].faces[2]], to: .cluster(made.clusterIDs[0]))
        await #expect(throws: HumanActionError.self) {
          try await test.stage.undo(action: made.actionID)
        }
        _ = try await test.stage.undo(action: joined.actionID)
        let named = try await test.stage.name(person: made.personIDs[0], "Eva")
        #expect(named.name == "Eva")
        try await test.expectNoUndo(of: made.actionID, saying: "was renamed by action")
      }
    }

    /// A face of the third group, put into the sixth by hand.
    private static func moveAFace(in test: TestStage) async throws -> (
      groups: [(cluster: Int64, person: Int64, faces: [String])], face: String,
      moved: HumanActionReport
    ) {
      try await prepare(test)
      let groups = try await test.groups()
      let face = groups[2].faces[1]
      return (
        groups, face,
        try await test.stage.assign(externalIDs: [face], to: .cluster(groups[5].cluster))
      )
    }

    @Test func whatWasConfirmedSinceIsNotDoneAgain() async throws {
      try await TestStage.run { test in
        let (groups, face, moved) = try await Self.moveAFace(in: test)
        let undo = try await test.stage.undo(action: moved.actionID)
        // Where it was, but now by a human's word.
        let confirmed = try await test.stage.assign(
          externalIDs: [face], to: .cluster(groups[2].cluster))
        try await test.expectNoUndo(
          of: undo.actionID,
          saying: "was moved by action \(try #require(confirmed.actionID)) (assign)")
      }
    }

    @Test func ofAnActionAndItsUndosTheLastCounts() async throws {
      try await TestStage.run { test in
        try await Self.prepare(test)
        let groups = try await test.groups()
        let (face, cluster) = (groups[2].faces[1], groups[5].cluster)
        let done = try await test.stage.assign(externalIDs: [face], to: .cluster(cluster))
        let first = try #require(done.actionID)
        var undos: [Int64] = []
        // Taken back, done again by its undo, taken back by name, done again, taken back by the last undo.
        for target in [first, nil, first, nil, nil] {
          let report = try await test.stage.undo(action: target ?? undos[undos.count - 1])
          undos.append(try #require(report.actionID))
          let isBack = undos.count % 2 == 1
          #expect(report.summary.hasPrefix(isBack ? "took back: put" : "did again"))
          #expect(try await test.faces()[face]?.clusterID == (isBack ? groups[2].cluster : cluster))
          let log = try await test.stage.actions(limit: 20)
          #expect(log.first { $0.id == first }?.undoneBy == (isBack ? undos.last : nil))
          #expect(log.filter { $0.kind == "undo" && $0.undoneBy == nil }.map(\.id) == [undos.last])
          for old in undos.dropLast() {
            await #expect(throws: HumanActionError.self) { try await test.stage.undo(action: old) }
          }
        }
      }
    }

    @Test func theNameOfAPersonThatHasToStayGoesBackToo() async throws {
      try await TestStage.run { test in
        try await Self.prepare(test)
        let face = try await test.groups()[2].faces[1]
        let made = try await test.stage.assign(externalIDs: [face], to: .newPerson(name: "Eve"))
        // Its lineage speaks of the new cluster from now on.
        _ = try await test.stage.bootstrap()
        let undo = try await test.stage.undo(action: made.actionID)
        #expect(try await test.value("SELECT count(*) FROM person WHERE name = 'Eve'") == "0")
        try await test.expectInvariants()
        _ = try await test.stage.undo(action: undo.actionID)
        #expect(try await test.faces()[face]?.clusterID == made.clusterIDs[0])
        #expect(
          try await test.value("SELECT id FROM person WHERE name = 'Eve'")
            == "\(made.personIDs[0])")
      }
    }

    @Test func aClusterThatOthersJoinedSinceIsNotRetired() async throws {
      try await TestStage.run { test in
        try await Self.prepare(test)
        let groups = try await test.groups()
        let made = try await test.stage.assign(
          externalIDs: [groups[2].faces[1]], to: .newPerson(name: "Eve"))
        // Its lineage speaks of the new cluster from now on, so it is retired and not removed.
        _ = try await test.stage.bootstrap()
        let back = try await test.stage.undo()
        let again = try await test.stage.undo(action: back.actionID)
        let joined = try await test.stage.assign(
          externalIDs: [groups[3].faces[2]], to: .cluster(made.clusterIDs[0]))
        try await test.expectNoUndo(
          of: again.actionID,
          saying: "detection “\(groups[3].faces[2])” was moved by action "
            + "\(try #require(joined.actionID)) (assign)")
      }
    }

    @Test func aRunInBetweenDoesNotStandInTheWayUnlessItMust() async throws {
      try await TestStage.run { test in
        let (groups, face, moved) = try await Self.moveAFace(in: test)
        _ = try await test.stage.bootstrap()
        _ = try await test.stage.assign(force: true)
        _ = try await test.stage.undo(action: moved.actionID)
        #expect(try await test.faces()[face]?.clusterID == groups[2].cluster)
        try await test.expectInvariants()
        // Now the cluster to go back to is gone, and it was a program that had put the face there.
        let last = try await test.stage.assign(
          externalIDs: [face], to: .cluster(groups[5].cluster))
        _ = try await test.stage.deleteFaces(
          externalIDs: groups[2].faces.filter { $0 != face })
        _ = try await test.stage.bootstrap()
        try #require(try await test.stage.cluster(groups[2].cluster).retiredAt != nil)
        #expect(try await test.stage.undo(action: last.actionID).setAside == [face])
        let state = try #require(try await test.faces()[face])
        #expect(state.status == nil && state.clusterID == nil)
      }
    }

    @Test func nothingToTakeBackIsSaid() async throws {
      try await TestStage.run(dimension: 4) { test in
        await #expect(throws: HumanActionError.nothingToUndo(collection: "faces")) {
          try await test.stage.undo()
        }
        await #expect(throws: StoreError.unknownAction(77, collection: "faces")) {
          try await test.stage.undo(action: 77)
        }
      }
    }
  }
}
