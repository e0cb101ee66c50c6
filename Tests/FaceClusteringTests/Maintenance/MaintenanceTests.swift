import FaceClustering
import PostgresClient
import Store
import TestSupport
import Testing

extension OnPostgres {
  /// What maintenance finds and mends, and that it does so once.
  @Suite struct MaintenanceTests {
    private static let people = [0.0, 90, 180, 270].flatMap { Circle.person(at: $0) }

    private func bootstrapped(_ test: TestStage) async throws {
      _ = try await test.stage.importFaces(Circle.file(Self.people))
      _ = try await test.stage.bootstrap()
    }

    private func outcome(
      _ task: MaintenanceTask, _ test: TestStage, dryRun: Bool = false, apply: Bool = false
    ) async throws -> MaintenanceOutcome {
      let report = try await test.stage.maintain([task], dryRun: dryRun, apply: apply)
      let outcome = try #require(report.tasks.first)
      #expect(outcome.error == nil)
      return outcome
    }

    @Test func countsAndCentroidsAreMadeAnewOnce() async throws {
      try await TestStage.run(dimension: 4) { test in
        try await bootstrapped(test)
        let right = try await test.fingerprint()
        #expect(try await outcome(.counts, test).changed == 0)
        try await test.pool.query(
          """
          UPDATE cluster SET face_count = face_count + 1 WHERE id = (SELECT min(id) FROM cluster)
          """)
        try await test.pool.query(
          """
          UPDATE cluster SET centroid = reference_centroid, centroid_sum = decode(repeat('00', 32), 'hex')
          WHERE id = (SELECT max(id) FROM cluster)
          """)
        let spoilt = try await test.fingerprint()
        #expect(try await outcome(.counts, test, dryRun: true).changed == 2)
        #expect(try await test.fingerprint() == spoilt)
        let mended = try await outcome(.counts, test)
        #expect(mended.changed == 2 && mended.examined == 4)
        #expect(mended.findings.first?.contains("7 faces where there are 6") == true)
        #expect(try await outcome(.counts, test).changed == 0)
        try await test.expectInvariants()
        let counts = try await test.value("SELECT string_agg(face_count::text, '') FROM cluster")
        #expect(counts == "6666" && right != spoilt)
      }
    }

    @Test func clustersWithoutFacesGoUnlessPeopleSaidSomething() async throws {
      try await TestStage.run(dimension: 4) { test in
        try await bootstrapped(test)
        let faces = try await test.faces()
        let named = try #require(faces["face-0"]?.personID)
        _ = try await test.stage.name(person: named, "Ada")
        let home = try #require(faces["face-18"]?.clusterID)
        #expect(
          try await test.stage.deleteFaces(externalIDs: (0..<12).map { "face-\($0)" }) == 12)
        let dry = try await outcome(.emptyClusters, test, dryRun: true)
        #expect(dry.changed == 1 && dry.examined == 2)
        let retired = try await outcome(.emptyClusters, test)
        #expect(retired.changed == 1)
        #expect(retired.findings.count == 1 && retired.findings[0].contains("named “Ada”"))
        #expect(try await outcome(.emptyClusters, test).changed == 0)
        #expect(
          try await test.value("SELECT count(*) FROM cluster WHERE retired_at IS NULL") == "3")
        // A mistake with all faces of a cluster can still be taken back the day after.
        _ = try await test.stage.assign(
          externalIDs: (12..<18).map { "face-\($0)" }, to: .cluster(home))
        let kept = try await outcome(.emptyClusters, test)
        #expect(kept.changed == 0 && kept.findings.contains { $0.contains("may undo it") })
        _ = try await test.stage.undo()
        #expect(try await test.faces()["face-12"]?.clusterID == faces["face-12"]?.clusterID)
      }
    }

    @Test func peopleEmergeFromThePoolOnce() async throws {
      try await TestStage.run { test in
        let fixture = try FaceFixture.load()
        let known = fixture.people.prefix(24).flatMap { $0 }
        _ = try await test.stage.importFaces(fixture.file(known + fixture.strangers))
        _ = try await test.stage.bootstrap()
        let unknown = fixture.people.dropFirst(24).flatMap { $0 }
        // One by one, so that the pool's own rule sees no five of them: it needs more than there are.
        var settings = StageSettings()
        settings.unassignedClusterThreshold = 100
        let patient = try await test.reopened(settings: settings)
        _ = try await patient.stage.importFaces(fixture.file(unknown))
        _ = try await patient.stage.assign()
        let before = try await test.fingerprint()
        let dry = try await outcome(.pool, test, dryRun: true)
        #expect(dry.changed > 0)
        #expect(try await test.fingerprint() == before)

        let found = try await outcome(.pool, test)
        let born = try await test.pool.query(
          """
          SELECT c.id, min(d.lambda_val), max(d.outlier_score), count(DISTINCT d.cluster_status)
          FROM cluster c JOIN person_detection d ON d.cluster_id = c.id
          WHERE c.origin = 'emerging' GROUP BY c.id
          """)
        #expect(born.count >= 8)
        for row in born {
          #expect(try row.optionalFloat(1) ?? 0 > 0)
          #expect(try row.optionalFloat(2) != nil)
        }
        // Nobody is with strangers.
        let faces = try await test.faces()
        var identities: [Int64: Set<Int>] = [:]
        for row in unknown {
          guard let cluster = faces["face-\(row)"]?.clusterID else { continue }
          identities[cluster, default: []].insert(fixture.identities[row])
        }
        #expect(identities.values.allSatisfy { $0.count == 1 })
        #expect(found.changed > 80)
        #expect(try await test.value("SELECT count(*) FROM hdbscan_run") == "1")
        try await test.expectInvariants()
        let after = try await test.fingerprint()
        #expect(try await outcome(.pool, test).changed == 0)
        #expect(try await test.fingerprint() == after)
      }
    }

    @Test func personsThatMayBeOneAreAskedAboutOrJoined() async throws {
      try await TestStage.run(dimension: 4) { test in
        var settings = StageSettings()
        settings.clusterExtraction = .density
        settings.gateAbsolute = 0.55
        let test = try await test.reopened(settings: settings)
        // Two of one person, 20° apart (cosine distance 0.06), and one far away.
        let angles = [0.0, 20, 180].flatMap { Circle.person(at: $0) }
        _ = try await test.stage.importFaces(Circle.file(angles))
        _ = try await test.stage.bootstrap()
        let faces = try await test.faces()
        let persons = Set(faces.values.compactMap(\.personID))
        #expect(persons.count == 3)
        let asked = try await outcome(.association, test)
        #expect(asked.changed == 1 && asked.found == 1)
        #expect(try await outcome(.association, test).changed == 0)
        #expect(
          try await test.value("SELECT string_agg(reason, ' ') FROM face_match_candidate")
            == "association")
        try await test.expectInvariants()

        let joined = try await outcome(.association, test, apply: true)
        #expect(joined.changed == 1)
        #expect(try await outcome(.association, test, apply: true).found == 0)
        let after = try await test.faces()
        #expect(after["face-0"]?.personID == after["face-6"]?.personID)
        #expect(after["face-0"]?.clusterID != after["face-6"]?.clusterID)
        #expect(after["face-12"]?.personID == faces["face-12"]?.personID)
        // The question is none any more.
        #expect(try await test.stage.candidates().isEmpty)
        #expect(try await outcome(.questions, test).changed == 0)
      }
    }

    @Test func aFaceThatIsDeletedMeanwhileIsNotAskedAbout() async throws {
      try await TestStage.run(dimension: 4) { test in
        var settings = StageSettings()
        settings.clusterExtraction = .density
        settings.gateAbsolute = 0.55
        let test = try await test.reopened(settings: settings)
        _ = try await test.stage.importFaces(
          Circle.file([0.0, 20, 180].flatMap { Circle.person(at: $0) }))
        _ = try await test.stage.bootstrap()
        let other = try await test.pool.connectionOfItsOwn()
        try await other.query("BEGIN")
        for sql in [
          "DELETE FROM face_embedding WHERE detection_id IN (SELECT medoid_detection_id FROM cluster)",
          "DELETE FROM person_detection WHERE id IN (SELECT medoid_detection_id FROM cluster)",
        ] { try await other.query(sql) }
        let asking = Task { try await test.stage.maintain([.association]) }
        try await eventually("the question waits for the face") {
          try await test.somebodyWaitsForALock()
        }
        try await other.query("COMMIT")
        await other.close()
        #expect(try await asking.value.tasks.allSatisfy { $0.error == nil })
        #expect(try await test.value("SELECT count(*) FROM face_match_candidate") == "0")
        _ = try await outcome(.counts, test)
      }
    }

    @Test func aMedoidThatLeftItsClusterIsNotAskedAbout() async throws {
      try await TestStage.run(dimension: 4) { test in
        var settings = StageSettings()
        settings.clusterExtraction = .density
        settings.gateAbsolute = 0.55
        let test = try await test.reopened(settings: settings)
        _ = try await test.stage.importFaces(
          Circle.file([0.0, 20, 180].flatMap { Circle.person(at: $0) }))
        _ = try await test.stage.bootstrap()
        // The central face of each of the two that may be one goes to the third.
        let third = try #require(try await test.faces()["face-12"]?.clusterID)
        let medoids = try await test.pool.query(
          "SELECT medoid_detection_id FROM cluster WHERE id <> $1", [.int64(third)]
        ).map { try $0.int64(0) }
        let names = try await test.faces().values.filter { medoids.contains($0.detectionID) }
        _ = try await test.stage.assign(
          externalIDs: names.map(\.externalID), to: .cluster(third), anyway: true)
        try await test.pool.query(
          "UPDATE cluster SET medoid_detection_id = $1 WHERE id <> $2",
          [.int64(medoids[0]), .int64(third)])
        _ = try await outcome(.association, test)
        let strangers = try await test.value(
          """
          SELECT count(*) FROM face_match_candidate m
          JOIN person_detection d ON d.id = m.detection_id WHERE d.cluster_id = \(third)
          """)
        #expect(strangers == "0")
      }
    }

    @Test(arguments: ["names", "photo", "said", "separated"])
    func personsThatCannotBeOneAreNotSuggested(why: String) async throws {
      try await TestStage.run(dimension: 4) { test in
        var settings = StageSettings()
        settings.clusterExtraction = .density
        settings.gateAbsolute = 0.55
        let test = try await test.reopened(settings: settings)
        var file = Circle.file([0.0, 20, 180].flatMap { Circle.person(at: $0) })
        if why == "photo" { file.faces[8].photo = file.faces[2].photo }
        _ = try await test.stage.importFaces(file)
        _ = try await test.stage.bootstrap()
        let faces = try await test.faces()
        let (one, other) = (try #require(faces["face-0"]), try #require(faces["face-6"]))
        let persons = (try #require(one.personID), try #require(other.personID))
        #expect(persons.0 != persons.1)
        switch why {
        case "names":
          _ = try await test.stage.name(person: persons.0, "Ada")
          _ = try await test.stage.name(person: persons.1, "Eve")
        case "said":
          let review = ReviewRepository(test.collection)
          try await test.pool.withTransaction {
            try review.forbid([(one.detectionID, nil, persons.1)], actor: nil, on: $0)
          }
        case "separated":
          _ = try await test.stage.merge(persons: [persons.1], into: persons.0)
          _ = try await test.stage.separate(person: persons.0)
        default: break
        }
        #expect(try await outcome(.association, test).found == 0)
      }
    }

    @Test func driftIsToldWhereThereAreEnoughNewFaces() async throws {
      try await TestStage.run(dimension: 4) { test in
        #expect(try await outcome(.drift, test).findings.first?.contains("no run") == true)
        try await bootstrapped(test)
        _ = try await test.stage.importFaces(
          Circle.file([4, 4.5, 5, 5.5, 6, 94], prefix: "new"))
        _ = try await test.stage.assign()
        let drift = try await outcome(.drift, test)
        let cluster = try #require(try await test.faces()["face-0"]?.clusterID)
        #expect(drift.findings.first?.hasPrefix("cluster \(cluster): +") == true)
        #expect(drift.findings.last == "1 clusters have fewer than 5 new faces")
      }
    }

    @Test func aTaskThatFailsIsSaidAndKeepsNoOtherBack() async throws {
      try await TestStage.run(dimension: 4) { test in
        try await bootstrapped(test)
        try await test.pool.query(
          "CREATE TABLE saved AS SELECT id, centroid_sum AS sum FROM cluster")
        try await test.pool.query("UPDATE cluster SET centroid_sum = 'short'")
        let report = try await test.stage.maintain(MaintenanceTask.daily)
        #expect(!report.succeeded)
        #expect(report.tasks.filter { !$0.succeeded }.map(\.task) == [.counts])
        #expect(report.tasks.map(\.task) == MaintenanceTask.daily)
        #expect(report.tasks[1].error?.contains("sum of wrong length") == true)
        try await test.pool.query(
          "UPDATE cluster SET centroid_sum = sum FROM saved WHERE saved.id = cluster.id")
      }
    }

    @Test func maintenanceBesideWritersLeavesEverythingRight() async throws {
      try await TestStage.run { test in
        let fixture = try FaceFixture.load()
        _ = try await test.stage.importFaces(fixture.file(fixture.people.flatMap { $0.prefix(6) }))
        _ = try await test.stage.bootstrap()
        let arrivals = fixture.people.flatMap { $0.dropFirst(6) } + fixture.strangers
        let stage = test.stage
        try await test.withWorkers(2) {
          try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
              for start in stride(from: 0, to: arrivals.count, by: 15) {
                _ = try await stage.importFaces(
                  fixture.file(Array(arrivals[start..<min(start + 15, arrivals.count)])))
              }
            }
            group.addTask {
              for _ in 0..<6 {
                let report = try await stage.maintain(MaintenanceTask.allCases, apply: true)
                for task in report.tasks { #expect(task.error == nil) }
              }
            }
            group.addTask { for _ in 0..<2 { _ = try await stage.assign(force: true) } }
            try await group.waitForAll()
          }
          try await eventually("everything is decided") { try await test.isSettled() }
        }
        try await test.expectInvariants()
        _ = try await stage.maintain(MaintenanceTask.allCases)
        let once = try await test.fingerprint()
        let report = try await stage.maintain(MaintenanceTask.allCases)
        #expect(report.tasks.filter { $0.changed > 0 }.map(\.task) == [])
        #expect(try await test.fingerprint() == once)
      }
    }
  }
}
