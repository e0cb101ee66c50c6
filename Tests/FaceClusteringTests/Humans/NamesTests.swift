import FaceClustering
import Foundation
import Store
import Testing

/// What can be a name, and what the log says about names.
struct PersonNameTests {
  @Test(arguments: [
    "Ada", "王, 小明", "👩‍👩‍👧", "O'Brien \"Zoë\"", "<b>&amp;</b>", String(repeating: "x", count: 200),
  ])
  func namesOfEveryScriptAreFine(name: String) {
    #expect(PersonName.fault(name) == nil)
  }

  @Test(arguments: [
    "", " ", "\u{A0}\t", "\u{200B}\u{2060}", "a\u{202E}b", "\u{200F}Ada", "a\u{2028}b", "a\nb",
    "a\u{7}", "a\u{9B}", String(repeating: "x", count: 201),
    // One sign for the eye.
    "e" + String(repeating: "\u{301}", count: 200),
  ])
  func whatCannotBeSeenOrChangesTheTextAroundItIsNone(name: String) {
    #expect(PersonName.fault(name) != nil)
  }

  @Test func whatOlderProgramsLoggedIsReadable() throws {
    let text = """
      {"action_id": 1, "kind": "merge", "summary": "s", "moved": 2, "dry_run": false,
       "set_aside": [], "cluster_ids": [3], "person_ids": [4], "run_ids": []}
      """
    let report = try JSONDecoder().decode(HumanActionReport.self, from: Data(text.utf8))
    #expect(report.lostNames == [] && report.undecided == nil)
    #expect(report.actionID == 1 && report.clusterIDs == [3])
    var changed = report
    changed.lostNames = ["Ada"]
    let again = try JSONDecoder().decode(
      HumanActionReport.self, from: try JSONEncoder().encode(changed))
    #expect(again == changed)
  }
}

extension OnPostgres {
  /// No name goes without a word, and none is given to nobody.
  @Suite struct NamesTests {
    @Test func noNameIsLostSilently() async throws {
      try await TestStage.runFourPeople { test, faces in
        let stage = test.stage
        let persons = try ["face-0", "face-6", "face-12", "face-18"].map {
          try #require(faces[$0]?.personID)
        }
        let (ada, bob, unnamed) = (persons[0], persons[1], persons[2])
        _ = try await stage.name(person: ada, "Ada")
        _ = try await stage.name(person: bob, "Bob")
        let before = try await test.dump()
        let error = await #expect(throws: HumanActionError.self) {
          try await stage.merge(persons: [ada, bob], into: unnamed)
        }
        for part in ["person \(unnamed) has no name", "person \(ada) is “Ada”", "\(bob) is “Bob”"] {
          #expect(error?.description.contains(part) == true)
        }
        #expect(try await test.dump() == before)

        let preview = try await stage.merge(persons: [ada, unnamed], into: bob, dryRun: true)
        #expect(preview.lostNames == ["Ada"])
        #expect(preview.summary.hasSuffix("; the name “Ada” goes"))
        #expect(try await test.dump() == before)
        let merged = try await stage.merge(persons: [ada, unnamed], into: bob)
        #expect(merged.lostNames == ["Ada"])
        #expect(try await test.faces()["face-0"]?.person == "Bob")
        _ = try await stage.undo()
        #expect(try await test.faces()["face-0"]?.person == "Ada")

        // The only name goes to who has none, and so does one that several have.
        let only = try await stage.merge(persons: [ada, persons[3]], into: unnamed)
        #expect(only.lostNames == [])
        #expect(try await test.faces()["face-18"]?.person == "Ada")
        _ = try await stage.undo()
        _ = try await stage.name(person: bob, "Ada")
        #expect(try await stage.merge(persons: [ada, bob], into: unnamed).lostNames == [])
        #expect(try await test.faces()["face-12"]?.person == "Ada")
      }
    }

    @Test func whoWasMergedAwayIsNeitherNamedNorHidden() async throws {
      try await TestStage.runFourPeople { test, faces in
        let stage = test.stage
        let (a, b, c) = (
          try #require(faces["face-0"]?.personID), try #require(faces["face-6"]?.personID),
          try #require(faces["face-12"]?.personID)
        )
        _ = try await stage.merge(persons: [b], into: a)
        let deeds: [() async throws -> Void] = [
          { _ = try await stage.name(person: b, "Eve") },
          { _ = try await stage.hide(person: b) },
          { _ = try await stage.merge(persons: [b], into: c) },
          { _ = try await stage.assign(externalIDs: ["face-12"], to: .person(b)) },
        ]
        for deed in deeds {
          let error = await #expect(throws: HumanActionError.self) { try await deed() }
          #expect(error == .mergedAway(person: b, into: a))
        }
        _ = try await stage.undo()
        #expect(try await stage.name(person: b, "Eve").name == "Eve")
        await #expect(throws: HumanActionError.self) {
          try await stage.name(person: b, " \u{200B}")
        }
        await #expect(throws: HumanActionError.self) {
          try await stage.assign(externalIDs: ["face-12"], to: .newPerson(name: "\n"))
        }
        // Both at once: the person and what undo needs.
        let named = try await stage.giveName("Eva", toPerson: b)
        #expect(named.person.name == "Eva")
        _ = try await stage.undo(action: named.report.actionID)
        #expect(try await test.faces()["face-6"]?.person == "Eve")
      }
    }
  }
}
