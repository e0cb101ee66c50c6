import Foundation
import PostgresClient
import Store
import Testing

@testable import FaceClustering

extension OnPostgres {
  /// What programs did since stands in nobody's way: who cannot stay is decided again, who stays is counted.
  @Suite struct UndoAfterProgramsTests {
    /// Tier 2 puts a face into a cluster.
    private func place(_ face: String, into cluster: Int64, in test: TestStage) async throws {
      let state = try #require(try await test.faces()[face])
      let collection = test.collection
      try await test.pool.withTransaction { connection in
        _ = try DetectionRepository(collection).place(
          [
            Placement(
              detectionID: state.detectionID, status: .auto, clusterID: cluster,
              confidence: 0.9, tier: "epsilon_ball")
          ], runID: nil, on: connection)
        try MemberSums(collection: collection).recount(
          [cluster] + [state.clusterID].compactMap { $0 }, on: connection)
      }
    }

    private func status(_ faces: [String], in test: TestStage) async throws -> [String?] {
      let rows = try await test.faces()
      return try faces.map { try #require(rows[$0]).status }
    }

    private func clusters(_ faces: [String], in test: TestStage) async throws -> [Int64?] {
      let rows = try await test.faces()
      return try faces.map { try #require(rows[$0]).clusterID }
    }

    private func isLive(_ cluster: Int64, in test: TestStage) async throws -> Bool {
      try await test.value(
        "SELECT count(*) FROM cluster WHERE id = $1 AND retired_at IS NULL", [.int64(cluster)]
      ) == "1"
    }

    /// Everybody who is new gets an answer, and nothing is broken by it.
    private func decide(in test: TestStage) async throws {
      _ = try await test.stage.assign()
      #expect(try await test.stage.counts().byStatus["new"] == nil)
      try await test.expectInvariants()
    }

    @Test func aNewPersonGoesThoughARunGaveItFaces() async throws {
      try await TestStage.runFourPeople { test, _ in
        _ = try await test.stage.importFaces(
          Circle.file([45, 45.1, 45.2, 44.9, 45.3], prefix: "new"))
        let others = (1...4).map { "new-\($0)" }
        let made = try await test.stage.assign(
          externalIDs: ["new-0"], to: .newPerson(name: "Eve"))
        let cluster = made.clusterIDs[0]
        _ = try await test.stage.bootstrap()
        try #require(
          try await clusters(others, in: test) == [cluster, cluster, cluster, cluster])
        // Whom a human put there stays, until that is taken back.
        let away = try #require(try await test.faces()["face-0"]?.clusterID)
        let left = try await test.stage.assign(externalIDs: ["new-1"], to: .cluster(away))
        let joined = try await test.stage.assign(externalIDs: ["new-1"], to: .cluster(cluster))
        try await test.expectNoUndo(
          of: made.actionID,
          saying: "detection “new-1” was moved by action \(try #require(joined.actionID)) (assign)")
        for action in [joined, left] { _ = try await test.stage.undo(action: action.actionID) }
        try #require(try await clusters(["new-1"], in: test) == [cluster])

        let before = try await test.dump()
        try await test.pool.query("DELETE FROM clustering_job")
        let undo = try await test.stage.undo(action: made.actionID)
        #expect(undo.setAside == others && undo.moved == 1 && undo.stayed == 0)
        #expect(undo.summary.hasSuffix("; 4 faces are new again, their clusters are gone"))
        #expect(try await status(others + ["new-0"], in: test) == [nil, nil, nil, nil, nil])
        #expect(try await !isLive(cluster, in: test))
        #expect(try await test.value("SELECT count(*) FROM person WHERE name = 'Eve'") == "0")
        #expect(try await test.stage.jobs().map(\.status) == [.queued])
        try await test.expectInvariants()
        let violations = try await StateTable().violations(in: test)
        #expect(violations == [])
        // Done again, they are where they were, and the next undo makes them new again.
        let again = try await test.stage.undo(action: undo.actionID)
        #expect(TestStage.difference(before, try await test.dump()) == [])
        #expect(again.moved == 5 && again.setAside == [])
        let last = try await test.stage.undo(action: again.actionID)
        #expect(last.moved == 5)
        #expect(try await status(others, in: test) == [nil, nil, nil, nil])
        try await decide(in: test)
      }
    }

    @Test func aNewPersonGoesThoughFacesArrivedSince() async throws {
      try await TestStage.runFourPeople { test, faces in
        let away = try #require(faces["face-12"]?.clusterID)
        let made = try await test.stage.assign(
          externalIDs: ["face-0", "face-1"], to: .newPerson(name: "Eve"))
        let cluster = made.clusterIDs[0]
        _ = try await test.stage.importFaces(Circle.file([0.1, 0.2], prefix: "new"))
        for face in ["new-0", "new-1"] { try await place(face, into: cluster, in: test) }
        let before = try await test.dump()
        let undo = try await test.stage.undo()
        #expect(undo.setAside == ["new-0", "new-1"] && undo.moved == 2)
        #expect(try await status(["new-0", "new-1"], in: test) == [nil, nil])
        #expect(try await clusters(["face-0"], in: test) == [faces["face-0"]?.clusterID])
        #expect(
          try await test.value("SELECT count(*) FROM cluster WHERE id = $1", [.int64(cluster)])
            == "0")
        try await test.expectInvariants()
        _ = try await test.stage.undo(action: undo.actionID)
        #expect(TestStage.difference(before, try await test.dump()) == [])
        // Whom programs put elsewhere meanwhile stays there.
        let second = try await test.stage.undo()
        try await place("new-0", into: away, in: test)
        let again = try await test.stage.undo(action: second.actionID)
        #expect(again.moved == 3 && again.stayed == 1)
        #expect(again.summary.hasSuffix("; 1 face stays where programs put it since"))
        #expect(try await clusters(["new-0", "new-1"], in: test) == [away, cluster])
        #expect(try await test.stage.cluster(cluster).faceCount == 3)
      }
    }

    @Test func aSplitGoesThoughFacesArrivedSince() async throws {
      let fixture = try FaceFixture.load()
      try await TestStage.run { test in
        _ = try await test.stage.importFaces(fixture.file(Array(fixture.identities.indices)))
        _ = try await test.stage.bootstrap()
        let groups = try await test.groups()
        var done: (group: [String], report: HumanActionReport)?
        for group in groups where done == nil {
          do {
            done = (group.faces, try await test.stage.split(cluster: group.cluster))
          } catch HumanActionError.cannotSplit {}
        }
        let split = try #require(done)
        let (whole, made) = (split.report.clusterIDs[0], split.report.clusterIDs[1])
        let arrived = try #require(groups.last { $0.cluster != whole }?.faces.first)
        try await place(arrived, into: made, in: test)
        let before = try await test.dump()
        let undo = try await test.stage.undo()
        #expect(undo.setAside == [arrived] && undo.moved == split.report.moved)
        #expect(try await status([arrived], in: test) == [nil])
        #expect(try await clusters(split.group, in: test).allSatisfy { $0 == whole })
        #expect(try await !isLive(made, in: test))
        try await test.expectInvariants()
        _ = try await test.stage.undo(action: undo.actionID)
        #expect(TestStage.difference(before, try await test.dump()) == [])
      }
    }

    @Test func whoseClusterARunRetiredIsNewAgain() async throws {
      try await TestStage.runFourPeople { test, faces in
        let moved = (6...11).map { "face-\($0)" }
        let (heir, own) = (
          try #require(faces["face-0"]?.clusterID), try #require(faces["face-6"]?.clusterID)
        )
        _ = try await test.stage.assign(externalIDs: moved, to: .cluster(heir))
        _ = try await test.stage.bootstrap()
        try #require(try await test.stage.cluster(own).retiredAt != nil)
        let before = try await test.dump()
        try await test.pool.query("DELETE FROM clustering_job")
        let preview = try await test.stage.undo(dryRun: true)
        #expect(preview.setAside == moved && preview.dryRun)
        let undo = try await test.stage.undo()
        #expect(undo.setAside == moved && undo.moved == 0 && undo.stayed == 0)
        #expect(undo.summary.hasSuffix("; 6 faces are new again, their clusters are gone"))
        #expect(try await status(moved, in: test) == [nil, nil, nil, nil, nil, nil])
        #expect(try await test.stage.cluster(heir).faceCount == 6)
        #expect(try await test.stage.jobs().map(\.status) == [.queued])
        try await test.expectInvariants()
        let again = try await test.stage.undo(action: undo.actionID)
        #expect(again.moved == 6)
        #expect(TestStage.difference(before, try await test.dump()) == [])
        // Also from where programs put them meanwhile.
        let last = try await test.stage.undo(action: again.actionID)
        try await decide(in: test)
        _ = try await test.stage.undo(action: last.actionID)
        #expect(try await clusters(moved, in: test).allSatisfy { $0 == heir })
        #expect(try await status(moved, in: test).allSatisfy { $0 == "manual" })
      }
    }

    @Test func whoWasByHandInARetiredClusterKeepsTheUndoAway() async throws {
      try await TestStage.runFourPeople { test, faces in
        let (heir, own) = (
          try #require(faces["face-0"]?.clusterID), try #require(faces["face-6"]?.clusterID)
        )
        _ = try await test.stage.assign(externalIDs: ["face-6"], to: .cluster(own))
        let moved = try await test.stage.assign(
          externalIDs: (6...11).map { "face-\($0)" }, to: .cluster(heir))
        _ = try await test.stage.bootstrap()
        try #require(try await test.stage.cluster(own).retiredAt != nil)
        try await test.expectNoUndo(
          of: moved.actionID, saying: "cluster \(own) was retired by run")
      }
    }

    /// Whom programs put into the place since is decided again, but whom people put there stays.
    @Test func whoTookThePlaceInAPhotoMakesRoom() async throws {
      try await TestStage.runFourPeople { test, faces in
        var file = Circle.file([0.1, 90.1], prefix: "new")
        for (row, face) in [0, 6].enumerated() { file.faces[row].photo = "face-photo-\(face)" }
        let homes = try ["face-0", "face-6"].map { try #require(faces[$0]?.clusterID) }
        _ = try await test.stage.reject(externalIDs: ["face-0"])
        _ = try await test.stage.importFaces(file)
        try await place("new-0", into: homes[0], in: test)
        let before = try await test.dump()
        let undo = try await test.stage.undo()
        #expect(undo.setAside == ["new-0"] && undo.moved == 1)
        #expect(try await clusters(["face-0", "new-0"], in: test) == [homes[0], nil])
        #expect(try await status(["new-0"], in: test) == [nil])
        try await test.expectInvariants()
        _ = try await test.stage.undo(action: undo.actionID)
        #expect(TestStage.difference(before, try await test.dump()) == [])

        let rejected = try await test.stage.reject(externalIDs: ["face-6"])
        _ = try await test.stage.assign(externalIDs: ["new-1"], to: .cluster(homes[1]))
        #expect(try await test.stage.undo(action: rejected.actionID).setAside == ["face-6"])
        #expect(try await clusters(["face-6", "new-1"], in: test) == [nil, homes[1]])
        #expect(try await status(["face-6", "new-1"], in: test) == [nil, "manual"])
      }
    }

    /// People's own steps, and their undos, bring nobody who was not there before.
    @Test(arguments: ["reject", "assign"], [[1, 0], [0, 1]])
    func whoWasTogetherComesBackTogether(second: String, order: [Int]) async throws {
      try await runWithOnePhoto { test, pair, home in
        let before = try await test.dump()
        var actions = [try await test.stage.reject(externalIDs: [pair[0]]).actionID]
        let away = try #require(try await test.faces()["face-6"]?.clusterID)
        actions.append(
          second == "reject"
            ? try await test.stage.reject(externalIDs: [pair[1]]).actionID
            : try await test.stage.assign(externalIDs: [pair[1]], to: .cluster(away)).actionID)
        for index in order {
          #expect(try await test.stage.undo(action: actions[index]).setAside == [])
        }
        #expect(try await clusters(pair, in: test) == [home, home])
        // In another order sums are made anew, from the members.
        if order == [1, 0] {
          #expect(TestStage.difference(before, try await test.dump()) == [])
        }
      }
    }

    /// A program that moved a face about, or called it another member, did not bring it, either.
    @Test(arguments: [false, true])
    func whoWasThereWhenTheActionWasTakenStays(wentAway: Bool) async throws {
      try await runWithOnePhoto { test, pair, home in
        let away = try #require(try await test.faces()["face-6"]?.clusterID)
        _ = try await test.stage.reject(externalIDs: [pair[0]])
        if wentAway { try await place(pair[1], into: away, in: test) }
        try await place(pair[1], into: home, in: test)
        #expect(try await test.stage.undo().setAside == [])
        #expect(try await clusters(pair, in: test) == [home, home])
      }
    }

    /// Two faces of one photo in one cluster, as a fit may find them.
    private func runWithOnePhoto(
      _ body: (TestStage, _ pair: [String], _ home: Int64) async throws -> Void
    ) async throws {
      try await TestStage.runFourPeople { test, faces in
        let pair = ["face-0", "face-1"]
        let home = try #require(faces[pair[0]]?.clusterID)
        try await test.pool.query(
          """
          UPDATE person_detection d SET photo_id = (SELECT o.photo_id FROM person_detection o
            WHERE o.collection_id = d.collection_id AND o.external_id = 'face-0')
          WHERE external_id = 'face-1'
          """)
        try await body(test, pair, home)
      }
    }

    @Test func theConfidenceOfAHumansWordComesBackWithIt() async throws {
      try await TestStage.runFourPeople { test, faces in
        let cluster = try #require(faces["face-0"]?.clusterID)
        let face = try #require((6...11).map { "face-\($0)" }.first { faces[$0]?.confidence == 1 })
        _ = try await test.stage.assign(externalIDs: [face], to: .cluster(cluster))
        let undo = try await test.stage.undo()
        // As another fit would.
        try await test.pool.query(
          "UPDATE person_detection SET cluster_confidence = 0.9 WHERE external_id = '\(face)'")
        _ = try await test.stage.undo(action: undo.actionID)
        let again = try #require(try await test.faces()[face])
        #expect(again.status == "manual" && again.confidence == 1)
      }
    }

    @Test func whatWasRejectedIsCountedWhereARunPutIt() async throws {
      try await TestStage.runFourPeople { test, faces in
        let rejected = (6...11).map { "face-\($0)" }
        let own = try #require(faces["face-6"]?.clusterID)
        _ = try await test.stage.reject(externalIDs: rejected)
        _ = try await test.stage.bootstrap()
        let placed = try await clusters(rejected, in: test)
        try #require(placed.allSatisfy { $0 != nil && $0 != own })
        let undo = try await test.stage.undo()
        #expect(undo.moved == 0 && undo.stayed == 6 && undo.setAside == [])
        #expect(undo.summary.hasSuffix("; 6 faces stay where programs put them since"))
        #expect(try await clusters(rejected, in: test) == placed)
        #expect(try await test.value("SELECT count(*) FROM cluster_person_cannot_link") == "0")
      }
    }

    @Test func whatWasRejectedFromARetiredClusterIsNewAgain() async throws {
      try await TestStage.runFourPeople { test, faces in
        let own = try #require(faces["face-6"]?.clusterID)
        _ = try await test.stage.reject(externalIDs: (6...11).map { "face-\($0)" })
        _ = try await test.stage.deleteFaces(externalIDs: (8...11).map { "face-\($0)" })
        _ = try await test.stage.bootstrap()
        try #require(try await test.stage.cluster(own).retiredAt != nil)
        let two = ["face-6", "face-7"]
        try #require(try await clusters(two, in: test) == [nil, nil])
        let undo = try await test.stage.undo()
        #expect(undo.moved == 0 && undo.stayed == 0 && undo.setAside == two)
        #expect(try await status(two, in: test) == [nil, nil])
        #expect(try await test.value("SELECT count(*) FROM cluster_person_cannot_link") == "0")
        try await test.expectInvariants()
        _ = try await test.stage.undo(action: undo.actionID)
        #expect(try await test.value("SELECT count(*) FROM cluster_person_cannot_link") == "2")
        try await decide(in: test)
      }
    }

    @Test func whoWentBackIsCountedBesideWhoStayed() async throws {
      try await TestStage.runFourPeople { test, faces in
        let away = try #require(faces["face-0"]?.clusterID)
        let rejected = try await test.stage.reject(externalIDs: ["face-6", "face-7", "face-8"])
        #expect(rejected.moved == 3 && rejected.stayed == 0)
        try await place("face-6", into: away, in: test)
        let undo = try await test.stage.undo()
        #expect(undo.moved == 2 && undo.stayed == 1 && undo.setAside == [])
        #expect(undo.summary.hasSuffix("; 1 face stays where programs put it since"))
        let record = try #require(try await test.stage.actions(limit: 1).first)
        let kept = try JSONDecoder().decode(
          HumanActionReport.self, from: Data(record.detailsJSON.utf8))
        #expect(kept == undo && record.detailsJSON.contains("\"stayed\""))
      }
    }

    /// What an action left as it was, it does not bring back from where people put it later.
    @Test func whatWasSaidTwiceStandsNotAgainstWhatWasSaidThird() async throws {
      try await TestStage.runFourPeople { test, faces in
        let (first, last) = (
          try #require(faces["face-0"]?.clusterID), try #require(faces["face-12"]?.clusterID)
        )
        _ = try await test.stage.assign(externalIDs: ["face-6"], to: .cluster(first))
        let hollow = try await test.stage.assign(externalIDs: ["face-6"], to: .cluster(first))
        _ = try await test.stage.assign(externalIDs: ["face-6"], to: .cluster(last))
        _ = try await test.stage.undo(action: hollow.actionID)
        #expect(try await clusters(["face-6"], in: test) == [last])
        #expect(try await status(["face-6"], in: test) == ["manual"])
        _ = try await test.stage.undo()
      }
    }

    @Test func anActivationThatALaterRunReplacedSaysWhatToDo() async throws {
      try await TestStage.runFourPeople { test, _ in
        let first = try #require(try await test.stage.runs().first { $0.isActive }?.id)
        let second = try #require(try await test.stage.bootstrap().runID)
        let activated = try await test.stage.activate(run: first)
        let third = try #require(try await test.stage.bootstrap().runID)
        let error = ActivationError.superseded(run: first, by: third, before: second)
        await #expect(throws: error) { try await test.stage.undo(action: activated.actionID) }
        #expect(
          error.description == "run \(first) is no longer in charge, run \(third) is; "
            + "`photodb runs activate \(second)` goes back to the run before it")
      }
    }
  }
}
