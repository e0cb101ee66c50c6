import FaceClustering
import Foundation
import PostgresClient
import Store
import TensorFiles
import TestSupport
import Testing
import Vectors

/// The program is killed at random points; nothing is half done, and it can be done again.
@Suite("photodb killed at random points", .serialized, .timeLimit(.minutes(600)))
struct KillTests {
  /// More with `scripts/soak`: some twenty a minute.
  private static let rounds = Int(
    (ProcessInfo.processInfo.environment["PHOTODB_SOAK_MINUTES"].flatMap(Double.init) ?? 0.15) * 20)

  /// Runs the program and kills it after so many milliseconds, if it has not ended by then.
  ///
  /// - Returns: whether it was killed.
  private func kill(
    _ photodb: PhotodbProcess, _ arguments: [String], after milliseconds: Int
  ) async throws -> Bool {
    let process = try photodb.start(arguments, log: "killed.log")
    try await Task.sleep(for: .milliseconds(milliseconds))
    let wasRunning = process.isRunning
    if wasRunning { Foundation.kill(process.processIdentifier, SIGKILL) }
    while process.isRunning { try await Task.sleep(for: .milliseconds(10)) }
    return wasRunning
  }

  /// Faces of made-up people, others in every round.
  private static func faces(round: Int) -> Matrix<Float> {
    Matrix(
      (0..<600).map { row in
        (0..<16).map { column in
          let centre = sin(Double((row % 40) * 16 + column) * 1.7)
          return Float(centre + 0.2 * sin(Double((round * 600 + row) * 16 + column) * 9.1))
        }
      })
  }

  @Test("import, bootstrap, assign, maintenance") func stage() async throws {
    try await OwnServer.with { server in
      try await TemporaryFolder.with { folder in
        var photodb = PhotodbProcess(folder: folder)
        photodb.environment = ["DATABASE_URL": server.url]
        let pool = PostgresPool(server.configuration, logger: TestServer.silentLogger)
        var killed = 0
        for round in 0..<Self.rounds {
          let file = "faces-\(round).npy"
          try NumpyFile.write(Tensor(Self.faces(round: round)), to: "\(folder)/\(file)")
          let commands = [
            ["import", file], ["re-bootstrap"], ["assign", "--force"], ["maintain", "daily"],
          ]
          for arguments in commands {
            let isKilled = try await kill(
              photodb, arguments, after: Int.random(in: 20...250))
            if isKilled { killed += 1 }
            // Done again, as if nothing had happened. The lock of the killed goes with its session.
            let again = try await photodb.launch(arguments)
            #expect(again.code == 0, "\(arguments) after a kill: \(again.error)")
          }
          let collection = try await pool.withTransaction {
            try CollectionRepository().find("default", on: $0)
          }
          let violations = try await InvariantChecker(collection).violations(in: pool)
          #expect(violations == [], "round \(round)")
        }
        #expect(killed > 0)
        let counts = try await photodb.json("assign")
        #expect(counts["invalid"] as? Int == 0)
        let total = try await pool.query("SELECT count(*) FROM person_detection").single().int64(0)
        #expect(Int(total) == Self.rounds * 600)
        let new = try await pool.query(
          "SELECT count(*) FROM person_detection WHERE cluster_status IS NULL"
        ).single().int64(0)
        #expect(new == 0)
        let running = try await pool.query(
          "SELECT count(*) FROM hdbscan_run WHERE status = 'running'"
        ).single().int64(0)
        #expect(running == 0)
        await pool.close()
      }
    }
  }

  @Test("migrations") func migrations() async throws {
    try await OwnServer.with { server in
      try await TemporaryFolder.with { folder in
        let admin = try await PostgresConnection.connect(
          server.configuration, logger: TestServer.silentLogger)
        for round in 0..<Self.rounds {
          try await admin.query("CREATE DATABASE round_\(round) TEMPLATE template0")
          var photodb = PhotodbProcess(folder: folder)
          photodb.environment = [
            "DATABASE_URL": server.url.replacing("/photodb?", with: "/round_\(round)?")
          ]
          _ = try await kill(photodb, ["migrate"], after: Int.random(in: 10...80))
          let again = try await photodb.json("migrate")
          let status = try await photodb.json("migrate", "--dry-run")
          #expect((status["pending"] as? [Any])?.count == 0, "\(again)")
        }
        await admin.close()
      }
    }
  }
}
