import PostgresClient
import Store
import Testing

@testable import FaceClustering

extension OnPostgres {
  /// A question whether two persons are one is answered for the persons, not for one face.
  @Suite struct AssociationQuestionTests {
    /// Two clusters of one person, 20° apart (cosine distance 0.06), and one far away; a question
    /// waits about the first two.
    private func asked(
      _ test: TestStage
    ) async throws -> (one: AssignmentRow, other: AssignmentRow, question: CandidateRecord) {
      _ = try await test.stage.importFaces(
        Circle.file([0.0, 20, 180].flatMap { Circle.person(at: $0) }))
      _ = try await test.stage.bootstrap()
      try await ask(test)
      let question = try #require(try await test.stage.candidates().first)
      #expect(question.reason == CandidateQuestion.association)
      let faces = try await test.faces()
      let asked = try #require(faces[question.externalID])
      let other = try #require(faces.values.first { $0.clusterID == question.clusterID })
      return (asked, other, question)
    }

    private func ask(_ test: TestStage) async throws {
      let report = try await test.stage.maintain([.association])
      #expect(report.tasks.map(\.error) == [nil])
    }

    private func inACircle(_ body: (TestStage) async throws -> Void) async throws {
      var settings = StageSettings()
      settings.gateAbsolute = 0.55
      try await TestStage.run(dimension: 4, settings: settings, body)
    }

    @Test func yesMakesThemOnePersonAndUndoTwo() async throws {
      try await inACircle { test in
        let (one, other, question) = try await asked(test)
        let before = try await test.dump()
        let report = try await test.stage.accept(candidate: question.id, actor: "ann")
        #expect(report.kind == "accept_candidate" && report.moved == 0)
        let after = try await test.faces()
        #expect(after[one.externalID]?.personID == other.personID)
        #expect(after[one.externalID]?.clusterID == one.clusterID)
        #expect(after[one.externalID]?.status == one.status)
        let people = try await test.stage.people()
        #expect(people.map(\.clusterCount) == [2, 1] && people.map(\.faceCount) == [12, 6])
        #expect(try await test.stage.actions().first?.actor == "ann")
        try await test.expectInvariants()
        await #expect(throws: HumanActionError.self) {
          try await test.stage.accept(candidate: question.id)
        }
        _ = try await test.stage.undo(actor: "ann")
        #expect(TestStage.difference(before, try await test.dump()) == [])
        // And once more.
        _ = try await test.stage.accept(candidate: question.id)
        #expect(try await test.stage.people().count == 2)
      }
    }

    @Test(arguments: [true, false]) func theNameGoesOn(namesTheFace: Bool) async throws {
      try await inACircle { test in
        let (one, other, question) = try await asked(test)
        let named = try #require(namesTheFace ? one.personID : other.personID)
        _ = try await test.stage.name(person: named, "Ada")
        let verified = try #require(one.clusterID)
        _ = try await test.stage.verify(cluster: verified)
        _ = try await test.stage.accept(candidate: question.id)
        let faces = try await test.faces()
        #expect(faces[one.externalID]?.personID == named)
        #expect(faces[other.externalID]?.personID == named)
        #expect(faces[one.externalID]?.person == "Ada")
        #expect(try await test.stage.cluster(verified).verified)
      }
    }

    @Test func twoNamesAreNotMadeOneSilently() async throws {
      try await inACircle { test in
        let (one, other, question) = try await asked(test)
        _ = try await test.stage.name(person: try #require(one.personID), "Ada")
        _ = try await test.stage.name(person: try #require(other.personID), "Eve")
        let before = try await test.dump()
        let error = await #expect(throws: HumanActionError.self) {
          try await test.stage.accept(candidate: question.id)
        }
        #expect(error?.description.contains("“Ada”") == true)
        #expect(error?.description.contains("“Eve”") == true)
        #expect(try await test.dump() == before)
      }
    }

    @Test func noHoldsInEveryLaterRunAndCanBeTakenBack() async throws {
      try await inACircle { test in
        let (one, other, question) = try await asked(test)
        let before = try await test.dump()
        let report = try await test.stage.reject(candidates: [question.id])
        #expect(report.moved == 0)
        try await test.expectInvariants()
        for apply in [true, false] {
          let outcome = try await test.stage.maintain([.association], apply: apply).tasks[0]
          #expect(outcome.error == nil && outcome.found == 0)
        }
        // A fit that would make one cluster of both keeps them apart.
        _ = try await test.stage.importFaces(
          Circle.file([3.0, 5, 7, 9, 11, 13, 15, 17], prefix: "between"))
        _ = try await test.stage.bootstrap()
        let faces = try await test.faces()
        #expect(faces[one.externalID]?.personID == one.personID)
        #expect(faces[one.externalID]?.personID != faces[other.externalID]?.personID)
        let medoid = try #require(
          try await test.value("SELECT count(*) FROM detection_constraint").flatMap(Int.init))
        #expect(medoid == 1)
        _ = try await test.stage.undo()
        #expect(try await test.value("SELECT count(*) FROM detection_constraint") == "0")
        #expect(
          before.contains("\"pending\"")
            == (try await test.stage.candidates(limit: 5).contains { $0.id == question.id }))
      }
    }

    @Test func otherMergesLeaveTheQuestionOpen() async throws {
      try await inACircle { test in
        let (one, other, question) = try await asked(test)
        let far = try #require(try await test.faces()["face-12"]?.personID)
        _ = try await test.stage.merge(persons: [far], into: try #require(other.personID))
        #expect(try await test.stage.candidates().map(\.id) == [question.id])
        _ = try await test.stage.undo()
        #expect(try await test.stage.candidates().map(\.id) == [question.id])
        // Once they are one person, whoever made them so, it is none.
        _ = try await test.stage.merge(
          persons: [try #require(one.personID)], into: try #require(other.personID))
        #expect(try await test.stage.candidates().isEmpty)
        _ = try await test.stage.undo()
        #expect(try await test.stage.candidates().map(\.id) == [question.id])
      }
    }

    @Test func maintenanceJoinsAreActionsThatStayTakenBack() async throws {
      try await inACircle { test in
        let (one, other, _) = try await asked(test)
        let before = try await test.dump()
        let joined = try await test.stage.maintain([.association], apply: true).tasks[0]
        #expect(joined.error == nil && joined.changed == 1)
        #expect(try await test.stage.people().count == 2)
        let action = try #require(try await test.stage.actions(limit: 1).first)
        #expect(action.kind == "associate" && action.actor == "photodb maintain")
        #expect(try await test.stage.maintain([.association], apply: true).tasks[0].found == 0)

        let undone = try await test.stage.undo(action: action.id, actor: "ann")
        #expect(TestStage.difference(before, try await test.dump()) == [])
        // Taken back is taken back: the next week joins nothing, and asks nothing new.
        for apply in [true, false] {
          #expect(
            try await test.stage.maintain([.association], apply: apply).tasks[0].found == 0)
        }
        let faces = try await test.faces()
        #expect(faces[one.externalID]?.personID != faces[other.externalID]?.personID)
        // Until that is taken back itself.
        _ = try await test.stage.undo(action: undone.actionID)
        #expect(try await test.stage.people().count == 2)
      }
    }
  }
}
