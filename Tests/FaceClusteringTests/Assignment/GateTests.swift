import FaceClustering
import PostgresClient
import Store
import Testing

extension OnPostgres {
  /// The gates of both tiers, on a circle where every distance is known.
  @Suite struct GateTests {
    private static let angles = [0.0, 90, 180, 270].flatMap { Circle.person(at: $0) }

    private func run(
      fit: Bool = true, settings: StageSettings = StageSettings(),
      _ body: (TestStage) async throws -> Void
    ) async throws {
      try await TestStage.run(dimension: 4, settings: settings) { test in
        _ = try await test.stage.importFaces(Circle.file(Self.angles))
        _ = try await test.stage.bootstrap()
        if !fit {
          // Clusters stay, the model goes: only tier 2 is left.
          try await test.pool.query("UPDATE hdbscan_run SET is_active = false")
        }
        try await body(test)
        try await test.pool.query("UPDATE hdbscan_run SET is_active = (id = 1)")
      }
    }

    @Test func constraintsCloseBothTiers() async throws {
      for fit in [true, false] {
        try await run(fit: fit) { test in
          let before = try await test.faces()
          let resident = try #require(before["face-0"])
          _ = try await test.stage.importFaces(Circle.file([5, 95, 185], prefix: "new"))
          let new = try await test.faces()
          let ids = try (0..<3).map { try #require(new["new-\($0)"]).detectionID }
          let review = ReviewRepository(test.collection)
          try await test.pool.withTransaction {
            try review.constrain(
              ids[0], resident.detectionID, mustLink: false, actor: nil, on: $0)
            try review.forbid([(ids[1], nil, before["face-6"]?.personID)], actor: nil, on: $0)
          }
          let report = try await test.stage.assign()
          #expect(report.constrained == 2)
          #expect(fit ? report.assigned.predict == 1 : report.assigned.epsilonBall == 1)
          let after = try await test.faces()
          #expect(after["new-0"]?.status == "constrained")
          #expect(after["new-1"]?.status == "constrained")
          #expect(after["new-2"]?.clusterID == before["face-12"]?.clusterID)
        }
      }
    }

    @Test func twoFacesOfOnePhotoAreNotOnePerson() async throws {
      for size in [1, 100] {
        try await run { test in
          var file = Circle.file([5, 6, 96, 184], prefix: "new")
          for index in 0..<3 { file.faces[index].photo = "group" }
          // The fourth shares its photo with a face that is in the cluster already.
          file.faces[3].photo = "face-photo-12"
          _ = try await test.stage.importFaces(file)
          let report = try await test.stage.assign(batchSize: size)
          #expect(report.assigned.predict == 2)
          #expect(report.pending == 2)
          #expect(report.candidates == 2)
          let faces = try await test.faces()
          #expect(faces["new-0"]?.clusterID == faces["face-0"]?.clusterID)
          #expect(faces["new-1"]?.status == "pending")
          #expect(faces["new-2"]?.clusterID == faces["face-6"]?.clusterID)
          #expect(faces["new-3"]?.status == "pending")
          #expect(
            try await test.value(
              "SELECT string_agg(DISTINCT reason, ',') FROM face_match_candidate") == "same_photo")
        }
      }
      var settings = StageSettings()
      settings.samePhotoExclusion = false
      try await run(settings: settings) { test in
        var file = Circle.file([5, 6], prefix: "new")
        for index in file.faces.indices { file.faces[index].photo = "collage" }
        _ = try await test.stage.importFaces(file)
        #expect(try await test.stage.assign().assigned.predict == 2)
      }
    }

    @Test func decidingAgainGoesInOrderOfIdWhateverTheBatches() async throws {
      for size in [1, 100] {
        try await run { test in
          // Of two pairs the first face is kept out; the second takes its place. One pair shares a
          // photo, the other is said to be two people.
          var file = Circle.file([5, 6, 95, 96], prefix: "new")
          for index in 0..<2 { file.faces[index].photo = "group" }
          _ = try await test.stage.importFaces(file)
          let faces = try await test.faces()
          let ids = try (0..<4).map { try #require(faces["new-\($0)"]).detectionID }
          let review = ReviewRepository(test.collection)
          try await test.pool.withTransaction {
            try review.constrain(ids[2], ids[3], mustLink: false, actor: nil, on: $0)
            for (id, resident) in [(ids[0], "face-0"), (ids[2], "face-6")] {
              try review.forbid(
                [(id, faces[resident]?.clusterID, nil)], actor: nil,
                on: $0)
            }
          }
          _ = try await test.stage.assign(batchSize: size)
          let before = try await test.faces()
          #expect(
            (0..<4).map { before["new-\($0)"]?.status }
              == ["constrained", "auto", "constrained", "auto"])
          try await test.pool.query("DELETE FROM cluster_person_cannot_link")
          _ = try await test.stage.assign(force: true, batchSize: size)
          let after = try await test.faces()
          #expect(
            (0..<4).map { after["new-\($0)"]?.status }
              == ["auto", "pending", "auto", "constrained"])
        }
      }
    }

    @Test func aVerifiedClusterWantsFacesThatAreNearer() async throws {
      // Epsilon is 0.675, so that a verified cluster takes what is below 0.54; similarity alone
      // is no gate here.
      var settings = StageSettings()
      settings.gateAbsolute = -1
      try await run(fit: false, settings: settings) { test in
        let before = try await test.faces()
        try await test.pool.query(
          "UPDATE cluster SET verified = true, changed_in = pg_current_xact_id()")
        // 60° is 0.5 away in cosine distance, 65° is 0.577; the other side is out of reach.
        _ = try await test.stage.importFaces(Circle.file([-60, -65], prefix: "new"))
        try await test.pool.query(
          "UPDATE cluster SET epsilon = 0.01, changed_in = pg_current_xact_id() WHERE id <> $1",
          [.int64(try #require(before["face-0"]?.clusterID))])
        let report = try await test.stage.assign()
        #expect(report.assigned.epsilonBall == 1)
        #expect(report.pending == 1)
        let after = try await test.faces()
        #expect(after["new-0"]?.clusterID == before["face-0"]?.clusterID)
        #expect(abs((after["new-0"]?.confidence ?? 0) - 0.5) < 1e-3)
        #expect(after["new-1"]?.status == "pending")
        #expect(try await test.value("SELECT reason FROM face_match_candidate") == "verified")
      }
    }

    @Test func severalNearClustersAreAQuestionOnePerPerson() async throws {
      try await run(fit: false) { test in
        let before = try await test.faces()
        // Halfway between two people: 0.293 from both.
        _ = try await test.stage.importFaces(Circle.file([45], prefix: "new"))
        let report = try await test.stage.assign()
        #expect(report.pending == 1)
        #expect(report.candidates == 2)
        let asked = try await test.pool.query(
          "SELECT cluster_id, similarity, reason FROM face_match_candidate ORDER BY cluster_id")
        let expected = ["face-0", "face-6"].compactMap { before[$0]?.clusterID }.sorted()
        #expect(try asked.map { try $0.int64(0) } == expected)
        for row in asked {
          #expect(try row.text(2) == "ambiguous")
          #expect(abs(try row.float(1) - 0.7071) < 1e-3)
        }
        // When both clusters are one person's, there is nothing to ask.
        let owner = try #require(before["face-0"]?.personID)
        let other = try #require(before["face-6"]?.clusterID)
        try await test.give(other, toPerson: owner)
        let forced = try await test.stage.assign(force: true)
        #expect(forced.assigned.epsilonBall == 1)
        #expect(try await test.faces()["new-0"]?.personID == owner)
        #expect(
          try await test.value(
            "SELECT count(*) FROM face_match_candidate WHERE status = 'expired'") == "2")
      }
    }

    @Test func aQuestionThatExpiredIsAskedAgainAndAnAnswerIsNot() async throws {
      try await run(fit: false) { test in
        _ = try await test.stage.importFaces(Circle.file([45], prefix: "new"))
        #expect(try await test.stage.assign().candidates == 2)
        try await test.pool.query("UPDATE hdbscan_run SET is_active = true")
        // A bootstrap calls the face noise or a member: either way the question is closed.
        _ = try await test.stage.bootstrap()
        try await test.pool.query("UPDATE hdbscan_run SET is_active = false")
        #expect(
          try await test.value(
            "SELECT count(*) FROM face_match_candidate WHERE status = 'pending'") == "0")
        try await test.pool.query(
          """
          UPDATE face_match_candidate SET status = 'rejected'
          WHERE id = (SELECT min(id) FROM face_match_candidate)
          """)
        let detections = DetectionRepository(test.collection)
        let face = try #require(try await test.faces()["new-0"])
        #expect(face.clusterID == nil)
        try await test.pool.withTransaction {
          try detections.reset([face.detectionID], runID: nil, on: $0)
        }
        try await test.pool.query(
          "UPDATE cluster SET epsilon = 0.5, changed_in = pg_current_xact_id()")
        // One cluster was denied, so the other is the only choice left.
        let report = try await test.stage.assign()
        #expect(report.assigned.epsilonBall == 1)
        #expect(report.candidates == 0)
      }
    }
  }
}
