import FaceClustering
import PostgresClient
import Store
import Testing
import Vectors

extension OnPostgres {
  /// Ids, names, flags and corrections outlive every later run.
  @Suite struct RepeatedBootstrapTests {
    @Test func aSecondRunThatFindsTheSameChangesNothing() async throws {
      let fixture = try FaceFixture.load()
      try await TestStage.run { test in
        _ = try await test.stage.importFaces(fixture.file(Array(fixture.identities.indices)))
        let first = try await test.stage.bootstrap()
        // A corrected face and a name raise no second question and move nothing, either.
        let clusters = try await test.faces().values.compactMap(\.clusterID).sorted()
        _ = try await test.stage.assign(externalID: "face-0", to: .cluster(clusters[0]))
        let person = try #require(try await test.stage.people().first)
        _ = try await test.stage.name(person: person.id, "Ann")
        _ = try await test.stage.bootstrap()
        let before = try await test.fingerprint()
        let third = try await test.stage.bootstrap()
        #expect(try await test.fingerprint() == before)
        #expect(third.moved == 0)
        #expect(third.candidates == 0)
        #expect(third.lineage.continued == first.clusterCount)
        #expect(third.lineage.born + third.lineage.died + third.lineage.split == 0)
        #expect(third.lineage.merged + third.lineage.kept == 0)
        let runs = try await test.stage.runs()
        #expect(runs.count == 3)
        #expect(runs.filter(\.isActive).map(\.id) == [third.runID])
      }
    }

    @Test func facesThatAreDifferentPeopleShareNoPersonInTwoClustersEither() async throws {
      try await TestStage.run(dimension: 4) { test in
        _ = try await test.stage.importFaces(
          Circle.file([0.0, 90, 180].flatMap { Circle.person(at: $0) }))
        _ = try await test.stage.bootstrap()
        let faces = try await test.faces()
        let (a, b) = (try #require(faces["face-0"]), try #require(faces["face-6"]))
        let (owner, other) = (try #require(a.personID), try #require(b.clusterID))
        try await test.give(other, toPerson: owner)
        let review = ReviewRepository(test.collection)
        try await test.pool.withTransaction {
          try review.constrain(
            a.detectionID, b.detectionID, mustLink: false, actor: nil, on: $0)
        }
        _ = try await test.stage.bootstrap()
        let after = try await test.faces()
        let pair = ["face-0", "face-6"].compactMap { after[$0] }
        #expect(pair.count { $0.status == "constrained" } == 1)
        #expect(pair.count { $0.personID == owner } == 1)
      }
    }

    @Test func whoWaitsOutsideTheFitIsTriedAgainOnceClustersChanged() async throws {
      try await TestStage.run(dimension: 4) { test in
        func add(_ degrees: [Double], _ prefix: String, confidence: Float? = nil) async throws {
          var file = Circle.file(degrees, prefix: prefix)
          for index in file.faces.indices { file.faces[index].confidence = confidence }
          _ = try await test.stage.importFaces(file)
        }
        try await add([0.0, 180].flatMap { Circle.person(at: $0) }, "face")
        _ = try await test.stage.bootstrap()
        // Too uncertain to be fitted, and near nobody yet.
        try await add([91, 270], "weak", confidence: 0.5)
        #expect(try await test.stage.assign().unassigned == 2)
        try await test.pool.query(
          """
          UPDATE person_detection SET unassigned_since = '2020-02-02 00:00:00+00'
          WHERE cluster_status = 'unassigned'
          """)
        let before = try await test.fingerprint()
        #expect(try await test.stage.bootstrap().reconsidered == 0)
        #expect(try await test.fingerprint() == before)
        try await add(Circle.person(at: 90), "other")
        let dry = try await test.stage.bootstrap(dryRun: true)
        let report = try await test.stage.bootstrap()
        #expect(report.reconsidered == 2 && dry.reconsidered == 2)
        for id in ["weak-0", "weak-1"] { #expect(try await test.faces()[id]?.status == nil) }
        try await test.expectInvariants()
        #expect(try await test.stage.assign().assigned.predict == 1)
        #expect(
          try await test.value(
            """
            SELECT external_id FROM person_detection
            WHERE unassigned_since = '2020-02-02 00:00:00+00' AND cluster_status = 'unassigned'
            """) == "weak-1")
      }
    }

    @Test func namesFlagsAndHandsSurviveMoreData() async throws {
      let fixture = try FaceFixture.load()
      try await TestStage.run { test in
        // Seven faces of everyone first; the rest and the strangers come later, mixed.
        let early = fixture.people.flatMap { $0.prefix(7) }.sorted()
        _ = try await test.stage.importFaces(fixture.file(early))
        _ = try await test.stage.bootstrap()
        let before = try await test.faces()
        let people = try await test.stage.people()
        for person in people { _ = try await test.stage.name(person: person.id, "P\(person.id)") }
        try await test.pool.query(
          "UPDATE cluster SET verified = (id % 2 = 0), hidden = (id % 3 = 0)")
        try await test.pool.query("UPDATE person SET hidden = (id % 5 = 0)")
        let flags =
          "SELECT jsonb_object_agg(id, ARRAY[verified, hidden]) FROM cluster WHERE id <= $1"
        let hidden =
          "SELECT jsonb_object_agg(id, ARRAY[name, hidden::text]) FROM person WHERE id <= $1"
        let highest = try #require(people.map(\.id).max())
        let clusterFlags = try await test.value(flags, [.int64(highest)])
        let personFlags = try await test.value(hidden, [.int64(highest)])
        // A face of the first person is put to the second by hand.
        let target = try #require(before["face-\(fixture.people[1][0])"]?.clusterID)
        let moved = "face-\(fixture.people[0][0])"
        _ = try await test.stage.assign(externalID: moved, to: .cluster(target), actor: "test")

        var random = SplitMix64(state: 7)
        let late = fixture.identities.indices.filter { !early.contains($0) }
          .shuffled(using: &random)
        _ = try await test.stage.importFaces(fixture.file(late))
        let report = try await test.stage.bootstrap()
        try await test.expectInvariants()
        #expect(report.embeddingCount == 572)
        #expect(report.lineage.died == 0)
        #expect(try await test.value(flags, [.int64(highest)]) == clusterFlags)
        #expect(try await test.value(hidden, [.int64(highest)]) == personFlags)

        let after = try await test.faces()
        let manual = try #require(after[moved])
        #expect(manual.clusterID == target)
        #expect(manual.status == "manual")
        #expect(manual.confidence == 1)
        #expect(manual.lambda == nil && manual.outlierScore == nil)
        // Nobody who had a name lost it, and few faces moved.
        var kept = 0
        var total = 0
        for (id, face) in before where id != moved {
          guard let person = face.personID else { continue }
          total += 1
          if after[id]?.personID == person { kept += 1 }
        }
        #expect(Double(kept) > 0.97 * Double(total), "\(kept) of \(total)")
      }
    }

    @Test func theOrderOfArrivalDoesNotMatter() async throws {
      let fixture = try FaceFixture.load()
      func groups(_ rows: [Int]) async throws -> Set<Set<String>> {
        try await TestStage.run { test in
          _ = try await test.stage.importFaces(fixture.file(rows))
          _ = try await test.stage.bootstrap()
          let faces = try await test.faces().values.filter { $0.clusterID != nil }
          return Set(
            Dictionary(grouping: faces, by: \.clusterID).values.map { Set($0.map(\.externalID)) })
        }
      }
      let rows = Array(fixture.identities.indices)
      var random = SplitMix64(state: 3)
      let straight = try await groups(rows)
      let shuffled = try await groups(rows.shuffled(using: &random))
      #expect(straight == shuffled)
      #expect(straight.count >= 36)
    }

    @Test func aDryRunWritesNothingAndTellsTheTruth() async throws {
      let fixture = try FaceFixture.load()
      try await TestStage.run { test in
        _ = try await test.stage.importFaces(
          fixture.file(fixture.people.flatMap { $0.prefix(6) }.sorted()))
        for round in 0..<2 {
          let before = try await test.fingerprint()
          let dry = try await test.stage.bootstrap(dryRun: true)
          #expect(try await test.fingerprint() == before)
          #expect(try await test.stage.runs().count == round)
          let real = try await test.stage.bootstrap()
          #expect(dry.runID == nil)
          #expect(dry.dryRun && !real.dryRun)
          #expect(dry.lineage == real.lineage)
          #expect(dry.moved == real.moved)
          #expect(dry.noiseCount == real.noiseCount)
          #expect(dry.clusterCount == real.clusterCount)
          #expect(dry.peopleCount == real.peopleCount)
          #expect(dry.candidates == real.candidates)
          #expect(try await test.stage.people().count == real.peopleCount)
          let all = Array(fixture.identities.indices)
          _ = try await test.stage.importFaces(fixture.file(all))
          // Contradict the fit by hand, so that there are questions to compare.
          let faces = try await test.faces()
          let cluster = try #require(faces["face-\(fixture.people[3][0])"]?.clusterID)
          _ = try await test.stage.assign(
            externalID: "face-\(fixture.people[4][0])", to: .cluster(cluster))
        }
      }
    }
  }
}
