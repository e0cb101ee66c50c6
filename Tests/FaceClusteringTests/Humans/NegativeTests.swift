import FaceClustering
import PostgresClient
import Store
import Testing

extension OnPostgres {
  /// "Not this person" is heeded by every path, in one of two collections with the same faces.
  @Suite struct NegativeTests {
    private static let angles = [0.0, 90, 180, 270].flatMap { Circle.person(at: $0) }

    private func run(_ body: (TestStage) async throws -> Void) async throws {
      try await TestStage.run(dimension: 4) { test in
        let other = try await TestStage.open(test.pool, collection: "others", dimension: 4)
        for tenant in [test, other] {
          _ = try await tenant.stage.importFaces(Circle.file(Self.angles))
          _ = try await tenant.stage.bootstrap()
        }
        let untouched = try await other.dump()
        try await body(test)
        try await test.expectInvariants()
        #expect(try await other.dump() == untouched)
      }
    }

    private func expectOut(
      _ id: String, of person: Int64, in test: TestStage, _ path: String
    ) async throws {
      let face = try #require(try await test.faces()[id])
      #expect(face.personID != person, "\(path)")
      try await test.expectInvariants()
    }

    @Test func aRejectedFaceComesBackByNoPath() async throws {
      try await run { test in
        let person = try #require(try await test.faces()["face-2"]?.personID)
        let cluster = try #require(try await test.faces()["face-2"]?.clusterID)
        let report = try await test.stage.reject(externalIDs: ["face-2"], actor: "ann")
        #expect(report.moved == 1)
        #expect(try await test.faces()["face-2"]?.status == "constrained")
        try await expectOut("face-2", of: person, in: test, "reject")
        _ = try await test.stage.assign()
        _ = try await test.stage.assign(force: true)
        try await expectOut("face-2", of: person, in: test, "both tiers and the pool")
        _ = try await test.stage.bootstrap()
        try await expectOut("face-2", of: person, in: test, "bootstrap")
        _ = try await test.stage.assign(force: true, batchSize: 1)
        try await expectOut("face-2", of: person, in: test, "tiers of the new run")
        for target in [HumanTarget.cluster(cluster), .person(person)] {
          await #expect(throws: HumanActionError.self) {
            try await test.stage.assign(externalIDs: ["face-2"], to: target)
          }
        }
        // In another person's cluster it may be; when that one is merged it is left out.
        let other = try #require(try await test.faces()["face-8"])
        _ = try await test.stage.assign(
          externalIDs: ["face-2"], to: .cluster(try #require(other.clusterID)))
        let preview = try await test.stage.merge(
          persons: [try #require(other.personID)], into: person, dryRun: true)
        #expect(preview.setAside == ["face-2"])
        #expect(try await test.faces()["face-8"] == other)
        let merged = try await test.stage.merge(
          persons: [try #require(other.personID)], into: person)
        #expect(merged.setAside == ["face-2"])
        try await expectOut("face-2", of: person, in: test, "merge")
        #expect(try await test.faces()["face-8"]?.personID == person)
        for run in try await test.stage.runs().reversed() {
          _ = try await test.stage.activate(run: run.id)
          try await expectOut("face-2", of: person, in: test, "run \(run.id)")
        }
      }
    }

    @Test func whatWasForbiddenForOneIsForbiddenForTheMergedPerson() async throws {
      try await run { test in
        let faces = try await test.faces()
        let (a, b) = (
          try #require(faces["face-0"]?.personID), try #require(faces["face-6"]?.personID)
        )
        _ = try await test.stage.reject(externalIDs: ["face-12"], from: .person(b))
        _ = try await test.stage.merge(persons: [b], into: a)
        await #expect(throws: HumanActionError.self) {
          try await test.stage.assign(externalIDs: ["face-12"], to: .person(a))
        }
      }
    }

    @Test func whoOfSeveralMergedPersonsIsNotAnotherOfThemIsLeftOut() async throws {
      try await run { test in
        let faces = try await test.faces()
        let persons = try ["face-0", "face-6", "face-12"].map {
          try #require(faces[$0]?.personID)
        }
        _ = try await test.stage.reject(
          externalIDs: ["face-6"], from: .cluster(try #require(faces["face-12"]?.clusterID)))
        let merged = try await test.stage.merge(persons: Array(persons[1...]), into: persons[0])
        #expect(merged.setAside == ["face-6"])
        try await test.expectInvariants()
        _ = try await test.stage.undo()
        let review = ReviewRepository(test.collection)
        let pair = try ["face-7", "face-13"].map { try #require(faces[$0]?.detectionID) }
        try await test.pool.withTransaction {
          try review.constrain(pair[0], pair[1], mustLink: false, actor: nil, on: $0)
        }
        await #expect(throws: HumanActionError.self) {
          try await test.stage.merge(persons: Array(persons[1...]), into: persons[0])
        }
      }
    }

    @Test func aForbiddenClusterIsForbiddenUnderAnotherPerson() async throws {
      try await run { test in
        _ = try await test.stage.importFaces(Circle.file([269.9, 270.1], prefix: "more"))
        _ = try await test.stage.assign()
        let faces = try await test.faces()
        let cluster = try #require(faces["face-12"]?.clusterID)
        _ = try await test.stage.reject(externalIDs: ["face-6"], from: .cluster(cluster))
        let larger = try #require(faces["face-18"]?.personID)
        _ = try await test.stage.merge(
          persons: [try #require(faces["face-12"]?.personID)], into: larger)
        // The smaller cluster leaves, to a person of whom nobody said anything.
        _ = try await test.stage.separate(person: larger)
        let person = try await test.stage.cluster(cluster).personID
        #expect(person != larger && person != faces["face-12"]?.personID)
        let merged = try await test.stage.merge(
          persons: [try #require(faces["face-6"]?.personID)], into: person)
        #expect(merged.setAside == ["face-6"])
      }
    }

    @Test func whoCameSinceIsLeftOutWhenClustersGoBackToTheirPerson() async throws {
      try await run { test in
        let faces = try await test.faces()
        let (a, b) = (try #require(faces["face-0"]), try #require(faces["face-6"]))
        let person = try #require(a.personID)
        _ = try await test.stage.merge(persons: [try #require(b.personID)], into: person)
        _ = try await test.stage.importFaces(Circle.file([90.1, 90.2], prefix: "new"))
        _ = try await test.stage.reject(
          externalIDs: ["new-0"], from: .cluster(try #require(a.clusterID)))
        let review = ReviewRepository(test.collection)
        let stranger = try #require(try await test.faces()["new-1"]?.detectionID)
        try await test.pool.withTransaction {
          try review.constrain(a.detectionID, stranger, mustLink: false, actor: nil, on: $0)
        }
        let separated = try await test.stage.separate(person: person)
        #expect(separated.clusterIDs == [try #require(b.clusterID)])
        _ = try await test.stage.assign()
        #expect(try await test.faces()["new-0"]?.clusterID == b.clusterID)
        #expect(try await test.faces()["new-1"]?.clusterID == b.clusterID)
        let before = try await test.dump()
        let preview = try await test.stage.undo(dryRun: true)
        #expect(preview.setAside == ["new-0", "new-1"])
        let undo = try await test.stage.undo()
        #expect(undo.setAside == ["new-0", "new-1"])
        #expect(try await test.faces()["face-6"]?.personID == person)
        try await expectOut("new-0", of: person, in: test, "undo")
        _ = try await test.stage.undo(action: undo.actionID)
        #expect(TestStage.difference(before, try await test.dump()) == [])
      }
    }

    @Test func differentFacesShareNoClusterAndNoPerson() async throws {
      try await run { test in
        let faces = try await test.faces()
        let (one, other) = (try #require(faces["face-0"]), try #require(faces["face-6"]))
        let review = ReviewRepository(test.collection)
        try await test.pool.withTransaction {
          try review.constrain(
            one.detectionID, other.detectionID, mustLink: false, actor: nil, on: $0)
        }
        await #expect(throws: HumanActionError.self) {
          try await test.stage.assign(
            externalIDs: ["face-0"], to: .cluster(try #require(other.clusterID)))
        }
        let (a, b) = (try #require(one.personID), try #require(other.personID))
        let error = await #expect(throws: HumanActionError.self) {
          try await test.stage.merge(persons: [b], into: a)
        }
        #expect(try #require(error).description.contains("“face-0” and “face-6”"))
        let before = try await test.dump()
        _ = try await test.stage.merge(persons: [b], into: a, anyway: true)
        #expect(try await test.faces()["face-6"]?.personID == a)
        _ = try await test.stage.undo()
        #expect(TestStage.difference(before, try await test.dump()) == [])
      }
    }

    @Test func onlyWhatIsNamedMoves() async throws {
      try await run { test in
        let before = try await test.faces()
        let preview = try await test.stage.reject(
          externalIDs: ["face-0", "face-1"], dryRun: true)
        #expect(preview.moved == 2 && preview.dryRun)
        #expect(try await test.faces() == before)
        _ = try await test.stage.reject(externalIDs: ["face-0", "face-1"])
        let after = try await test.faces()
        for (id, face) in before where id != "face-0" && id != "face-1" {
          #expect(after[id] == face)
        }
        await #expect(throws: HumanActionError.notAssigned(externalID: "face-0")) {
          try await test.stage.reject(externalIDs: ["face-0"])
        }
      }
    }

    @Test func questionsOfOnePersonAreOneQuestion() async throws {
      try await run { test in
        let faces = try await test.faces()
        let waiting = try #require(faces["face-0"])
        let (a, b) = (try #require(faces["face-6"]), try #require(faces["face-12"]))
        _ = try await test.stage.merge(
          persons: [try #require(b.personID)], into: try #require(a.personID))
        _ = try await test.stage.reject(externalIDs: ["face-0"])
        let review = ReviewRepository(test.collection)
        try await test.pool.withTransaction { connection in
          _ = try DetectionRepository(test.collection).place(
            [Placement(detectionID: waiting.detectionID, status: .pending, tier: "epsilon_ball")],
            runID: nil, on: connection)
          for (cluster, similarity) in [(a.clusterID, Float(0.6)), (b.clusterID, 0.7)] {
            try review.ask(
              [
                CandidateQuestion(
                  detectionID: waiting.detectionID, clusterID: cluster ?? 0,
                  similarity: similarity, reason: "ambiguous")
              ], on: connection)
          }
        }
        let open = try await test.stage.candidates()
        #expect(open.map(\.clusterID) == [b.clusterID])
        let candidate = try #require(open.first).id
        _ = try await test.stage.reject(candidates: [candidate])
        // No question is left, and the answer holds for both clusters.
        #expect(try await test.stage.candidates().isEmpty)
        #expect(try await test.faces()["face-0"]?.status == "constrained")
        for cluster in [a, b].compactMap(\.clusterID) {
          await #expect(throws: HumanActionError.self) {
            try await test.stage.assign(externalIDs: ["face-0"], to: .cluster(cluster))
          }
        }
        let error = await #expect(throws: HumanActionError.self) {
          try await test.stage.accept(candidate: candidate)
        }
        #expect(try #require(error).description.contains("it was rejected"))
      }
    }

    @Test func aSplitOutlivesTheNextRuns() async throws {
      let fixture = try FaceFixture.load()
      try await TestStage.run { test in
        _ = try await test.stage.importFaces(fixture.file(Array(fixture.identities.indices)))
        _ = try await test.stage.bootstrap()
        var split: HumanActionReport?
        var proposal: SplitProposal?
        for group in try await test.groups() {
          do {
            proposal = try await test.stage.splitProposal(cluster: group.cluster)
            split = try await test.stage.split(cluster: group.cluster)
            break
          } catch HumanActionError.cannotSplit {}
        }
        let done = try #require(split)
        let parts = try #require(proposal).parts
        #expect(parts.allSatisfy { $0.faces.count == $0.faceCount } && parts[0].keepsID)
        for _ in 0..<2 {
          let faces = try await test.faces()
          for (part, cluster) in zip(parts, done.clusterIDs) {
            #expect(part.faces.allSatisfy { faces[$0]?.clusterID == cluster })
          }
          #expect(
            Set(
              done.clusterIDs.compactMap { id in
                faces.values.first { $0.clusterID == id }?.personID
              }
            ).count == parts.count)
          let report = try await test.stage.bootstrap()
          #expect(report.candidates == 0)
          try await test.expectInvariants()
        }
      }
    }
  }
}
