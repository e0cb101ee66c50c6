import Store
import Testing

@testable import FaceClustering

extension OnPostgres {
  /// What several actions said of the same: what the later one said is never taken back with the earlier one.
  @Suite struct SaidAgainTests {
    /// The first word goes only after the second, and neither undo changes more than its own.
    @Test func whatWasSaidAgainStands() async throws {
      try await TestStage.runFourPeople { test, faces in
        let stage = test.stage
        let own = try #require(faces["face-0"])
        let (person, cluster) = (try #require(own.personID), try #require(own.clusterID))
        let other = RejectionTarget.cluster(try #require(faces["face-12"]?.clusterID))
        let statements: [() async throws -> Void] = [
          { _ = try await stage.verify(cluster: cluster) },
          { _ = try await stage.hide(cluster: cluster) },
          { _ = try await stage.hide(person: person) },
          { _ = try await stage.represent(cluster: cluster, by: "face-1") },
          { _ = try await stage.name(person: person, "Ann") },
          { _ = try await stage.assign(externalIDs: ["face-6"], to: .cluster(cluster)) },
          { _ = try await stage.reject(externalIDs: ["face-2"], from: other) },
        ]
        for statement in statements {
          let before = try await test.dump()
          try await statement()
          let after = try await test.dump()
          try await statement()
          #expect(TestStage.difference(after, try await test.dump()) == [])
          let ids = try await stage.actions(limit: 2).map(\.id)
          try await test.expectNoUndo(of: ids[1], saying: "by action \(ids[0]) (")
          _ = try await stage.undo()
          #expect(TestStage.difference(after, try await test.dump()) == [])
          _ = try await stage.undo()
          #expect(TestStage.difference(before, try await test.dump()) == [])
        }
      }
    }

    /// Forbidden, allowed by undo, and forbidden by another action: doing the first again adds nothing that
    /// could go with the second.
    @Test func whatWasForbiddenAnewIsNotForbiddenTwice() async throws {
      try await TestStage.runFourPeople { test, faces in
        let other = RejectionTarget.cluster(try #require(faces["face-12"]?.clusterID))
        _ = try await test.stage.reject(externalIDs: ["face-2"], from: other)
        let allowed = try await test.stage.undo()
        let second = try await test.stage.reject(externalIDs: ["face-2"], from: other)
        try await test.expectNoUndo(
          of: allowed.actionID,
          saying: "“face-2” was said again to be somebody else by action "
            + "\(try #require(second.actionID)) (reject)")
      }
    }

    /// A cluster that was forbidden may be of the person by now to whom people gave the face.
    @Test func whatWouldForbidWhereAHumanPutTheFaceIsNotDoneAgain() async throws {
      try await TestStage.runFourPeople { test, faces in
        let (home, other) = (try #require(faces["face-0"]), try #require(faces["face-12"]))
        _ = try await test.stage.assign(
          externalIDs: ["face-6"], to: .cluster(try #require(home.clusterID)))
        let rejected = try await test.stage.reject(
          externalIDs: ["face-6"], from: .cluster(try #require(other.clusterID)))
        let undo = try await test.stage.undo()
        let merged = try await test.stage.merge(
          persons: [try #require(other.personID)], into: try #require(home.personID))
        try await test.expectNoUndo(
          of: undo.actionID,
          saying: "“face-6” was said not to belong where it was by action "
            + "\(try #require(rejected.actionID)) (reject)")
        _ = try await test.stage.undo(action: merged.actionID)
        _ = try await test.stage.undo(action: undo.actionID)
      }
    }

    /// What was said first and last, and something else in between, is the last one's.
    @Test func theFirstWordGoesNotWhereTheLastSaidTheSame() async throws {
      try await TestStage.runFourPeople { test, faces in
        let stage = test.stage
        let own = try #require(faces["face-0"])
        let (person, cluster) = (try #require(own.personID), try #require(own.clusterID))
        let second = try #require(faces["face-6"])
        let other = try #require(faces["face-12"]?.clusterID)
        let stories: [(a: () async throws -> Void, b: () async throws -> Void)] = [
          (
            { _ = try await stage.name(person: person, "Ann") },
            { _ = try await stage.name(person: person, "Bob") }
          ),
          (
            { _ = try await stage.verify(cluster: cluster) },
            { _ = try await stage.verify(cluster: cluster, false) }
          ),
          (
            { _ = try await stage.assign(externalIDs: ["face-6"], to: .cluster(cluster)) },
            { _ = try await stage.assign(externalIDs: ["face-6"], to: .cluster(other)) }
          ),
        ]
        for story in stories {
          let before = try await test.dump()
          try await story.a()
          try await story.b()
          try await story.a()
          let ids = try await stage.actions(limit: 3).map(\.id)
          try await test.expectNoUndo(of: ids[2], saying: "by action \(ids[0]) (")
          for _ in 0..<3 { _ = try await stage.undo() }
          #expect(TestStage.difference(before, try await test.dump()) == [])
        }
        // A merge on top of another, each way round.
        _ = try await stage.merge(persons: [try #require(second.personID)], into: person)
        let first = try await stage.actions(limit: 1)[0].id
        let third = try #require(faces["face-12"]?.personID)
        _ = try await stage.merge(persons: [person], into: third)
        let last = try await stage.merge(persons: [third], into: person)
        try await test.expectNoUndo(
          of: first, saying: "by action \(try #require(last.actionID)) (merge)")
      }
    }

    /// An action that changed nothing is done again only where what it said holds; what was done again counts
    /// from then on.
    @Test func doingAgainIsNeverHollow() async throws {
      try await TestStage.runFourPeople { test, faces in
        let stage = test.stage
        let own = try #require(faces["face-0"])
        let (person, cluster) = (try #require(own.personID), try #require(own.clusterID))
        let statements: [() async throws -> Void] = [
          { _ = try await stage.assign(externalIDs: ["face-6"], to: .cluster(cluster)) },
          { _ = try await stage.name(person: person, "Ann") },
          { _ = try await stage.reject(externalIDs: ["face-12"], from: .cluster(cluster)) },
        ]
        for statement in statements {
          try await statement()
          try await statement()
          let hollow = try await stage.undo()
          _ = try await stage.undo()
          try await test.expectNoUndo(of: hollow.actionID, saying: "cannot be taken back")
          // Said, taken back, said anew, taken back; both again.
          try await statement()
          let first = try #require(try await stage.actions(limit: 1).first?.id)
          let firstBack = try await stage.undo()
          try await statement()
          let secondBack = try await stage.undo()
          _ = try await stage.undo(action: firstBack.actionID)
          let held = try await test.dump()
          _ = try await stage.undo(action: secondBack.actionID)
          #expect(TestStage.difference(held, try await test.dump()) == [])
          try await test.expectNoUndo(of: first, saying: "by action")
          _ = try await stage.undo()
          #expect(TestStage.difference(held, try await test.dump()) == [])
          _ = try await stage.undo()
        }
      }
    }

    /// What a later action built on: the name that it carried over, what it inherited, the person that it said.
    @Test func whatALaterActionTookOverGoesFirstWithIt() async throws {
      try await TestStage.runFourPeople { test, faces in
        let stage = test.stage
        let own = try #require(faces["face-0"])
        let (person, cluster) = (try #require(own.personID), try #require(own.clusterID))
        let heir = try #require(faces["face-6"]?.personID)
        let before = try await test.dump()
        _ = try await stage.name(person: person, "Ada")
        let rejected = try await stage.reject(externalIDs: ["face-12"], from: .cluster(cluster))
        let merged = try await stage.merge(persons: [person], into: heir)
        let ids = try await stage.actions(limit: 3).map(\.id)
        for action in [ids[2], try #require(rejected.actionID)] {
          try await test.expectNoUndo(of: action, saying: "by action \(ids[0]) (merge)")
        }
        _ = try await stage.assign(externalIDs: ["face-19"], to: .person(heir))
        try await test.expectNoUndo(of: merged.actionID, saying: "(assign)")
        for _ in 0..<4 { _ = try await stage.undo() }
        #expect(TestStage.difference(before, try await test.dump()) == [])
      }
    }

    /// Without a name the newest is what was done, or done again, last.
    @Test func theNewestIsWhatWasDoneAgainLast() async throws {
      try await TestStage.runFourPeople { test, faces in
        let cluster = try #require(faces["face-0"]?.clusterID)
        let hidden = try await test.stage.hide(cluster: cluster)
        let back = try await test.stage.undo()
        _ = try await test.stage.verify(cluster: cluster)
        _ = try await test.stage.undo(action: back.actionID)
        _ = try await test.stage.undo()
        #expect(try await !test.stage.cluster(cluster).hidden)
        #expect(try await test.stage.cluster(cluster).verified)
        #expect(hidden.actionID != nil)
      }
    }

    @Test func whatWasAllowedSinceIsNotForbiddenByUndo() async throws {
      try await TestStage.runFourPeople { test, faces in
        let cluster = try #require(faces["face-12"]?.clusterID)
        let rejected = try await test.stage.reject(
          externalIDs: ["face-2"], from: .cluster(cluster))
        let allowed = try await test.stage.assign(
          externalIDs: ["face-2"], to: .cluster(cluster), anyway: true)
        try await test.expectNoUndo(
          of: rejected.actionID, saying: "by action \(try #require(allowed.actionID)) (assign)")
        for _ in 0..<2 { _ = try await test.stage.undo() }
        #expect(try await test.value("SELECT count(*) FROM cluster_person_cannot_link") == "0")
      }
    }

    /// A face does not go back to where it was said since that it does not belong.
    @Test func whatWasForbiddenSinceIsNamed() async throws {
      try await TestStage.runFourPeople { test, faces in
        let (own, other) = (
          try #require(faces["face-2"]?.clusterID), try #require(faces["face-12"]?.clusterID)
        )
        let moved = try await test.stage.assign(externalIDs: ["face-2"], to: .cluster(other))
        let rejected = try await test.stage.reject(externalIDs: ["face-2"], from: .cluster(own))
        try await test.expectNoUndo(
          of: moved.actionID,
          saying: "“face-2” was said not to belong where it was by action "
            + "\(try #require(rejected.actionID)) (reject)")
        for _ in 0..<2 { _ = try await test.stage.undo() }
        #expect(try await test.faces()["face-2"]?.clusterID == own)
      }
    }
  }
}
