import Foundation
import PostgresClient
import TestSupport
import Testing

@testable import PrivatePostgres

/// Real servers in temporary folders.
///
/// One after the other: each is four processes and 0.7 s.
@Suite(.serialized) struct PrivateServerTests {
  private func withHome(
    _ name: String = "home", durability: Durability = .fast,
    _ body: (PrivateServer, String) async throws -> Void
  ) async throws {
    try await TemporaryFolder.with { folder in
      let home = folder + "/" + name
      let server = PrivateServer(
        directory: home, durability: durability, logger: TestServer.silentLogger)
      do {
        try await body(server, home)
      } catch {
        _ = try await server.stop()
        throw error
      }
      _ = try await server.stop()
    }
  }

  private func one(_ url: String) async throws -> PostgresRows {
    let connection = try await PostgresConnection.connect(
      PostgresConfiguration(url), logger: TestServer.silentLogger)
    let rows = try await connection.query(
      """
      SELECT current_user::text AS "user", current_database()::text AS database,
        current_setting('server_encoding') AS encoding, current_setting('lc_collate') AS locale,
        current_setting('listen_addresses') AS addresses
      """)
    await connection.close()
    return rows
  }

  @Test func startsStopsAndTellsItsStatus() async throws {
    try await withHome { server, home in
      let before = server.status()
      #expect(!before.isRunning)
      #expect(before.version == nil)
      #expect(before.dataDirectory == home + "/data")
      try await #expect(server.stop() == false)

      let url = try await server.start()
      let row = try await one(url).single()
      try #expect(row.text("user") == "photodb")
      try #expect(row.text("database") == "photodb")
      try #expect(row.text("encoding") == "UTF8")
      try #expect(row.text("locale") == "C")
      try #expect(row.text("addresses").isEmpty)

      let running = server.status()
      #expect(running.isRunning)
      #expect(running.url == url)
      #expect((running.version ?? 0) >= 15)
      try await #expect(server.start() == url)
      #expect(server.status().processID == running.processID)

      try await #expect(server.stop())
      #expect(!server.status().isRunning)
      try await #expect(server.stop() == false)
      try await #expect(server.start() == url)
    }
  }

  @Test func onlyTheOwnerReachesTheSocket() async throws {
    try await withHome { server, home in
      try await server.start()
      for folder in [home, home + "/socket", home + "/data"] {
        let rights = try FileManager.default.attributesOfItem(atPath: folder)[.posixPermissions]
        #expect((rights as? Int) == 0o700, "\(folder)")
      }
    }
  }

  @Test func twoStartsAtOnceMakeOneServer() async throws {
    try await withHome { server, home in
      let urls = try await withThrowingTaskGroup(of: String.self) { group in
        for _ in 0..<4 {
          group.addTask {
            try await PrivateServer(
              directory: home, durability: .fast, logger: TestServer.silentLogger
            ).start()
          }
        }
        return try await group.reduce(into: Set<String>()) { $0.insert($1) }
      }
      #expect(urls.count == 1)
      #expect(server.status().isRunning)
    }
  }

  private nonisolated func firstOwner(of folder: String) async -> UInt32? {
    while !Task.isCancelled {
      if let facts = Files.facts(of: folder) { return facts.owner }
    }
    return nil
  }

  /// As root the folder is made for another user: nobody may find it before it is that user's.
  @Test func aHomeIsItsOwnersFromTheFirstMoment() async throws {
    try await TemporaryFolder.with { folder in
      for round in 0..<200 {
        let home = "\(folder)/\(round)/home"
        async let seen = firstOwner(of: home)
        let user = try PrivateServer(directory: home, logger: TestServer.silentLogger).prepareHome()
        try #require(await seen == user.id)
        try #require(FileManager.default.contentsOfDirectory(atPath: home + "/..") == ["home"])
      }
    }
  }

  @Test func startsAgainAfterACrashAndKeepsWhatWasCommitted() async throws {
    try await withHome(durability: .full) { server, _ in
      let url = try await server.start()
      let connection = try await PostgresConnection.connect(
        PostgresConfiguration(url), logger: TestServer.silentLogger)
      try await connection.execute(script: "CREATE TABLE t (id int); INSERT INTO t VALUES (7)")
      let first = try #require(server.status().processID)
      kill(first, SIGKILL)
      let lost = await #expect(throws: PostgresError.self) {
        for _ in 0..<6_000 {
          try await connection.query("SELECT pg_sleep(0.01)")
        }
      }
      #expect(lost?.isConnectionLost == true)
      #expect(!server.status().isRunning)
      try await #expect(server.start() == url)
      #expect(server.status().processID != first)
      let again = try await PostgresConnection.connect(
        PostgresConfiguration(url), logger: TestServer.silentLogger)
      try await #expect(again.query("SELECT id FROM t").single().int32(0) == 7)
      await again.close()
    }
  }

  @Test func aPoolOutlivesARestart() async throws {
    try await withHome { server, _ in
      let pool = PostgresPool(
        try PostgresConfiguration(await server.start()), logger: TestServer.silentLogger)
      try await pool.query("CREATE TABLE t (id int)")
      try await pool.withTransaction { try $0.query("INSERT INTO t VALUES (1)") }
      try await server.stop()
      let later = Task {
        try await pool.withTransaction { try $0.query("INSERT INTO t VALUES (2)") }
      }
      try await Task.sleep(for: .milliseconds(100))
      try await server.start()
      _ = try await later.value
      try await #expect(pool.query("SELECT * FROM t").count == 2)
      await pool.close()
    }
  }

  @Test func anotherProcessWithTheNumberOfADeadServerIsNoObstacle() async throws {
    try await withHome { server, home in
      try await server.start()
      try await server.stop()
      let file = home + "/data/postmaster.pid"
      let text = "\(getpid())\n\(home)/data\n1\n5432\n\(home)/socket\n\n  1 1\nready   \n"
      try text.write(toFile: file, atomically: true, encoding: .utf8)
      try text.write(toFile: home + "/socket/.s.PGSQL.5432.lock", atomically: true, encoding: .utf8)
      #expect(!server.status().isRunning)
      let url = try await server.start()
      try await #expect(one(url).count == 1)
    }
  }

  @Test func anInterruptedInitialisationIsDoneAgain() async throws {
    try await withHome { server, home in
      let remains = home + "/data.unfinished/base"
      try FileManager.default.createDirectory(
        atPath: remains, withIntermediateDirectories: true,
        attributes: [.posixPermissions: 0o755])
      try "15\n".write(
        toFile: home + "/data.unfinished/PG_VERSION", atomically: true, encoding: .utf8)
      let url = try await server.start()
      try await #expect(one(url).count == 1)
      #expect(!FileManager.default.fileExists(atPath: home + "/data.unfinished"))
    }
  }

  @Test func aLongOrOddPathWorks() async throws {
    let long = String(repeating: "long folder's, ", count: 8) + "ż"
    try await withHome(long) { server, home in
      let url = try await server.start()
      try await #expect(one(url).count == 1)
      let layout = ServerLayout(home: home)
      #expect(layout.isSocketFolderTemporary)
      #expect(FileManager.default.fileExists(atPath: layout.socketFolder))
      try await #expect(server.stop())
      #expect(!FileManager.default.fileExists(atPath: layout.socketFolder))
    }
    try await withHome("it's, \"odd\" ż%20") { server, _ in
      try await #expect(one(server.start()).count == 1)
    }
  }

  @Test func aFolderWithSomethingElseIsLeftAlone() async throws {
    try await withHome { server, home in
      try FileManager.default.createDirectory(
        atPath: home + "/data", withIntermediateDirectories: true)
      try "mine".write(toFile: home + "/data/photo.jpg", atomically: true, encoding: .utf8)
      let error = await #expect(throws: PrivateServerError.self) { try await server.start() }
      #expect(error == .notADataFolder(home + "/data") || error?.isForeign == true)
      #expect(FileManager.default.fileExists(atPath: home + "/data/photo.jpg"))
    }
  }

  @Test func aHomeThatIsThereKeepsItsOwner() async throws {
    try await withHome { server, home in
      let attributes: [FileAttributeKey: Any] = [.posixPermissions: 0o755]
      try FileManager.default.createDirectory(
        atPath: home, withIntermediateDirectories: true, attributes: attributes)
      try "mine".write(toFile: home + "/photo.jpg", atomically: true, encoding: .utf8)
      let owner = try FileManager.default.attributesOfItem(atPath: home)[.ownerAccountID] as? Int
      try await #expect(one(server.start()).count == 1)
      let later = try FileManager.default.attributesOfItem(atPath: home)[.ownerAccountID] as? Int
      #expect(owner == Int(geteuid()))
      #expect(later == owner)
    }
  }

  @Test func dataOfAnotherVersionIsExplained() async throws {
    try await withHome { server, home in
      try await server.start()
      try await server.stop()
      try "12\n".write(toFile: home + "/data/PG_VERSION", atomically: false, encoding: .utf8)
      let error = await #expect(throws: PrivateServerError.self) { try await server.start() }
      #expect(error?.description.contains("apt-get install -y postgresql-12") == true)
    }
  }

  @Test func aBrokenSettingIsReportedWithTheServersWords() async throws {
    try await withHome { server, home in
      try await server.start()
      try await server.stop()
      let file = home + "/data/postgresql.conf"
      let text = try String(contentsOfFile: file, encoding: .utf8)
      try (text + "\nshared_buffers = 'nonsense'\n").write(
        toFile: file, atomically: false, encoding: .utf8)
      let error = await #expect(throws: PrivateServerError.self) { try await server.start() }
      #expect(error?.description.contains("\n") == false)
      #expect(error?.description.contains(home + "/server.log") == true)
      try text.write(toFile: file, atomically: false, encoding: .utf8)
    }
  }
}

extension PrivateServerError {
  /// Whether the folder was refused because of its owner.
  fileprivate var isForeign: Bool {
    if case .foreignFolder = self { true } else { false }
  }
}
