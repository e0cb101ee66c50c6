import Foundation
import TensorFiles
import Testing
import Vectors

/// The program as users run it: real processes, a real private server, real faces.
@Suite("photodb from end to end", .serialized)
struct StoryTests {
  @Test("the demo tells its story twice, names survive, and every JSON field is there")
  func demo() async throws {
    try await PhotodbProcess.inFreshFolder { photodb in
      for round in 1...2 {
        let demo = try await photodb.json("demo")
        let steps = try #require(demo["steps"] as? [[String: Any]])
        #expect(steps.count >= 8 && steps.allSatisfy { $0["seconds"] is Double }, "round \(round)")
        let bcubed = try #require(demo["bcubed"] as? [String: Double])
        #expect(try #require(bcubed["f"]) > 0.9)
        let pairwise = try #require(demo["pairwise"] as? [String: Double])
        #expect(try #require(pairwise["f"]) > 0.96)
        let comparison = try #require(demo["comparison"] as? [[String: Any]])
        #expect(
          comparison.map { $0["method"] as? String }
            == ["photodb", "hdbscan eom", "dbscan", "chinese_whispers"])
        let qualities = comparison.compactMap { ($0["bcubed"] as? [String: Double])?["f"] }
        try #require(qualities.count == 4)
        #expect(qualities[0] > max(qualities[1], qualities[2]), "\(qualities)")
        #expect(Set(comparison.compactMap { $0["faces"] as? Int }).count == 1)
        let tiers = try #require(demo["tiers"] as? [[String: Any]])
        let (right, wrong) = tiers.reduce((0, 0)) {
          ($0.0 + ($1["right"] as? Int ?? 0), $0.1 + ($1["wrong"] as? Int ?? 0))
        }
        #expect(right > 500 && Double(wrong) < 0.02 * Double(right + wrong))
      }
      let demo = ["--collection", "demo"]
      let people = try await photodb.json("person", "list", demo[0], demo[1])
      let first = try #require((people["people"] as? [[String: Any]])?.first)
      let id = try #require(first["person_id"] as? Int)
      let named = try await photodb.json("person", "name", "\(id)", "Ada", demo[0], demo[1])
      #expect(named["name"] as? String == "Ada")

      let dry = try await photodb.json("re-bootstrap", "--dry-run", demo[0], demo[1])
      let run = try await photodb.json("re-bootstrap", "--threads", "1", demo[0], demo[1])
      for field in [
        "run_id", "embedding_count", "cluster_count", "noise_count", "people_count", "lineage",
        "moved", "candidates", "seconds", "peak_memory_bytes",
      ] { #expect(run[field] != nil && dry[field] != nil, "\(field)") }
      #expect(dry["run_id"] is NSNull)
      #expect(dry["cluster_count"] as? Int == run["cluster_count"] as? Int)
      #expect(dry["lineage"] as? [String: Int] == run["lineage"] as? [String: Int])
      let lineage = try #require(run["lineage"] as? [String: Int])
      #expect(Set(["continued", "split", "merged", "born", "died"]).isSubset(of: lineage.keys))
      let seconds = try #require(run["seconds"] as? [String: Double])
      #expect(Set(seconds.keys) == ["read", "fit", "people", "extract", "match", "write", "total"])

      let again = try await photodb.json("re-bootstrap", demo[0], demo[1])
      #expect(again["moved"] as? Int == 0)
      let after = try await photodb.json("person", "list", demo[0], demo[1])
      let stillFirst = try #require(
        (after["people"] as? [[String: Any]])?.first { $0["person_id"] as? Int == id })
      #expect(stillFirst["name"] as? String == "Ada")

      let staleness = try await photodb.json("check-staleness", demo[0], demo[1])
      for field in ["status", "run_id", "embedding_count", "current_count", "growth", "signals"] {
        #expect(staleness[field] != nil, "\(field)")
      }
      let signal = try #require((staleness["signals"] as? [[String: Any]])?.first)
      #expect(Set(["name", "value", "threshold", "fired"]).isSubset(of: signal.keys))
      let runs = try await photodb.json("runs", "list", demo[0], demo[1])
      #expect((runs["runs"] as? [[String: Any]])?.count == 3)
    }
  }

  @Test("import, bootstrap, assign, export, evaluate and a hand assignment over files")
  func files() async throws {
    try await PhotodbProcess.inFreshFolder { photodb in
      let faces = MadeUpFaces.people(count: 12, each: 8)
      try NumpyFile.write(Tensor(faces), to: photodb.folder + "/faces.npy")
      let imported = try await photodb.json("import", "faces.npy")
      #expect(imported["read"] as? Int == 96 && imported["imported"] as? Int == 96)
      let repeated = try await photodb.json("import", "faces.npy")
      #expect(repeated["skipped"] as? Int == 96 && (repeated["rejected"] as? [Any])?.count == 0)

      let none = try await photodb.run("check-staleness")
      #expect(none.code == 2)
      let run = try await photodb.json("re-bootstrap")
      #expect(run["cluster_count"] as? Int == 12)
      let shown = try await photodb.json("runs", "show", "1")
      #expect(shown["status"] as? String == "completed" && shown["is_active"] as? Bool == true)
      let calibration = try #require(shown["calibration"] as? [String: Any])
      let inCharge = try #require(
        try await photodb.json("doctor")["calibration"] as? [String: Any])
      #expect(calibration.keys.sorted() == inCharge.keys.sorted())
      #expect(try #require(calibration["threshold"] as? Double) == inCharge["threshold"] as? Double)
      let text = try await photodb.run("runs", "show", "1").output.split(separator: "\n")
      #expect(text.contains("  faces      96"), "\(text)")
      #expect(text.count { $0.hasPrefix("  calibrated groups are one from ") } == 1, "\(text)")

      try NumpyFile.write(
        Tensor(MadeUpFaces.people(count: 12, each: 1, seed: 99)), to: photodb.folder + "/late.npy")
      _ = try await photodb.json("import", "late.npy")
      let assigned = try await photodb.json("assign")
      let tiers = try #require(assigned["assigned"] as? [String: Int])
      #expect(Set(tiers.keys) == ["predict", "epsilon_ball", "pool"])
      #expect(tiers["predict"] == 12)
      for field in ["pending", "unassigned", "invalid", "seconds"] {
        #expect(assigned[field] != nil, "\(field)")
      }
      #expect((assigned["per_face_ms"] as? [String: Double])?.keys.sorted() == ["p50", "p95"])

      let placed = try await photodb.json(
        "detection", "assign", "faces.npy:0", "--new-person", "--name", "Eve")
      #expect((placed["cluster_ids"] as? [Int])?.count == 1)
      let csv = try await photodb.run("export", "assignments")
      let lines = csv.output.split(separator: "\n").map(String.init)
      #expect(
        lines.first
          == "external_id,photo,cluster_id,person_id,person,status,confidence,tier,lambda_val,outlier_score,"
          + "reason"
      )
      #expect(lines.count == 109)
      #expect(
        lines.contains { $0.hasPrefix("faces.npy:0,") && $0.contains(",Eve,manual,1.0,manual") })
      let jsonl = try await photodb.run("export", "assignments", "--format", "jsonl")
      #expect(jsonl.output.split(separator: "\n").count == 108)

      let truth = (0..<96).map { "faces.npy:\($0),\($0 / 8)" }.joined(separator: "\n")
      try "external_id,identity\n\(truth)\n".write(
        toFile: photodb.folder + "/truth.csv", atomically: true, encoding: .utf8)
      let scores = try await photodb.json("evaluate", "truth.csv")
      for field in [
        "pairwise", "bcubed", "clusters", "noise", "merges_needed", "faces_to_remove", "baselines",
        "methods", "ablation", "fragments",
      ] { #expect(scores[field] != nil, "\(field)") }
      #expect((scores["baselines"] as? [Any])?.count == 8)
    }
  }

  @Test("evaluate says which faces its figures do not stand on, and what the labels are called")
  func populations() async throws {
    try await PhotodbProcess.inFreshFolder { photodb in
      // Of twelve people with eight faces each, two have small faces.
      let boxes = (0..<96).flatMap { face -> [Float] in
        face < 16 ? [0, 0, 20, 20] : [0, 0, 200, 200]
      }
      try SafetensorsContent(tensors: [
        "embeddings": Tensor(MadeUpFaces.people(count: 12, each: 8)),
        "bbox": Tensor(boxes, shape: [96, 4]),
      ]).write(to: photodb.folder + "/faces.safetensors")
      _ = try await photodb.json("import", "faces.safetensors")
      let truth = (0..<100).map { "faces.safetensors:\($0),\($0 / 8)" }
      try ("external_id,identity\n" + truth.joined(separator: "\n") + "\n").write(
        toFile: photodb.folder + "/truth.csv", atomically: true, encoding: .utf8)

      let early = try await photodb.json("evaluate", "truth.csv", "--without-baselines")
      #expect(early["faces_to_place"] as? Int == 96 && early["not_fitted"] as? Int == 96)
      _ = try await photodb.json("re-bootstrap")
      let scores = try await photodb.json(
        "evaluate", "truth.csv", "--ablate", "--set", "HDBSCAN_CLUSTER_SELECTION_METHOD=leaf")
      let numbers = ["faces", "not_fitted", "filtered", "waiting", "not_in_collection"]
      #expect(numbers.map { scores[$0] as? Int } == [96, 16, 16, 16, 4])
      #expect(scores["faces_to_place"] as? Int == 16)
      let methods = try #require(scores["methods"] as? [[String: Any]])
      #expect(methods.map { $0["method"] as? String } == ["photodb", "hdbscan eom"])
      let baselines = try #require(scores["baselines"] as? [[String: Any]])
      #expect((methods + baselines).allSatisfy { $0["faces"] as? Int == 96 })
      let ablation = try #require(scores["ablation"] as? [[String: Any]])
      // What was left out of the fit is grouped beside it, as in the bootstrap.
      #expect(ablation.allSatisfy { $0["faces"] as? Int == 96 })

      let text = try await photodb.run("evaluate", "truth.csv", "--without-baselines").output
      #expect(text.contains("16 of 96 labelled faces were not in the fit (quality: 16"), "\(text)")
      _ = try await photodb.json("assign")
      let after = try await photodb.json("evaluate", "truth.csv", "--without-baselines")
      #expect(after["waiting"] as? Int == 0 && after["not_fitted"] as? Int == 16)
    }
  }

  @Test("what is wrong is said in one line, with the right exit code")
  func mistakes() async throws {
    try await PhotodbProcess.inFreshFolder { photodb in
      try NumpyFile.write(
        Tensor(MadeUpFaces.people(count: 2, each: 3)), to: photodb.folder + "/faces.npy")
      _ = try await photodb.json("import", "faces.npy")
      try NumpyFile.write(
        Tensor(Matrix<Float>([[1, 0], [0, 1]])), to: photodb.folder + "/flat.npy")
      var unreachable = photodb
      unreachable.environment = ["DATABASE_URL": "postgresql://u:hunter2@127.0.0.1:1/x"]
      let cases: [(PhotodbProcess.Outcome, Int32, String)] = [
        (try await photodb.run("import", "flat.npy"), 1, "dimension 128"),
        (try await photodb.run("import", "gone.npy"), 1, "gone.npy"),
        (try await photodb.run("assign", "--collection", "nope"), 1, "known: default"),
        (
          try await photodb.run("re-bootstrap", "--set", "HDBSCAN_MIN_CLUSTER_SIZE=0"), 2,
          "2…100000"
        ),
        (try await photodb.run("runs", "show", "77"), 1, "no run 77"),
        (try await photodb.run("detection", "assign", "x", "--cluster", "1"), 1, "“x”"),
        (try await photodb.run("check-staleness", "--collection", "nope"), 3, "could not check"),
        (try await unreachable.run("runs", "list"), 1, "127.0.0.1"),
      ]
      let usage = try await photodb.run("re-bootstrap", "--threads", "0")
      #expect(usage.code == 2 && usage.error.contains("--threads"))
      for (outcome, code, text) in cases {
        #expect(outcome.code == code, "\(outcome.error)")
        #expect(outcome.error.contains(text), "\(outcome.error)")
        #expect(!outcome.error.contains("hunter2"))
        #expect(outcome.error.split(separator: "\n").count == 1, "\(outcome.error)")
      }
    }
  }
}
