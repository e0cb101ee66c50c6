import Foundation
import TensorFiles
import Testing
import Vectors

/// What is unknown, empty, damaged or impossible is said, and said in one line.
@Suite("What photodb says when there is little to say", .serialized)
struct HonestyTests {
  @Test("unknown fields are null, and the estimate is among the fields")
  func nulls() async throws {
    try await PhotodbProcess.inFreshFolder { photodb in
      try NumpyFile.write(
        Tensor(MadeUpFaces.people(count: 12, each: 8)), to: photodb.folder + "/faces.npy")
      _ = try await photodb.json("import", "faces.npy")
      let early = try await photodb.json("assign")
      #expect(early["run_id"] is NSNull && early["tier_one_skipped"] != nil)
      let dry = try await photodb.json("re-bootstrap", "--dry-run")
      #expect(try #require(dry["estimated_seconds"] as? Double) > 0)
      #expect(try #require(dry["estimated_memory_bytes"] as? Int) > 96 * 128 * 4)
      let loud = try await photodb.run("re-bootstrap")
      #expect(loud.error.contains("96 faces of dimension 128: about "), "\(loud.error)")
      let people = try await photodb.json("person", "list")["people"] as? [[String: Any]]
      #expect(people?.first?["name"] is NSNull)
      let late = try await photodb.json("assign")
      #expect(late["tier_one_skipped"] is NSNull)
      let runs = try await photodb.json("runs", "list")["runs"] as? [[String: Any]]
      let shown = try await photodb.json("runs", "show", "1")
      for run in [try #require(runs?.first), shown] {
        #expect(run["error"] is NSNull && run["finished_at"] is String)
      }
      let status = try await photodb.json("db", "status")
      #expect(status["was_running"] is NSNull && status["explanation"] is NSNull)
      let lines = try await photodb.run("export", "assignments", "--format", "jsonl").output
      let object = try JSONSerialization.jsonObject(
        with: Data(lines.split(separator: "\n")[0].utf8))
      #expect((object as? [String: Any])?["photo"] is NSNull)
    }
  }

  @Test("duplicates make lambdas infinite, and every output shows them")
  func infinity() async throws {
    try await PhotodbProcess.inFreshFolder { photodb in
      let faces = MadeUpFaces.people(count: 6, each: 5)
      let repeated = faces.selecting(rows: Array(0..<30) + [0, 0, 0, 0])
      try NumpyFile.write(Tensor(repeated), to: photodb.folder + "/faces.npy")
      _ = try await photodb.json("import", "faces.npy")
      _ = try await photodb.json("re-bootstrap")
      _ = try await photodb.json("runs", "show", "1")
      let csv = try await photodb.run("export", "assignments")
      #expect(csv.output.contains(",Infinity,"))
      let rows = try await photodb.json("export", "assignments")["rows"] as? [[String: Any]]
      #expect(rows?.contains { $0["lambda_val"] as? String == "Infinity" } == true)
    }
  }

  @Test("empty and useless files fail with one line that says why")
  func useless() async throws {
    try await PhotodbProcess.inFreshFolder { photodb in
      let folder = photodb.folder
      try Data().write(to: URL(fileURLWithPath: folder + "/empty.jsonl"))
      try NumpyFile.write(
        Tensor(Matrix<Float>(rows: 0, columns: 4) { _, _ in }), to: folder + "/none.npy")
      try NumpyFile.write(
        Tensor(Matrix<Float>([[0, 0], [0, 0], [.nan, 1]])), to: folder + "/zeros.npy")
      try Data("not json\n{\n".utf8).write(to: URL(fileURLWithPath: folder + "/broken.jsonl"))
      for (name, text) in [
        ("empty.jsonl", "holds no face"), ("none.npy", "no"),
        ("zeros.npy", "none of the 3 rows was imported: 2 × the embedding is all zero; 1 × "),
        ("broken.jsonl", "none of the 2 rows was imported"),
      ] {
        let outcome = try await photodb.run("import", name, "--quiet")
        #expect(outcome.code == 1, "\(name)")
        #expect(outcome.error.contains(text), "\(outcome.error)")
        #expect(outcome.error.split(separator: "\n").count == 1, "\(outcome.error)")
      }
      // None of them settled what the collection holds.
      try NumpyFile.write(
        Tensor(MadeUpFaces.people(count: 2, each: 3)), to: folder + "/faces.npy")
      let good = try await photodb.json("import", "faces.npy", "--model", "m")
      #expect(good["imported"] as? Int == 6)
    }
  }

  @Test("what the collection cannot store of a file is said of the file, and makes no collection")
  func unstorable() async throws {
    try await PhotodbProcess.inFreshFolder { photodb in
      let faces = Tensor(MadeUpFaces.people(count: 2, each: 3))
      for (index, model) in ["", "a\u{1B}[2Jb", "a\0b", String(repeating: "x", count: 9_999)]
        .enumerated()
      {
        let name = "faces-\(index).safetensors"
        try SafetensorsContent(tensors: ["embeddings": faces], metadata: ["model": model])
          .write(to: "\(photodb.folder)/\(name)")
        let refused = try await photodb.run("import", name, "--quiet")
        #expect(refused.code == 1)
        #expect(
          refused.error.hasPrefix(
            "photodb: error: \(name): the embedding model that its __metadata__ names"),
          "\(refused.error)")
        #expect(refused.error.count < 300 && !refused.error.contains("\u{1B}"))
        // The name that is given goes before that of the file.
        let named = try await photodb.json(
          "import", name, "--model", "m", "--collection", "named-\(index)")
        #expect(named["imported"] as? Int == 6)
      }
      try NumpyFile.write(
        Tensor(Matrix<Float>([[Float](repeating: 1, count: 16_385)])),
        to: photodb.folder + "/wide.npy")
      let wide = try await photodb.run("import", "wide.npy", "--quiet")
      #expect(wide.code == 1)
      #expect(
        wide.error.hasPrefix("photodb: error: wide.npy: embeddings of dimension 16385 cannot"),
        "\(wide.error)")
      let unmade = try await photodb.run("person", "list")
      #expect(unmade.error.contains("there is no collection “default”"), "\(unmade.error)")
    }
  }

  @Test("one collection that cannot be checked hides no other")
  func staleness() async throws {
    try await PhotodbProcess.inFreshFolder { photodb in
      try NumpyFile.write(
        Tensor(MadeUpFaces.people(count: 12, each: 8)), to: photodb.folder + "/faces.npy")
      for name in ["a", "b"] {
        _ = try await photodb.json("import", "faces.npy", "--collection", name)
        _ = try await photodb.json("re-bootstrap", "--collection", name)
      }
      let fresh = try await photodb.run("check-staleness", "--all", "--json")
      #expect(fresh.code == 0)
      // The settings of a run are read back for the signal “parameters changed”.
      let url = try await photodb.run("db", "url").output.trimmingCharacters(in: .newlines)
      let damaged = try await photodb.shell(
        """
        psql -q '\(url)' -c "UPDATE hdbscan_run SET parameters = '{\\"MIN_EPSILON\\": [1]}' \
        WHERE collection_id = (SELECT id FROM collection WHERE name = 'a')"
        """)
      #expect(damaged.code == 0, "\(damaged.error)")
      let all = try await photodb.run("check-staleness", "--all", "--json")
      #expect(all.code == 3, "\(all.output) \(all.error)")
      #expect(all.error.contains("could not check collection “a”"))
      let collections = try #require(try all.object()["collections"] as? [[String: Any]])
      #expect(collections.map { $0["collection"] as? String } == ["a", "b"])
      #expect(collections.map { $0["status"] as? String } == ["error", "fresh"])
      #expect(collections[0]["error"] is String && collections[1]["error"] is NSNull)
    }
  }

  @Test("monitoring is told when nothing could be checked")
  func unreachable() async throws {
    try await PhotodbProcess.inFreshFolder { photodb in
      var lost = photodb
      lost.environment = ["DATABASE_URL": "postgresql://nobody@127.0.0.1:1/photos"]
      let one = try await lost.run("check-staleness", "--prometheus", "--collection", "a")
      #expect(one.code == 3 && one.error.contains("could not check"))
      #expect(one.output.hasSuffix("\nphotodb_staleness{collection=\"a\"} 3\n"))
      let all = try await lost.run("check-staleness", "--prometheus", "--all")
      #expect(all.code == 3 && all.output.hasSuffix("\nphotodb_staleness 3\n"))
    }
  }

  @Test("a closed pipe and a full disk end the program with the right code, never with a crash")
  func outputs() async throws {
    try await PhotodbProcess.inFreshFolder { photodb in
      try NumpyFile.write(
        Tensor(MadeUpFaces.people(count: 2_000, each: 4)), to: photodb.folder + "/faces.npy")
      _ = try await photodb.json("import", "faces.npy")
      let program = ShellWord.quoted(try PhotodbProcess.path)
      let call = "PHOTODB_HOME=.photodb \(program) export assignments"
      let piped = try await photodb.shell("set -o pipefail; \(call) | head -1")
      #expect(piped.code == 0 && piped.error.isEmpty, "\(piped.error)")
      let full = try await photodb.shell("\(call) > /dev/full")
      #expect(full.code == 1)
      #expect(full.error.contains("No space left on device"), "\(full.error)")
      #expect(full.error.split(separator: "\n").count == 1)
      let help = try await photodb.shell("\(program) --help > /dev/full")
      #expect(help.code == 1 && help.error.contains("No space left on device"))
      for arguments in [
        ["re-bootstrap", "--threads", "999999999"], ["import", ""],
        ["runs", "list", "--database", ""],
        ["person", "name", "1", "a\nb"],
        ["person", "name", "1", String(repeating: "x", count: 201)],
        ["person", "name", "1", " "], ["person", "name", "1", "a\u{202E}b"],
        ["detection", "assign", "faces.npy:0", "--new-person", "--name", "\u{200B}"],
      ] {
        let refused = try await photodb.run(arguments) { _ in }
        #expect(refused.code == 2, "\(arguments)")
      }
    }
  }

  @Test("names with quotes, blanks, signs of every script and markup come back as they were")
  func names() async throws {
    try await PhotodbProcess.inFreshFolder { photodb in
      let collection = "Ferien’24; DROP TABLE person; --\"'\\ 写真"
      try NumpyFile.write(
        Tensor(MadeUpFaces.people(count: 3, each: 5)), to: photodb.folder + "/faces.npy")
      _ = try await photodb.json("import", "faces.npy", "--collection", collection)
      _ = try await photodb.json("re-bootstrap", "--collection", collection)
      let list = try await photodb.json("person", "list", "--collection", collection)
      let id = try #require((list["people"] as? [[String: Any]])?.first?["person_id"] as? Int)
      let red = try await photodb.run("import", "faces.npy", "--collection", "\u{1B}[31mred")
      #expect(red.code == 1 && red.error.contains("control characters"), "\(red.error)")
      let unknown = try await photodb.run("person", "list", "--collection", "\u{1B}[31mred")
      #expect(unknown.code == 1 && unknown.error.contains(#"\u001B[31mred"#), "\(unknown.error)")
      for name in ["O'Brien \"Zoë\"", "王, 小明", "<b>&amp;</b>", "👩‍👩‍👧"] {
        let named = try await photodb.json(
          "person", "name", "\(id)", name, "--collection", collection)
        #expect(named["name"] as? String == name)
      }
      let metrics = try await photodb.run(
        "check-staleness", "--prometheus", "--collection", collection)
      #expect(metrics.output.contains(#"collection="Ferien’24; DROP TABLE person; --\"'\\ 写真""#))
    }
  }
}

/// Quotes words for a POSIX shell.
enum ShellWord {
  static func quoted(_ word: String) -> String {
    "'" + word.replacing("'", with: "'\\''") + "'"
  }
}
