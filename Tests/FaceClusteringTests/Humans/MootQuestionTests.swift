import PostgresClient
import Store
import Testing

@testable import FaceClustering

extension OnPostgres {
  /// A question goes when where its face is, or what people said, answers it.
  @Suite struct MootQuestionTests {
    private func ask(
      _ test: TestStage, about face: AssignmentRow, in cluster: Int64?,
      reason: String = "bootstrap_conflict"
    ) async throws {
      let review = ReviewRepository(test.collection)
      let question = CandidateQuestion(
        detectionID: face.detectionID, clusterID: try #require(cluster), similarity: 0.6,
        reason: reason)
      try await test.pool.withTransaction { _ = try review.ask([question], on: $0) }
    }

    @Test func aFaceThatIsBackIsNotAskedAbout() async throws {
      try await TestStage.runFourPeople { test, faces in
        let home = try #require(faces["face-0"]?.clusterID)
        let moved = try await test.stage.assign(
          externalIDs: ["face-0"], to: .cluster(try #require(faces["face-6"]?.clusterID)))
        _ = try await test.stage.bootstrap()
        #expect(try await test.stage.candidates().map(\.clusterID) == [home])
        _ = try await test.stage.undo(action: moved.actionID)
        #expect(try await test.faces()["face-0"]?.clusterID == home)
        #expect(try await test.stage.candidates().isEmpty)
      }
    }

    @Test(arguments: ["maintain", "reject"])
    func aNoAboutThePersonOfAFaceMovesNobody(deed: String) async throws {
      try await TestStage.runFourPeople { test, faces in
        let (own, other) = (try #require(faces["face-6"]), try #require(faces["face-12"]))
        _ = try await test.stage.merge(
          persons: [try #require(other.personID)], into: try #require(own.personID))
        _ = try await test.stage.assign(
          externalIDs: ["face-6"], to: .cluster(try #require(own.clusterID)))
        try await ask(test, about: own, in: other.clusterID)
        let before = try await test.faces()
        if deed == "reject" {
          let question = try #require(try await test.stage.candidates().first)
          #expect(try await test.stage.reject(candidates: [question.id]).moved == 0)
        } else {
          _ = try await test.stage.maintain([.questions], apply: true)
        }
        #expect(try await test.stage.candidates().isEmpty)
        #expect(try await test.faces() == before)
        #expect(try await test.value("SELECT count(*) FROM cluster_person_cannot_link") == "0")
        #expect(try await test.value("SELECT status FROM face_match_candidate") == "expired")
      }
    }

    /// Its cluster is of somebody whom people said the face is not: a yes would take that back silently.
    @Test func aMergeClosesWhatWasAnsweredBefore() async throws {
      try await TestStage.runFourPeople { test, faces in
        let (asked, heir, source) = (
          try #require(faces["face-0"]), try #require(faces["face-6"]?.personID),
          try #require(faces["face-12"])
        )
        _ = try await test.stage.reject(externalIDs: ["face-0"], from: .person(heir))
        try await ask(test, about: asked, in: source.clusterID)
        let before = try await test.dump()
        _ = try await test.stage.merge(persons: [try #require(source.personID)], into: heir)
        #expect(try await test.stage.candidates().isEmpty)
        #expect(try await test.faces()["face-0"] == asked)
        _ = try await test.stage.undo()
        #expect(try await test.stage.candidates().count == 1)
        #expect(TestStage.difference(before, try await test.dump()) == [])
      }
    }

    @Test func whoWaitsForSuchAnAnswerIsTriedAgain() async throws {
      try await TestStage.runFourPeople { test, faces in
        let (waiting, heir, source) = (
          try #require(faces["face-0"]), try #require(faces["face-6"]?.personID),
          try #require(faces["face-12"])
        )
        _ = try await test.stage.reject(externalIDs: ["face-0"])
        _ = try await test.stage.reject(externalIDs: ["face-0"], from: .person(heir))
        let collection = test.collection
        try await test.pool.withTransaction {
          _ = try DetectionRepository(collection).place(
            [Placement(detectionID: waiting.detectionID, status: .pending, tier: "epsilon_ball")],
            runID: nil, on: $0)
        }
        try await ask(test, about: waiting, in: source.clusterID, reason: "ambiguous")
        _ = try await test.stage.merge(persons: [try #require(source.personID)], into: heir)
        #expect(try await test.stage.candidates().isEmpty)
        #expect(try await test.faces()["face-0"]?.status == nil)
      }
    }
  }
}
