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
  /// Ten kills each; more with `scripts/soak`: some ten a minute.
  private static let rounds = max(
    2,
    Int(
      (ProcessInfo.processInfo.environment["PHOTODB_SOAK_MINUTES"].flatMap(Double.init) ?? 0) * 10))

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
      (0..<(round == 0 ? 1_200 : 120)).map { row in
        (0..<16).map { column in
          let centre = sin(Double((row % 40) * 16 + column) * 1.7)
          return Float(centre + 0.2 * sin(Double((round * 1_200 + row) * 16 + column) * 9.1))
        }
      })
  }

  /// One database under the program, and what the test knows of it.
  private final class Place {
    let photodb: PhotodbProcess
    let pool: PostgresPool
    /// How long each command took when it was let alone, in milliseconds.
    var durations: [String: Double] = [:]
    var kills: [String: Int] = [:]
    /// Faces that people placed, and their clusters.
    var manual: [String: Int64] = [:]

    init(_ photodb: PhotodbProcess, _ pool: PostgresPool) {
      self.photodb = photodb
      self.pool = pool
    }

    func number(_ sql: String) async throws -> Int64 {
      try await pool.query("SELECT (\(sql))::bigint").single().int64(0)
    }

    func faultless(_ arguments: [String], _ name: String) async throws {
      let start = ContinuousClock.now
      let again = try await photodb.launch(arguments)
      #expect(again.code == 0, "\(arguments) after a kill: \(again.error)")
      durations[name] = (ContinuousClock.now - start) / .milliseconds(1)
    }

    func random(_ sql: String) async throws -> Int64 {
      try await number("\(sql) ORDER BY random() LIMIT 1")
    }
  }

  /// Kills a command at a point of its work by chance.
  private func kill(_ place: Place, _ arguments: [String], _ name: String) async throws {
    let duration = max(30, Int(place.durations[name] ?? 150))
    if try await kill(
      place.photodb, arguments, after: Int.random(in: duration / 5...duration))
    {
      place.kills[name, default: 0] += 1
    }
  }

  /// Kills a command that may be done any number of times, and does it again.
  private func killTwice(_ place: Place, _ arguments: String...) async throws {
    try await kill(place, arguments, arguments[0])
    // As if nothing had happened. The lock of the killed goes with its session.
    try await place.faultless(arguments, arguments[0])
  }

  /// Kills a deed of a human, which happened or did not; then it is done.
  private func killDeed(_ place: Place, _ arguments: String...) async throws {
    let log = "SELECT count(*) FROM human_action"
    let before = try await place.number(log)
    let name = arguments.prefix(2).joined(separator: " ")
    try await kill(place, arguments, name)
    // What the server had begun to commit ends, too.
    try await place.pool.withTransaction { connection in
      let collection = try CollectionRepository().find("default", on: connection)
      try CollectionLocks(collection).ownMembership(on: connection)
    }
    let happened = try await place.number(log) - before
    #expect(happened == 0 || happened == 1, "\(arguments)")
    if happened == 0 { try await place.faultless(arguments, name) }
    #expect(try await place.number(log) == before + 1)
  }

  @Test("import, worker, bootstrap, assign, maintenance, people, runs") func stage() async throws {
    try await OwnServer.with { server in
      try await TemporaryFolder.with { folder in
        var photodb = PhotodbProcess(folder: folder)
        photodb.environment = ["DATABASE_URL": server.url]
        let pool = PostgresPool(server.configuration, logger: TestServer.silentLogger)
        let place = Place(photodb, pool)
        for round in 0..<Self.rounds {
          try await self.round(round, place)
          let collection = try await pool.withTransaction {
            try CollectionRepository().find("default", on: $0)
          }
          let violations = try await InvariantChecker(collection).violations(in: pool)
          #expect(violations == [], "round \(round)")
        }
        let kills = place.kills.sorted { $0.key < $1.key }
        print("killed:", kills.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
        #expect(kills.reduce(0) { $0 + $1.value } > 0)
        let counts = try await photodb.json("assign")
        #expect(counts["invalid"] as? Int == 0)
        #expect(
          try await place.number("SELECT count(*) FROM person_detection")
            == Int64(1_200 + (Self.rounds - 1) * 120))
        #expect(
          try await place.number(
            "SELECT count(*) FROM person_detection WHERE cluster_status IS NULL") == 0)
        #expect(
          try await place.number("SELECT count(*) FROM hdbscan_run WHERE status = 'running'") == 0)
        for (face, cluster) in place.manual {
          let stands = try await pool.query(
            """
            SELECT count(*) FROM person_detection
            WHERE external_id = $1 AND cluster_id = $2 AND cluster_status = 'manual'
            """, [.text(face), .int64(cluster)]
          ).single().int64(0)
          #expect(stands == 1, "\(face)")
        }
        await pool.close()
      }
    }
  }

  private func round(_ round: Int, _ place: Place) async throws {
    let file = "faces-\(round).npy"
    try NumpyFile.write(
      Tensor(Self.faces(round: round)), to: "\(place.photodb.folder)/\(file)")
    try await killTwice(place, "import", file)
    let worker = ["worker", "--all", "--once", "--batch", "50", "--lease", "1"]
    try await kill(place, worker, "worker")
    // The lease of the killed runs out.
    try await Task.sleep(for: .milliseconds(1_100))
    try await place.faultless(worker, "worker")
    try await killTwice(place, "re-bootstrap")
    try await killTwice(place, "re-bootstrap", "--without-fit")
    try await killTwice(place, "assign", "--force")
    try await killTwice(place, "maintain", "daily")

    let face = "\(file):0"
    let cluster = try await place.random("SELECT id FROM cluster WHERE retired_at IS NULL")
    let arguments = ["detection", "assign", face, "--cluster", "\(cluster)", "--anyway"]
    try await place.faultless(arguments, "detection")
    place.manual[face] = cluster

    let persons = "SELECT person_id FROM cluster WHERE face_count > 0 AND retired_at IS NULL"
    let heir = try await place.random(persons)
    let source = try await place.random("\(persons) AND person_id <> \(heir)")
    // Without --anyway a merge sets faces aside of which people said that they are not that person.
    try await killDeed(place, "person", "merge", "\(heir)", "\(source)", "--anyway")
    try await killDeed(place, "person", "split", "\(heir)")
    let wrong = try await place.pool.query(
      """
      SELECT external_id FROM person_detection
      WHERE cluster_status NOT IN ('manual', 'pending') AND cluster_id IS NOT NULL
      ORDER BY random() LIMIT 1
      """
    ).single().text(0)
    try await killDeed(place, "detection", "reject", wrong)
    try await killDeed(place, "undo")
    let run = try await place.random(
      "SELECT id FROM hdbscan_run WHERE status = 'completed' AND NOT is_active")
    try await killDeed(place, "runs", "activate", "\(run)")
  }

  @Test("migrations") func migrations() async throws {
    try await OwnServer.with { server in
      try await TemporaryFolder.with { folder in
        let admin = try await PostgresConnection.connect(
          server.configuration, logger: TestServer.silentLogger)
        for round in 0..<3 * Self.rounds {
          try await admin.query("CREATE DATABASE round_\(round) TEMPLATE template0")
          var photodb = PhotodbProcess(folder: folder)
          photodb.environment = [
            "DATABASE_URL": server.url.replacing("/photodb?", with: "/round_\(round)?")
          ]
          _ = try await kill(photodb, ["migrate"], after: Int.random(in: 10...80))
          let again = try await photodb.json("migrate")
          let status = try await photodb.json("migrate", "--dry-run")
          #expect((status["pending"] as? [Any])?.count == 0, "\(again)")
          try await admin.query("DROP DATABASE round_\(round) WITH (FORCE)")
        }
        await admin.close()
      }
    }
  }
}
