import FaceClustering
import PostgresClient
import Store
import Testing

extension OnPostgres {
  /// Small and uncertain faces: no part of the fit, and grouped with it by evidence.
  @Suite struct LeftOutFacesTests {
    /// Imports all faces of the fixture; of every person the last four are small, and so are thirty strangers.
    private static func run(
      _ body: (_ test: TestStage, _ fixture: FaceFixture, _ small: [Int]) async throws -> Void
    ) async throws {
      let fixture = try FaceFixture.load()
      var file = fixture.file(Array(fixture.identities.indices))
      let small = fixture.people.flatMap { $0.suffix(4) } + fixture.strangers.suffix(30)
      for row in small { file.faces[row].box = FaceBox(x: 0, y: 0, width: 30, height: 40) }
      try await TestStage.run { test in
        _ = try await test.stage.importFaces(file)
        try await body(test, fixture, small.sorted())
      }
    }

    /// Puts a face into a cluster as if a tier had.
    private static func place(
      _ face: String, in cluster: Int64, anyway: Bool = false, _ test: TestStage
    ) async throws {
      _ = try await test.stage.assign(
        externalIDs: [face], to: .cluster(cluster), anyway: anyway)
      try await test.pool.query(
        """
        UPDATE person_detection SET cluster_status = 'auto', assigned_tier = 'predict'
        WHERE external_id = $1
        """, [.text(face)])
    }

    @Test func theyJoinTheirPeopleWithoutAFit() async throws {
      try await Self.run { test, fixture, small in
        let planned = try await test.stage.bootstrap(dryRun: true)
        let report = try await test.stage.bootstrap()
        #expect(report.embeddingCount == 572 - small.count && report.filteredCount == small.count)
        #expect(planned.filteredPlaced == report.filteredPlaced)
        #expect(planned.clusterCount == report.clusterCount)
        let faces = try await test.faces()
        let labels = try #require(try await test.stage.fittedLabels())
        var (placed, right) = (0, 0)
        for row in small {
          let face = try #require(faces["face-\(row)"])
          // The fit knows nothing of it, and what it is left out for is still said.
          #expect(labels[face.detectionID] == nil && face.reason?.hasPrefix("filtered") == true)
          #expect(face.lambda == nil && face.outlierScore == nil)
          guard let person = face.personID else {
            #expect(face.status == nil)
            continue
          }
          placed += 1
          #expect(face.status == "hdbscan" && face.tier == "bootstrap")
          let own = fixture.people.first { $0.contains(row) } ?? []
          if own.contains(where: { $0 != row && faces["face-\($0)"]?.personID == person }) {
            right += 1
          }
        }
        #expect(placed == report.filteredPlaced)
        // 36 people with four small faces each, and thirty strangers.
        #expect(placed == right && right >= 140)
        let adopted = try await test.value(
          """
          SELECT count(*) FROM person_detection
          WHERE least(face_width, face_height) < 50 AND is_adopted AND NOT is_core
          """)
        #expect(adopted == "\(placed)")
        // Whoever is left is for the tiers, and nothing changes by doing it again.
        let assigned = try await test.stage.assign()
        #expect(assigned.unassigned + assigned.pending >= small.count - placed - 2)
        let before = try await test.dump()
        let again = try await test.stage.bootstrap()
        #expect(again.moved == 0 && again.lineage.continued == again.clusterCount)
        #expect(
          TestStage.difference(before, try await test.dump()).count { $0.contains("cluster_id") }
            == 0)
      }
    }

    @Test func whatPeopleSaidOfThemHolds() async throws {
      try await Self.run { test, _, small in
        _ = try await test.stage.bootstrap()
        let faces = try await test.faces()
        let placed = small.filter { faces["face-\($0)"]?.personID != nil }
        let (refused, moved) = (placed[0], placed[20])
        let other = try #require(faces["face-\(placed[40])"]?.clusterID)
        let own = try #require(faces["face-\(refused)"]?.personID)
        _ = try await test.stage.reject(externalIDs: ["face-\(refused)"])
        _ = try await test.stage.assign(externalIDs: ["face-\(moved)"], to: .cluster(other))
        let verified = try #require(faces["face-\(placed[60])"]?.clusterID)
        _ = try await test.stage.verify(cluster: verified)
        for _ in 0..<2 {
          _ = try await test.stage.bootstrap()
          let now = try await test.faces()
          #expect(now["face-\(refused)"]?.personID != own)
          #expect(now["face-\(moved)"]?.clusterID == other)
          #expect(now["face-\(moved)"]?.status == "manual")
          #expect(now["face-\(placed[60])"]?.clusterID == verified)
        }
      }
    }

    /// A filter that is raised or lowered moves nobody: only what is fitted changes.
    @Test func theFilterMovesNobody() async throws {
      try await Self.run { test, _, small in
        var settings = test.stage.settings
        settings.minFaceSizePixels = 0
        let all = try await test.reopened(settings: settings)
        #expect(try await all.stage.bootstrap().filteredCount == 0)
        let before = try await test.faces()
        let report = try await test.stage.bootstrap()
        #expect(report.filteredCount == small.count && report.filteredPlaced >= 140)
        #expect(report.lineage.died == 0 && report.lineage.born <= 2)
        let after = try await test.faces()
        let lost = before.filter { $0.value.personID != nil }
          .count { after[$0.key]?.personID != $0.value.personID }
        #expect(lost <= 3)
        // What density said of a face that is not fitted any more is gone.
        for row in small { #expect(after["face-\(row)"]?.lambda == nil) }
        #expect(try await all.stage.bootstrap().lineage.died == 0)
      }
    }

    /// Where clusters are the labels of the fit, evidence puts nobody anywhere.
    @Test func plainDensityLeavesThemToTheTiers() async throws {
      try await TestStage.run(dimension: Circle.dimension) { test in
        var file = Circle.file(Circle.person(at: 0) + Circle.person(at: 90) + [0.1])
        file.faces[12].confidence = 0.2
        _ = try await test.stage.importFaces(file)
        let report = try await test.stage.bootstrap()
        #expect(report.filteredCount == 1 && report.filteredPlaced == 0)
        #expect(try await test.faces()["face-12"]?.status == nil)
        _ = try await test.stage.assign()
        #expect(try await test.faces()["face-12"]?.status == "auto")
      }
    }

    @Test func spoiltOnesAreSetAside() async throws {
      try await Self.run { test, _, small in
        let spoilt = "face-\(small[0])"
        try await test.pool.query(
          """
          UPDATE face_embedding SET embedding = decode(repeat('00', 512), 'hex')
          WHERE detection_id = (SELECT id FROM person_detection WHERE external_id = $1)
          """, [.text(spoilt)])
        let report = try await test.stage.bootstrap()
        #expect(report.filteredPlaced >= 139 && report.invalid == 0)
        _ = try await test.stage.assign()
        #expect(try await test.faces()[spoilt]?.status == "invalid")
      }
    }

    /// Two faces of one photo are not one person, also where one of them was placed before and is alone now.
    @Test func whoIsAloneGivesWayInAPhoto() async throws {
      try await Self.run { test, _, small in
        _ = try await test.stage.bootstrap()
        let faces = try await test.faces()
        let placed = small.filter { faces["face-\($0)"]?.personID != nil }
        let cluster = try #require(faces["face-\(placed[0])"]?.clusterID)
        // A stranger that a tier put there, in the photo of one who belongs there.
        let stranger = try #require(small.last { faces["face-\($0)"]?.clusterID == nil })
        try await test.pool.query(
          """
          UPDATE person_detection SET photo_id =
            (SELECT photo_id FROM person_detection WHERE external_id = $2)
          WHERE external_id = $1
          """, [.text("face-\(stranger)"), .text("face-\(placed[0])")])
        try await Self.place("face-\(stranger)", in: cluster, anyway: true, test)
        let report = try await test.stage.bootstrap()
        let after = try await test.faces()
        #expect(after["face-\(placed[0])"]?.clusterID == cluster)
        #expect(after["face-\(stranger)"]?.status == nil && report.moved == 1)
        _ = try await test.stage.assign()
        #expect(try await test.faces()["face-\(stranger)"]?.clusterID == nil)
      }
    }

    /// Of two faces that people said are different, the one that the grouping left alone goes.
    @Test func whoIsAloneGivesWayToWhatPeopleSaid() async throws {
      try await Self.run { test, _, small in
        _ = try await test.stage.bootstrap()
        let faces = try await test.faces()
        let adopted = try #require(small.first { faces["face-\($0)"]?.personID != nil })
        let cluster = try #require(faces["face-\(adopted)"]?.clusterID)
        let stranger = try #require(small.last { faces["face-\($0)"]?.clusterID == nil })
        try await Self.place("face-\(stranger)", in: cluster, test)
        let ids = try [stranger, adopted].map { try #require(faces["face-\($0)"]?.detectionID) }
        let review = ReviewRepository(test.collection)
        _ = try await test.pool.withTransaction {
          try review.constrain(ids[0], ids[1], mustLink: false, actor: nil, on: $0)
        }
        _ = try await test.stage.bootstrap()
        let after = try await test.faces()
        #expect(after["face-\(adopted)"]?.clusterID == cluster)
        #expect(after["face-\(stranger)"]?.clusterID == nil)
      }
    }

    /// What the tiers could not place of the faces of a bootstrap says nothing about what came since.
    @Test func leftoversAreNoArrivals() async throws {
      try await Self.run { test, _, _ in
        _ = try await test.stage.bootstrap()
        let assigned = try await test.stage.assign()
        #expect(assigned.unassigned >= 20)
        #expect(try await test.stage.checkStaleness(now: 0).status == .fresh)
      }
    }
  }
}
