import Foundation
import TensorFiles
import Testing
import Vectors

/// What people do, with the program itself.
@Suite("people at the command line", .serialized)
struct HumansTests {
  @Test("every command of people works, previews, and is taken back")
  func commands() async throws {
    try await PhotodbProcess.inFreshFolder { photodb in
      try NumpyFile.write(
        Tensor(MadeUpFaces.people(count: 8, each: 8)), to: photodb.folder + "/f.npy")
      _ = try await photodb.json("import", "f.npy")
      let run = try #require(try await photodb.json("re-bootstrap")["run_id"] as? Int)
      let people = try await photodb.json("person", "list")
      let ids = try #require(people["people"] as? [[String: Any]]).compactMap {
        $0["person_id"] as? Int
      }
      #expect(ids.count == 8)
      let before = try await photodb.run("export", "assignments").output

      // Each of these is taken back by one undo.
      let placed = try await photodb.json(
        "detection", "assign", "f.npy:0", "f.npy:1", "--person", "\(ids[1])")
      let cluster = try #require((placed["cluster_ids"] as? [Int])?.first)
      #expect(placed["moved"] as? Int == 2 && placed["dry_run"] as? Bool == false)
      let own = try #require(
        try await photodb.json("detection", "reject", "f.npy:20", "f.npy:21")["cluster_ids"]
          as? [Int])
      let actions: [[String]] = [
        ["person", "merge", "\(ids[2])", "\(ids[3])"], ["person", "split", "\(ids[2])"],
        ["person", "hide", "\(ids[4])"], ["person", "name", "\(ids[5])", "Ada"],
        ["cluster", "verify", "\(cluster)"], ["cluster", "hide", "\(cluster)"],
        ["cluster", "represent", "\(cluster)", "f.npy:0"],
      ]
      for action in actions { _ = try await photodb.json(action + ["--actor", "ann"]) }
      let shown = try await photodb.json("cluster", "show", "\(cluster)")
      #expect(shown["verified"] as? Bool == true && shown["hidden"] as? Bool == true)
      #expect(shown["representative"] as? String == "f.npy:0")
      let list = try await photodb.json("undo", "--list")
      let log = try #require(list["actions"] as? [[String: Any]])
      #expect(log.count == actions.count + 2)
      // Who did it, and where nobody said so, who the program runs under.
      let actors = log.map { $0["actor"] as? String }
      #expect(actors.dropLast(2).allSatisfy { $0 == "ann" })
      #expect(actors.suffix(2).allSatisfy { $0 == NSUserName() })
      let preview = try await photodb.json("undo", "--dry-run")
      #expect(preview["action_id"] is NSNull && preview["dry_run"] as? Bool == true)
      for _ in 0..<actions.count + 2 { _ = try await photodb.json("undo") }
      #expect(try await photodb.run("export", "assignments").output == before)
      let nothing = try await photodb.run("undo")
      #expect(nothing.code == 1 && nothing.error.contains("nothing to undo"))

      let merge = try await photodb.json(
        "person", "merge", "\(ids[0])", "\(ids[1])", "\(ids[2])", "--dry-run")
      #expect((merge["person_ids"] as? [Int])?.count == 3)
      #expect(try await photodb.run("export", "assignments").output == before)

      #expect(try await photodb.json("candidates", "list")["candidates"] is [Any])
      let tree = try await photodb.json("cluster", "tree", "\(own[0])")
      #expect((tree["nodes"] as? [Any])?.isEmpty == false)
      #expect(try await photodb.json("lineage", "\(own[0])")["steps"] is [Any])
      let second = try #require(try await photodb.json("re-bootstrap")["run_id"] as? Int)
      let difference = try await photodb.json("runs", "diff", "\(run)", "\(second)")
      #expect((difference["clusters"] as? [Any])?.isEmpty == true)
      _ = try await photodb.json("runs", "activate", "\(run)")
      #expect(try await photodb.json("runs", "show", "\(run)")["is_active"] as? Bool == true)
      #expect(try await photodb.run("export", "assignments").output == before)
      let exported = try await photodb.json("runs", "export-tree", "\(run)")
      #expect((exported["rows"] as? [Any])?.count ?? 0 > 64)
      let csv = try await photodb.run("runs", "export-tree", "\(run)", "--format", "csv")
      #expect(csv.output.hasPrefix("parent,child,lambda,size,detection_id,external_id\n"))
    }
  }

  @Test("what is wrong is said in one line")
  func mistakes() async throws {
    try await PhotodbProcess.inFreshFolder { photodb in
      try NumpyFile.write(
        Tensor(MadeUpFaces.people(count: 2, each: 5)), to: photodb.folder + "/f.npy")
      _ = try await photodb.json("import", "f.npy")
      _ = try await photodb.json("re-bootstrap")
      let named = try await photodb.json("person", "name", "1", "Ada")
      #expect(named["name"] as? String == "Ada" && named["faces"] is Int)
      let action = try #require(named["action_id"] as? Int)
      let text = try await photodb.run("person", "name", "2", "Bob").output
      #expect(text.contains("undo with  photodb undo \(action + 1)"), "\(text)")
      let merge = try await photodb.json("person", "merge", "1", "2", "--dry-run")
      #expect(merge["lost_names"] as? [String] == ["Bob"])
      let cases: [([String], Int32, String)] = [
        (["person", "merge", "1", "1"], 1, "into itself"),
        (["person", "merge", "1", "99"], 1, "no person 99"),
        (["person", "name", "-1", "Eve"], 2, "“-1” is no id"),
        (["person", "name", "99", "Eve"], 1, "`photodb person list`"),
        (["person", "split", "1"], 1, "only one cluster"),
        (["person", "split", "1", "--cluster", "2"], 1, "belongs to person 2"),
        (["cluster", "show", "99"], 1, "no cluster 99"),
        (["cluster", "represent", "1", "f.npy:9"], 1, "no member"),
        (["detection", "reject", "gone"], 1, "“gone”"),
        (["detection", "assign", "f.npy:0", "gone", "--new-person"], 1, "“gone”"),
        (["person", "name", "1", "Ada", "--actor", ""], 2, "--actor"),
        (["detection", "reject", "f.npy:0", "--cluster", "1", "--person", "1"], 2, "exclude"),
        (["candidates", "accept", "5"], 1, "no candidate 5"),
        (["undo", "5"], 1, "no action 5"),
        (["runs", "activate", "9"], 1, "no run 9"),
        (["runs", "diff", "1", "9"], 1, "no run 9"),
        (["lineage", "99"], 1, "no cluster 99"),
      ]
      for (arguments, code, text) in cases {
        let outcome = try await photodb.launch(arguments)
        #expect(outcome.code == code, "\(arguments) \(outcome.error)")
        #expect(outcome.error.contains(text), "\(arguments) \(outcome.error)")
        if code == 1 {
          #expect(outcome.error.split(separator: "\n").count == 1, "\(outcome.error)")
        }
      }
    }
  }
}
