import FaceClustering
import PostgresClient
import Store
import Testing
import Vectors

extension OnPostgres {
  /// Who is nobody here stays in the pool, whatever the model and however small the library.
  @Suite struct StrangerTests {
    /// Of one person nobody knows how alike strangers are: of the photos of this one, alike by 0.55, a limit
    /// six deviations below them let 40 of 140 strangers in.
    @Test func aLibraryOfOnePersonTakesNoStrangersIn() async throws {
      let fixture = try FaceFixture.load()
      let person = try #require(fixture.people.first { $0.contains(180) })
      try await TestStage.run { test in
        _ = try await test.stage.importFaces(fixture.file(person))
        let report = try await test.stage.bootstrap()
        #expect(report.peopleCount == 1)
        _ = try await test.stage.importFaces(fixture.file(fixture.strangers))
        _ = try await test.stage.assign()
        _ = try await test.stage.maintain([.pool])
        let faces = try await test.faces()
        #expect(fixture.strangers.count { faces["face-\($0)"]?.personID != nil } <= 1)
      }
    }

    /// Frames of one shot say nothing of how unlike photos are: another frame joins all the same.
    @Test func aLibraryOfOneShotTakesItsFramesIn() async throws {
      let fixture = try FaceFixture.load()
      let (face, other) = (fixture.people[0][0], fixture.strangers[0])
      try await TestStage.run { test in
        func file(_ vectors: Matrix<Float>, _ prefix: String) -> FaceFile {
          FaceFile(
            faces: (0..<vectors.rows).map {
              IncomingFace(externalID: "\(prefix)-\($0)", photo: "\(prefix)-\($0)")
            }, rows: Array(0..<vectors.rows), embeddings: vectors)
        }
        let shot = fixture.embeddings.selecting(rows: [Int](repeating: face, count: 20))
        _ = try await test.stage.importFaces(file(shot, "frame"))
        #expect(try await test.stage.bootstrap().peopleCount == 1)
        let calibration = try #require(try await test.stage.calibration())
        #expect(calibration.assignmentSimilarity < 0.96 && calibration.impostorDeviation > 0)
        // A copy, a frame at a cosine of 0.99, and somebody else.
        let (own, far) = (shot.values(ofRow: 0), fixture.embeddings.values(ofRow: other))
        let product = zip(own, far).reduce(Float(0)) { $0 + $1.0 * $1.1 }
        let apart = zip(far, own).map { $0 - product * $1 }
        let length = apart.reduce(Float(0)) { $0 + $1 * $1 }.squareRoot()
        let share = Float(1 - 0.99 * 0.99).squareRoot() / length
        let near = zip(own, apart).map { 0.99 * $0 + share * $1 }
        _ = try await test.stage.importFaces(file(Matrix([own, near, far]), "new"))
        _ = try await test.stage.assign()
        let faces = try await test.faces()
        let person = try #require(faces["frame-0"]?.personID)
        #expect(faces["new-0"]?.personID == person && faces["new-1"]?.personID == person)
        #expect(faces["new-2"]?.personID == nil)
      }
    }

    @Test(arguments: [2, 3, 5])
    func aLibraryOfAFewPeopleTakesFewStrangersIn(count: Int) async throws {
      let fixture = try FaceFixture.load()
      let people = fixture.people.suffix(from: 15).prefix(count)
      try await TestStage.run { test in
        _ = try await test.stage.importFaces(fixture.file(people.flatMap { $0 }))
        let report = try await test.stage.bootstrap()
        #expect(report.peopleCount == count)
        _ = try await test.stage.importFaces(fixture.file(fixture.strangers))
        _ = try await test.stage.assign()
        let faces = try await test.faces()
        #expect(fixture.strangers.count { faces["face-\($0)"]?.personID != nil } <= 1)
      }
    }

    /// Under a model whose vectors share a constant all faces are near each other, and near everybody's middle.
    @Test(arguments: [0, 0.84] as [Float])
    func maintenanceKeepsPeopleApart(share: Float) async throws {
      let fixture = try FaceFixture.load()
      // Half of the people are new, among strangers.
      let (known, new) = (fixture.people.prefix(18), fixture.people.suffix(18))
      try await TestStage.run(dimension: 129) { test in
        _ = try await test.stage.importFaces(
          fixture.file(known.flatMap { $0 } + fixture.strangers.prefix(40), share: share))
        _ = try await test.stage.bootstrap()
        let first = try #require(try await test.faces()["face-\(known[0][0])"]?.personID)
        _ = try await test.stage.name(person: first, "Ada")
        // All of them wait for maintenance.
        var settings = StageSettings()
        settings.unassignedClusterThreshold = 1_000
        let waiting = try await test.reopened(settings: settings)
        _ = try await waiting.stage.importFaces(
          fixture.file(new.flatMap { $0 } + fixture.strangers.suffix(100), share: share))
        _ = try await waiting.stage.assign()
        _ = try await test.stage.maintain([.pool, .association], apply: true)
        let faces = try await test.faces()
        var identities: [Int64: Set<Int>] = [:]
        for (row, identity) in fixture.identities.enumerated() {
          guard let person = faces["face-\(row)"]?.personID else { continue }
          identities[person, default: []].insert(identity)
        }
        #expect(identities.count { $0.value.count > 1 } <= 1)
        #expect(identities.count >= 30)
        #expect(fixture.strangers.count { faces["face-\($0)"]?.personID != nil } <= 2)
        try await test.expectInvariants()
      }
    }
  }
}
