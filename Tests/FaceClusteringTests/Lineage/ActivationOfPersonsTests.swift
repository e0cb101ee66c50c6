import FaceClustering
import PostgresClient
import Store
import Testing

extension OnPostgres {
  /// A later run may put clusters under others; who goes back finds them as they were.
  @Suite struct ActivationOfPersonsTests {
    private struct Joined {
      var test: TestStage
      var runs: (first: Int64, second: Int64)
      /// The person that the cluster went to, and the one that it had been of.
      var person: Int64
      var former: Int64
      var cluster: Int64

      func owner() async throws -> Int64 { try await test.stage.cluster(cluster).personID }
    }

    /// Two runs over four people; under the second one cluster went to another person, as maintenance does it.
    private func afterAJoin(_ body: (Joined) async throws -> Void) async throws {
      try await TestStage.runFourPeople { test, faces in
        let first = try #require(try await test.stage.runs().first?.id)
        let second = try #require(try await test.stage.bootstrap().runID)
        let (own, other) = (try #require(faces["face-0"]), try #require(faces["face-6"]))
        let joined = Joined(
          test: test, runs: (first, second), person: try #require(own.personID),
          former: try #require(other.personID), cluster: try #require(other.clusterID))
        try await test.give(joined.cluster, toPerson: joined.person)
        try await body(joined)
      }
    }

    @Test func clustersGoBackToTheirPersons() async throws {
      try await afterAJoin { joined in
        let (stage, runs) = (joined.test.stage, joined.runs)
        for _ in 0..<2 {
          _ = try await stage.activate(run: runs.first)
          #expect(try await joined.owner() == joined.former)
          try await joined.test.expectInvariants()
          _ = try await stage.undo()
          #expect(try await joined.owner() == joined.person)
          _ = try await stage.activate(run: runs.first)
          _ = try await stage.activate(run: runs.second)
          #expect(try await joined.owner() == joined.person)
        }
      }
    }

    enum Word: CaseIterable { case name, nameTakenBack, nameOfFormer, verify, byHand, merge }

    @Test(arguments: Word.allCases) func whatPeopleSaidSinceStands(_ word: Word) async throws {
      try await afterAJoin { joined in
        let (stage, runs) = (joined.test.stage, joined.runs)
        _ = try await stage.activate(run: runs.first)
        _ = try await stage.activate(run: runs.second)
        var owner = joined.person
        switch word {
        case .name: _ = try await stage.name(person: joined.person, "Ann")
        case .nameTakenBack:
          _ = try await stage.name(person: joined.person, "Ann")
          _ = try await stage.undo()
          owner = joined.former
        case .nameOfFormer:
          _ = try await stage.activate(run: runs.first)
          _ = try await stage.name(person: joined.former, "Bob")
          _ = try await stage.activate(run: runs.second)
          owner = joined.former
        case .verify: _ = try await stage.verify(cluster: joined.cluster)
        case .byHand:
          _ = try await stage.assign(externalIDs: ["face-6"], to: .cluster(joined.cluster))
        case .merge:
          owner = try #require(try await joined.test.faces()["face-12"]?.personID)
          _ = try await stage.merge(persons: [joined.person], into: owner)
        }
        _ = try await stage.activate(run: runs.first)
        #expect(try await joined.owner() == owner)
      }
    }

    /// The face came while the cluster was of somebody else, and its photo has that person already.
    @Test(arguments: [true, false])
    func whoWouldBeTwiceInAPhotoIsNewAgain(isExclusive: Bool) async throws {
      try await afterAJoin { joined in
        let (test, runs) = (joined.test, joined.runs)
        _ = try await test.stage.activate(run: runs.first)
        _ = try await test.stage.importFaces(Circle.file([90.2], prefix: "late"))
        _ = try await test.stage.assign()
        try #require(try await test.faces()["late-0"]?.clusterID == joined.cluster)
        try await test.pool.query(
          """
          UPDATE person_detection SET photo_id = (SELECT photo_id FROM person_detection
            WHERE external_id = 'face-0') WHERE external_id = 'late-0'
          """)
        var settings = test.stage.settings
        settings.samePhotoExclusion = isExclusive
        _ = try await test.reopened(settings: settings).stage.activate(run: runs.second)
        #expect(try await joined.owner() == joined.person)
        let late = try #require(try await test.faces()["late-0"])
        #expect(late.clusterID == (isExclusive ? nil : joined.cluster))
        #expect((late.status == nil) == isExclusive)
      }
    }

    /// Of that person a human said that the face is not.
    @Test func whatIsForbiddenStaysForbidden() async throws {
      try await afterAJoin { joined in
        let (test, runs) = (joined.test, joined.runs)
        _ = try await test.stage.activate(run: runs.first)
        _ = try await test.stage.reject(
          externalIDs: ["face-6"],
          from: .cluster(try #require(try await test.faces()["face-0"]?.clusterID)))
        _ = try await test.stage.activate(run: runs.second)
        let rows = try await test.faces()
        #expect(rows["face-6"]?.clusterID == nil)
        #expect(rows["face-7"]?.personID == joined.person)
      }
    }
  }
}
