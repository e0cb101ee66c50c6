import FaceClustering
import PostgresClient
import Store
import Testing

extension OnPostgres {
  /// What people said is not moved by density: constraints, names, verified clusters.
  @Suite struct BootstrapContractTests {
    private static let angles = [0.0, 90, 180, 270].flatMap { Circle.person(at: $0) }

    private func run(_ body: (TestStage) async throws -> Void) async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(Circle.file(Self.angles))
        _ = try await test.stage.bootstrap()
        try await body(test)
      }
    }

    private func cluster(of face: String, _ test: TestStage) async throws -> Int64? {
      try await test.faces()[face]?.clusterID
    }

    @Test func aFaceForbiddenForAClusterOrPersonStaysOut() async throws {
      try await run { test in
        let faces = try await test.faces()
        let (first, second) = (try #require(faces["face-0"]), try #require(faces["face-6"]))
        let review = ReviewRepository(test.collection)
        try await test.pool.withTransaction {
          try review.forbid(
            [(first.detectionID, first.clusterID, nil)], actor: "t",
            on: $0)
          try review.forbid([(second.detectionID, nil, second.personID)], actor: "t", on: $0)
        }
        _ = try await test.stage.bootstrap()
        let after = try await test.faces()
        for face in ["face-0", "face-6"] {
          #expect(after[face]?.status == "constrained")
          #expect(after[face]?.clusterID == nil)
          // What the fit found about it stays known.
          #expect(after[face]?.lambda != nil)
        }
        #expect(after["face-1"]?.clusterID == first.clusterID)
      }
    }

    @Test func ofTwoFacesThatAreDifferentPeopleOneLeaves() async throws {
      try await run { test in
        let faces = try await test.faces()
        let ids = try ["face-0", "face-5", "face-7"].map { try #require(faces[$0]).detectionID }
        let review = ReviewRepository(test.collection)
        try await test.pool.withTransaction {
          try review.constrain(ids[0], ids[1], mustLink: false, actor: nil, on: $0)
          try review.constrain(ids[0], ids[2], mustLink: false, actor: nil, on: $0)
        }
        _ = try await test.stage.bootstrap()
        try await test.expectInvariants()
        let after = try await test.faces()
        let pair = ["face-0", "face-5"].compactMap { after[$0] }
        #expect(pair.count { $0.clusterID == nil } == 1)
        #expect(pair.count { $0.status == "constrained" } == 1)
        #expect(after["face-7"]?.clusterID == faces["face-7"]?.clusterID)
      }
    }

    @Test func aFaceThatArrivedDuringTheFitIsKeptApartFromItsOpposite() async throws {
      try await run { test in
        // A hand-made resident of the cluster that the fit does not see: too small.
        var file = Circle.file([0.2], prefix: "small")
        file.faces[0].box = FaceBox(x: 0, y: 0, width: 10, height: 10)
        _ = try await test.stage.importFaces(file)
        _ = try await test.stage.assign()
        let faces = try await test.faces()
        let (small, other) = (try #require(faces["small-0"]), try #require(faces["face-2"]))
        #expect(small.clusterID == other.clusterID)
        let review = ReviewRepository(test.collection)
        try await test.pool.withTransaction {
          try review.constrain(
            small.detectionID, other.detectionID, mustLink: false, actor: nil, on: $0)
        }
        _ = try await test.stage.bootstrap()
        let after = try await test.faces()
        #expect(after["small-0"]?.clusterID == small.clusterID)
        #expect(after["face-2"]?.status == "constrained")
      }
    }

    @Test func namedClustersNeverMergeSilently() async throws {
      try await run { test in
        let faces = try await test.faces()
        let ann = try #require(faces["face-0"])
        let bob = try #require(faces["face-6"])
        _ = try await test.stage.name(person: try #require(ann.personID), "Ann")
        _ = try await test.stage.name(person: try #require(bob.personID), "Bob")
        // Faces all the way between the two: density sees one cluster.
        let bridge = (2..<180).map { Double($0) / 2 }
        _ = try await test.stage.importFaces(Circle.file(bridge, prefix: "bridge"))
        let report = try await test.stage.bootstrap()
        try await test.expectInvariants()
        #expect(report.lineage.died == 0)
        #expect(report.lineage.kept >= 1)
        #expect(report.candidates >= 1)
        let after = try await test.faces()
        #expect((0..<6).allSatisfy { after["face-\($0)"]?.person == "Ann" })
        #expect((6..<12).allSatisfy { after["face-\($0)"]?.person == "Bob" })
        #expect(after["face-0"]?.clusterID == ann.clusterID)
        #expect(after["face-6"]?.clusterID == bob.clusterID)
        let asked = try await test.pool.query(
          "SELECT reason, status FROM face_match_candidate")
        #expect(asked.count == report.candidates)
        for row in asked {
          #expect(try row.text(0) == "bootstrap_conflict")
          #expect(try row.text(1) == "pending")
        }
        // Asked once; the next run has nothing new to ask.
        #expect(try await test.stage.bootstrap().candidates == 0)
      }
    }

    @Test func aVerifiedClusterKeepsItsMembersAndItsFlag() async throws {
      try await run { test in
        let before = try await test.faces()
        let kept = try #require(before["face-6"]?.clusterID)
        try await test.pool.query(
          "UPDATE cluster SET verified = true, verified_at = now() WHERE id = $1", [.int64(kept)])
        let bridge = (0..<178).map { Double($0) / 2 + 0.7 }
        _ = try await test.stage.importFaces(Circle.file(bridge, prefix: "bridge"))
        _ = try await test.stage.bootstrap()
        let after = try await test.faces()
        #expect((6..<12).allSatisfy { after["face-\($0)"]?.clusterID == kept })
        #expect(
          try await test.value("SELECT verified FROM cluster WHERE id = $1", [.int64(kept)])
            == "true")
      }
    }

    @Test func whatSplitsFromANamedClusterIsOfTheSamePerson() async throws {
      try await TestStage.run(dimension: 4) { test in
        // One line of faces from 0° to 12°, and three other people.
        let line = (0...24).map { Double($0) / 2 }
        let others = [90.0, 180, 270].flatMap { Circle.person(at: $0) }
        _ = try await test.stage.importFaces(Circle.file(line + others))
        _ = try await test.stage.bootstrap()
        let whole = try #require(try await test.faces()["face-0"])
        #expect(try await cluster(of: "face-24", test) == whole.clusterID)
        let person = try #require(whole.personID)
        _ = try await test.stage.name(person: person, "Ann")
        // One of the far end is not Ann: it must not come back under her name.
        let denied = try #require(try await test.faces()["face-24"]).detectionID
        let review = ReviewRepository(test.collection)
        try await test.pool.withTransaction {
          try review.forbid([(denied, nil, person)], actor: nil, on: $0)
        }
        // The middle goes, and two ends are left.
        let middle = (8...16).map { "face-\($0)" }
        #expect(try await test.stage.deleteFaces(externalIDs: middle) == middle.count)
        let report = try await test.stage.bootstrap()
        #expect(report.lineage.split == 1)
        #expect(report.lineage.continued == 4)
        #expect(report.lineage.born == 0)
        let after = try await test.faces()
        let near = try #require(after["face-0"])
        let far = try #require(after["face-20"])
        #expect(near.clusterID != far.clusterID)
        #expect(near.personID == person && far.personID == person)
        #expect(after["face-24"]?.status == "constrained")
        let people = try await test.stage.people()
        #expect(people.first { $0.id == person }?.clusterCount == 2)
        #expect(report.peopleCount == people.count)
      }
    }

    @Test func clustersThatAreGoneAreEmptyAndTheirQuestionsClosed() async throws {
      try await run { test in
        let before = try await test.faces()
        let gone = try #require(before["face-6"]?.clusterID)
        // A face that waits for an answer about that cluster, and is too small for the fit.
        var file = Circle.file([130], prefix: "small")
        file.faces[0].box = FaceBox(x: 0, y: 0, width: 10, height: 10)
        _ = try await test.stage.importFaces(file)
        let small = try #require(try await test.faces()["small-0"]).detectionID
        let (detections, review) = (
          DetectionRepository(test.collection), ReviewRepository(test.collection)
        )
        try await test.pool.withTransaction {
          _ = try detections.place(
            [Placement(detectionID: small, status: .pending, tier: "epsilon_ball")], runID: nil,
            on: $0)
          try review.ask(
            [
              CandidateQuestion(
                detectionID: small, clusterID: gone, similarity: 0.7, reason: "ambiguous")
            ], on: $0)
        }
        try await test.expectInvariants()
        #expect(
          try await test.stage.deleteFaces(externalIDs: (6..<12).map { "face-\($0)" }) == 6)
        let report = try await test.stage.bootstrap()
        try await test.expectInvariants()
        #expect(report.lineage.died == 1)
        #expect(
          try await test.value(
            "SELECT retired_at IS NOT NULL AND face_count = 0 FROM cluster WHERE id = $1",
            [.int64(gone)]) == "true")
        // The face is new again, and the tiers find it a place.
        #expect(try await test.faces()["small-0"]?.status == nil)
        #expect(try await test.value("SELECT status FROM face_match_candidate") == "expired")
        _ = try await test.stage.assign()
        #expect(try await test.faces()["small-0"]?.status != nil)
      }
    }

    @Test func whatWasForbiddenForAMergedClusterIsForbiddenForItsHeir() async throws {
      try await run { test in
        let before = try await test.faces()
        let denied = try #require(before["face-8"])
        let old = try #require(denied.clusterID)
        let review = ReviewRepository(test.collection)
        try await test.pool.withTransaction {
          try review.forbid([(denied.detectionID, old, denied.personID)], actor: nil, on: $0)
        }
        // The unnamed cluster at 90° melts into that at 0°, which has more faces.
        _ = try await test.stage.importFaces(
          Circle.file(Circle.person(at: 1, count: 9), prefix: "x"))
        _ = try await test.stage.bootstrap()
        _ = try await test.stage.importFaces(
          Circle.file((2..<180).map { Double($0) / 2 }, prefix: "bridge"))
        let report = try await test.stage.bootstrap()
        try await test.expectInvariants()
        #expect(report.lineage.merged == 1)
        let after = try await test.faces()
        #expect(after["face-7"]?.clusterID == before["face-0"]?.clusterID)
        #expect(after["face-8"]?.status == "constrained")
        // The tiers know it, too.
        _ = try await test.stage.assign(force: true)
        #expect(try await test.faces()["face-8"]?.status == "constrained")
      }
    }
  }
}
