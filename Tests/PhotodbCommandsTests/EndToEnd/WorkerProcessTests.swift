import FaceClustering
import Foundation
import Logging
import PostgresClient
import Store
import TestSupport
import Testing
import Vectors

/// Workers as processes of their own, which are killed, stopped, and lose their server.
@Suite("photodb worker as a process", .serialized, .timeLimit(.minutes(15)))
struct WorkerProcessTests {
  /// A server, a collection, and a folder to run the program in.
  private struct Place {
    let server: OwnServer
    let pool: PostgresPool
    let stage: FaceClustering
    let photodb: PhotodbProcess

    func worker(_ log: String) throws -> Process {
      try photodb.start(
        ["worker", "--all", "--json", "--lease", "4", "--poll", "1", "--batch", "1"], log: log)
    }

    func waiting() async throws -> Int { try await stage.counts().byStatus["new"] ?? 0 }

    /// Whether the predicate comes true within two minutes.
    func sees(_ holds: () async throws -> Bool) async throws -> Bool {
      for _ in 0..<2_400 {
        if try await holds() { return true }
        try await Task.sleep(for: .milliseconds(50))
      }
      return false
    }

    func lines(_ log: String) throws -> [[String: Any]] {
      try String(contentsOfFile: "\(photodb.folder)/\(log)", encoding: .utf8)
        .split(separator: "\n").map {
          try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
    }

    func checkInvariants() async throws {
      let violations = try await InvariantChecker(stage.collection).violations(in: pool)
      #expect(violations == [])
    }
  }

  private func inPlace(_ body: (Place) async throws -> Void) async throws {
    try await OwnServer.with { server in
      try await TemporaryFolder.with { folder in
        let logger = TestServer.silentLogger
        let pool = PostgresPool(server.configuration, maximumConnections: 4, logger: logger)
        let stage = try await FaceClustering.openOrCreate(
          pool: pool, collection: "faces", embeddingModel: "test", dimension: 8, logger: logger)
        var photodb = PhotodbProcess(folder: folder)
        photodb.environment = ["DATABASE_URL": server.url]
        try await body(Place(server: server, pool: pool, stage: stage, photodb: photodb))
        await pool.close()
      }
    }
  }

  /// Faces in many directions.
  private static func file(_ count: Int, prefix: String) -> FaceFile {
    FaceFile(
      faces: (0..<count).map { IncomingFace(externalID: "\(prefix)-\($0)") },
      rows: Array(0..<count),
      embeddings: Matrix(
        (0..<count).map { row in
          (0..<8).map { Float(sin(Double(row * 8 + $0) * 1.7)) }
        }))
  }

  private func stop(_ process: Process) async throws -> Int32 {
    process.terminate()
    while process.isRunning { try await Task.sleep(for: .milliseconds(20)) }
    return process.terminationStatus
  }

  @Test("another worker takes over from one that was killed")
  func killed() async throws {
    try await inPlace { place in
      _ = try await place.stage.importFaces(Self.file(1_200, prefix: "a"))
      let first = try place.worker("first.log")
      #expect(try await place.sees { try await place.waiting() < 1_200 })
      kill(first.processIdentifier, SIGKILL)
      let left = try await place.waiting()
      #expect(left > 0)
      #expect(try await place.stage.jobs().first?.status == .running)
      let second = try place.worker("second.log")
      #expect(try await place.sees { try await place.stage.jobs().isEmpty })
      #expect(try await place.waiting() == 0)
      #expect(try await stop(second) == 0)
      let lines = try place.lines("second.log")
      let done = try #require(lines.first { $0["message"] as? String == "assigned" })
      #expect(done["attempt"] as? Int == 2)
      #expect(lines.allSatisfy { $0["time"] is String && $0["level"] is String })
      try await place.checkInvariants()
    }
  }

  @Test("a worker that is told to stop gives the job back and ends with 0")
  func told() async throws {
    try await inPlace { place in
      _ = try await place.stage.importFaces(Self.file(1_200, prefix: "a"))
      let worker = try place.worker("worker.log")
      #expect(try await place.sees { try await place.waiting() < 1_200 })
      #expect(try await stop(worker) == 0)
      #expect(try await place.waiting() > 0)
      let job = try #require(try await place.stage.jobs().first)
      #expect(job.status == .queued && job.attempts == 0)
      let once = try await place.photodb.json("worker", "--all", "--once")
      #expect(once["jobs"] as? Int == 1)
      #expect(try await place.waiting() == 0)
      try await place.checkInvariants()
    }
  }

  @Test("a worker waits for a server that crashed, and goes on")
  func crashed() async throws {
    try await inPlace { place in
      let worker = try place.worker("worker.log")
      _ = try await place.stage.importFaces(Self.file(800, prefix: "a"))
      #expect(try await place.sees { try await place.waiting() < 800 })
      // In the middle of its work, and then while it waits for some.
      for round in 1...2 {
        try place.server.crash()
        try await Task.sleep(for: .seconds(1))
        try await place.server.start()
        _ = try await place.stage.importFaces(Self.file(10, prefix: "round \(round)"))
        #expect(
          try await place.sees {
            let waiting = try await place.waiting()
            let jobs = try await place.stage.jobs()
            return waiting == 0 && jobs.isEmpty
          })
      }
      #expect(try await place.stage.counts().total == 820)
      #expect(try await stop(worker) == 0)
      let messages = try place.lines("worker.log").compactMap { $0["message"] as? String }
      // A line for each time at the most; a transaction that is tried again in time tells nothing.
      let losses = messages.count { $0.hasSuffix("waiting for the database") }
      #expect((1...2).contains(losses))
      #expect(messages.count { $0 == "connected to the database again" } == losses)
      try await place.checkInvariants()
    }
  }

  @Test("what was given up and what maintenance could not do is shown, with code 1")
  func failures() async throws {
    try await inPlace { place in
      _ = try await place.stage.importFaces(Self.file(60, prefix: "a"))
      _ = try await place.stage.bootstrap()
      let fine = try await place.photodb.json("maintain", "daily", "weekly", "--all")
      let reports = try #require(fine["collections"] as? [[String: Any]])
      let tasks = try #require(reports.first?["tasks"] as? [[String: Any]])
      #expect(tasks.count == 9 && tasks.allSatisfy { $0["succeeded"] as? Bool == true })
      #expect(try await place.photodb.run("maintain", "yearly").code == 2)

      try await place.pool.query(
        "CREATE TABLE saved AS SELECT id, centroid_sum AS sum FROM cluster")
      try await place.pool.query(
        "UPDATE cluster SET centroid_sum = 'short', reference_centroid = 'short'")
      let faces = ["--collection", "faces"]
      let failed = try await place.photodb.run("maintain", "daily", "--json", faces[0], faces[1])
      #expect(failed.code == 1)
      let named = try #require(try failed.object()["tasks"] as? [[String: Any]])
        .filter { $0["succeeded"] as? Bool == false }
      #expect(named.contains { $0["task"] as? String == "counts" && $0["error"] is String })

      let typo = try await place.photodb.run("worker", "--once", "--collection", "face")
      #expect(typo.code == 1)
      #expect(typo.error.contains("there is no collection “face”; known: faces"))

      _ = try await place.stage.importFaces(Self.file(1, prefix: "b"))
      let once = try await place.photodb.run(
        "worker", "--once", "--attempts", "1", faces[0], faces[1])
      #expect(once.code == 1)
      let jobs = try await place.photodb.json("jobs", "list", faces[0], faces[1])
      let job = try #require((jobs["jobs"] as? [[String: Any]])?.first)
      #expect(job["status"] as? String == "dead" && job["error"] is String)

      try await place.pool.query(
        """
        UPDATE cluster SET centroid_sum = saved.sum, reference_centroid = centroid
        FROM saved WHERE saved.id = cluster.id
        """)
      let again = try await place.photodb.json("jobs", "retry", faces[0], faces[1])
      #expect(again["queued"] as? Int == 1)
      let drained = try await place.photodb.json("worker", "--once", faces[0], faces[1])
      #expect(drained["jobs"] as? Int == 1 && drained["faces"] as? Int == 1)
      try await place.checkInvariants()
    }
  }
}
