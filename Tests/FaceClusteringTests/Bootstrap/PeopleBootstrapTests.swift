import PostgresClient
import Store
import Testing
import Vectors

@testable import FaceClustering

extension OnPostgres {
  /// From a hierarchy to people, and the same policy for arrivals.
  @Suite struct PeopleBootstrapTests {
    /// Known faces of a person, which the bootstrap sees, and later ones.
    private static func split(_ fixture: FaceFixture) -> (old: [Int], new: [Int]) {
      let new = fixture.people.flatMap { $0.suffix(4) } + fixture.strangers.suffix(40)
      let held = Set(new)
      return (fixture.identities.indices.filter { !held.contains($0) }, new.sorted())
    }

    @Test(arguments: [0, 0.84] as [Float])
    func arrivalsGoToTheirPeople(share: Float) async throws {
      let fixture = try FaceFixture.load()
      let (old, new) = Self.split(fixture)
      try await TestStage.run(dimension: 129) { test in
        _ = try await test.stage.importFaces(fixture.file(old, share: share))
        let report = try await test.stage.bootstrap()
        #expect((36...38).contains(report.peopleCount))
        // Strangers who are alike under a model are no single person.
        #expect(!report.allowSingleCluster)
        let calibration = try #require(try await test.stage.calibration())
        #expect(abs(calibration.impostorMean - (Double(share) + Double(1 - share) * 0.09)) < 0.02)
        let before = try await test.faces()
        _ = try await test.stage.importFaces(fixture.file(new, share: share))
        _ = try await test.stage.assign()
        let after = try await test.faces()
        var (wrong, assigned, known) = (0, 0, 0)
        for row in new {
          let face = try #require(after["face-\(row)"])
          let own = fixture.people.first { $0.contains(row) }
          if own != nil { known += 1 }
          guard let person = face.personID else { continue }
          assigned += 1
          let ownPersons = Set((own ?? []).compactMap { before["face-\($0)"]?.personID })
          if !ownPersons.contains(person) { wrong += 1 }
        }
        #expect(wrong * 100 <= assigned)
        #expect(assigned - wrong >= known * 95 / 100)
      }
    }

    @Test func theRunKeepsItsCalibrationAndFacesTheirLabels() async throws {
      let fixture = try FaceFixture.load()
      try await TestStage.run { test in
        _ = try await test.stage.importFaces(fixture.file(Array(fixture.identities.indices)))
        let report = try await test.stage.bootstrap()
        #expect(
          try await test.value("SELECT calibration ? 'separation' FROM hdbscan_run") == "true")
        let raw = try #require(try await test.stage.fittedLabels())
        #expect(raw.count == 572 && raw.values.contains(-1))
        // Whoever is adopted has a cluster and is not core.
        #expect(
          try await test.value(
            """
            SELECT count(*) FROM person_detection
            WHERE is_adopted AND (cluster_id IS NULL OR is_core)
            """) == "0")
        #expect(
          try await test.value(
            """
            SELECT count(*) FROM cluster
            WHERE reference_count <> face_count OR reference_length NOT BETWEEN 0.3 AND 1.0001
            """) == "0")
        let again = try await test.stage.bootstrap()
        #expect(again.lineage.continued == report.clusterCount && again.moved == 0)
      }
    }

    /// Photos of one person within a minute are a few shots, and count as so many.
    @Test func timesOfPhotosReachTheGrouping() async throws {
      let fixture = try FaceFixture.load()
      func effectivePeople(timed: Bool) async throws -> Double {
        var result = 0.0
        try await TestStage.run { test in
          var file = fixture.file(Array(fixture.identities.indices))
          for (person, rows) in fixture.people.enumerated() where timed {
            for (number, row) in rows.enumerated() {
              file.faces[row].takenAt = Double(1_000 * person + number)
            }
          }
          _ = try await test.stage.importFaces(file)
          _ = try await test.stage.bootstrap()
          result = try #require(try await test.stage.calibration()).effectivePeople
        }
        return result
      }
      // People who were seen for a moment weigh less beside the strangers, whose photos have no times.
      #expect(
        try await effectivePeople(timed: true) > effectivePeople(timed: false) + 2)
    }

    @Test func rejectionsReachTheCalibration() async throws {
      let fixture = try FaceFixture.load()
      try await TestStage.run { test in
        _ = try await test.stage.importFaces(fixture.file(Array(fixture.identities.indices)))
        _ = try await test.stage.bootstrap()
        let before = try #require(try await test.stage.calibration())
        #expect(before.humanShift == 0)
        let faces = try await test.faces()
        let names = fixture.people.flatMap { $0.dropFirst(4) }.map { "face-\($0)" }
        _ = try await test.stage.reject(
          externalIDs: names.filter { faces[$0]?.personID != nil })
        _ = try await test.stage.bootstrap()
        let after = try #require(try await test.stage.calibration())
        #expect(after.humanShift > 0.1)
        #expect(after.assignmentSimilarity > before.assignmentSimilarity)
      }
    }

    @Test func aNamedPersonIsNotJoinedWithAnother() async throws {
      let fixture = try FaceFixture.load()
      try await TestStage.run { test in
        _ = try await test.stage.importFaces(fixture.file(Array(fixture.identities.indices)))
        _ = try await test.stage.bootstrap()
        // One person's faces, put by hand under two names.
        for (name, row) in zip(["Ann", "Bea"], fixture.people[0]) {
          _ = try await test.stage.assign(
            externalID: "face-\(row)", to: .newPerson(name: name))
        }
        _ = try await test.stage.bootstrap()
        let faces = try await test.faces()
        let persons = fixture.people[0].prefix(2).compactMap { faces["face-\($0)"]?.personID }
        #expect(Set(persons).count == 2)
        #expect(
          try await test.value("SELECT count(*) FROM person WHERE name IN ('Ann', 'Bea')") == "2")
      }
    }
  }
}
