import Foundation
import PostgresClient
import TensorFiles
import TestSupport
import Testing
import Vectors

@testable import PhotodbCommands

/// SIGINT and SIGTERM to the real program.
@Suite("Signals", .serialized)
struct SignalTests {
  /// A collection whose fit takes many seconds, with plain C for the products.
  private func withLongFit(_ body: (PhotodbProcess) async throws -> Void) async throws {
    try await PhotodbProcess.inFreshFolder { photodb in
      var photodb = photodb
      photodb.environment = ["PHOTODB_KERNEL": "portable"]
      try NumpyFile.write(
        Tensor(MadeUpFaces.people(count: 7_500, each: 4)), to: photodb.folder + "/faces.npy")
      _ = try await photodb.json("import", "faces.npy")
      try await body(photodb)
    }
  }

  /// Waits until the newest run says that it is running.
  private func waitForTheFit(_ photodb: PhotodbProcess) async throws {
    for _ in 0..<1_000 {
      let runs = try #require(try await photodb.json("runs", "list")["runs"] as? [[String: Any]])
      if runs.first?["status"] as? String == "running" { return }
      try await Task.sleep(for: .milliseconds(50))
    }
    Issue.record("no run began")
  }

  @Test("a bootstrap stops within seconds, its record says cancelled, and the next one works")
  func bootstrap() async throws {
    try await withLongFit { photodb in
      for (stop, code, name) in [
        (SIGTERM, Int32(143), "SIGTERM"), (SIGINT, Int32(130), "SIGINT"),
      ] {
        let ended = try await photodb.run(["re-bootstrap", "--quiet", "--threads", "1"]) {
          process in
          try await waitForTheFit(photodb)
          kill(process.processIdentifier, stop)
        }
        #expect(ended.code == code, "\(ended.error)")
        #expect(ended.seconds < 30)
        #expect(ended.error.hasPrefix("photodb: stopped by \(name): run "), "\(ended.error)")
        #expect(ended.error.split(separator: "\n").count == 1, "\(ended.error)")
        let runs = try #require(try await photodb.json("runs", "list")["runs"] as? [[String: Any]])
        #expect(runs.first?["status"] as? String == "cancelled")
        #expect(runs.first?["error"] is String)
      }
      var fast = photodb
      fast.environment = [:]
      let run = try await fast.json("re-bootstrap")
      #expect(run["cluster_count"] as? Int ?? 0 > 7_000)
    }
  }

  @Test("a second signal ends the process at once")
  func twice() async throws {
    try await withLongFit { photodb in
      let ended = try await photodb.run(["re-bootstrap", "--quiet", "--threads", "1"]) { process in
        try await waitForTheFit(photodb)
        kill(process.processIdentifier, SIGTERM)
        kill(process.processIdentifier, SIGINT)
      }
      #expect(ended.code == 130 || ended.code == 143, "\(ended.code)")
      #expect(ended.seconds < Double(StopSignal.patience))
      let runs = try #require(try await photodb.json("runs", "list")["runs"] as? [[String: Any]])
      #expect(["failed", "cancelled"].contains(runs.first?["status"] as? String))
    }
  }

  @Test("a statement ends with its program", arguments: [SIGTERM, SIGKILL])
  func statement(_ stop: Int32) async throws {
    try await OwnServer.with { server in
      try await TemporaryFolder.with { folder in
        var photodb = PhotodbProcess(folder: folder)
        photodb.environment = ["DATABASE_URL": server.url]
        try NumpyFile.write(
          Tensor(MadeUpFaces.people(count: 8, each: 4)), to: folder + "/faces.npy")
        _ = try await photodb.json("import", "faces.npy")
        let holder = try await PostgresConnection.connect(
          server.configuration, logger: TestServer.silentLogger)
        try await holder.execute(script: "BEGIN; LOCK TABLE person_detection")
        func waiting() async throws -> Bool {
          try await !holder.query("SELECT FROM pg_locks WHERE NOT granted").isEmpty
        }
        let stopped = try await photodb.run(["assign", "--quiet"]) { process in
          try await PhotodbProcess.waitUntilSignalsAreCaught(process)
          while process.isRunning, try await !waiting() {
            try await Task.sleep(for: .milliseconds(20))
          }
          kill(process.processIdentifier, stop)
        }
        #expect(stopped.seconds < Double(StopSignal.patience) / 2)
        if stop == SIGTERM {
          #expect(stopped.code == 143, "\(stopped.error)")
          #expect(stopped.error.hasPrefix("photodb: stopped by SIGTERM: "), "\(stopped.error)")
        }
        // The server hears of a killed client by looking.
        for _ in 0..<300 {
          if try await !waiting() { break }
          try await Task.sleep(for: .milliseconds(50))
        }
        #expect(try await !waiting())
        await holder.close()
        _ = try await photodb.json("assign")
      }
    }
  }

  @Test("a fit on files stops at once and leaves no file")
  func files() async throws {
    try await PhotodbProcess.inFreshFolder { photodb in
      var photodb = photodb
      photodb.environment = ["PHOTODB_KERNEL": "portable"]
      try NumpyFile.write(
        Tensor(MadeUpFaces.people(count: 7_500, each: 4)), to: photodb.folder + "/faces.npy")
      let stopped = try await photodb.run([
        "hdbscan", "fit", "faces.npy", "--threads", "1", "--out", "r.safetensors",
      ]) { process in
        try await PhotodbProcess.waitUntilSignalsAreCaught(process)
        try await Task.sleep(for: .milliseconds(300))
        kill(process.processIdentifier, SIGINT)
      }
      #expect(stopped.code == 130 && stopped.seconds < 10, "\(stopped.error)")
      #expect(stopped.error.split(separator: "\n").count == 1)
      let left = try FileManager.default.contentsOfDirectory(atPath: photodb.folder)
      #expect(!left.contains { $0.contains("safetensors") }, "\(left)")
    }
  }

  @Test("an import and an assignment that are stopped leave whole faces and can be repeated")
  func importAndAssign() async throws {
    try await PhotodbProcess.inFreshFolder { photodb in
      let count = 40_000
      try NumpyFile.write(
        Tensor(MadeUpFaces.people(count: count / 4, each: 4)), to: photodb.folder + "/faces.npy")
      _ = try await photodb.json("db", "start")
      let stopped = try await photodb.run(["import", "faces.npy", "--quiet"]) { process in
        try await PhotodbProcess.waitUntilSignalsAreCaught(process)
        try await Task.sleep(for: .milliseconds(200))
        kill(process.processIdentifier, SIGTERM)
      }
      // On a fast machine it may have ended before.
      #expect(stopped.code == 143 || stopped.code == 0, "\(stopped.error)")
      #expect(stopped.seconds < 30)
      let again = try await photodb.json("import", "faces.npy")
      let total = (again["imported"] as? Int ?? 0) + (again["skipped"] as? Int ?? 0)
      #expect(total == count)
      let assignment = try await photodb.run(["assign", "--quiet"]) { process in
        try await PhotodbProcess.waitUntilSignalsAreCaught(process)
        try await Task.sleep(for: .milliseconds(200))
        kill(process.processIdentifier, SIGINT)
      }
      #expect(assignment.code == 130 || assignment.code == 0, "\(assignment.error)")
      #expect(assignment.seconds < 30)
      if assignment.code == 130 { #expect(assignment.error.contains("stopped by SIGINT")) }
    }
  }
}
