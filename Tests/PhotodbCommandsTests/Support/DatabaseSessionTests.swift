import ArgumentParser
import PostgresClient
import Store
import TestSupport
import Testing

@testable import PhotodbCommands

struct DatabaseSessionTests {
  /// Options as if `--database` named the database of `pool`.
  private func options(for pool: PostgresPool) throws -> GlobalOptions {
    let place = pool.configuration
    return try GlobalOptions.parse([
      "--quiet", "--database",
      "host=\(place.host) port=5432 dbname=\(place.database) user=\(place.user)",
    ])
  }

  @Test func pendingMigrationsOfANamedDatabaseAreAnError() async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false) { pool in
      let options = try options(for: pool)
      let text = await failure { try await DatabaseSession.with(options) { _ in } }
      #expect(text.hasPrefix("the database lacks "))
      #expect(text.contains("0001_collections_and_faces.sql"))
      #expect(text.hasSuffix("run `photodb migrate`"))
    }
  }

  @Test func migrateAppliesWhatIsPending() async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false) { pool in
      let options = try options(for: pool)
      let report = try await DatabaseSession.with(options, schema: .none) { session in
        try await Migrator().migrate(session.pool)
      }
      #expect(try report.applied == Migrator().migrations.map(\.name))
      let isPrivate = try await DatabaseSession.with(options) { $0.isPrivate }
      #expect(!isPrivate)
    }
  }

  @Test func aNewerDatabaseIsRefused() async throws {
    try await TestServer.shared.withFreshDatabase { pool in
      try await pool.withConnection { connection in
        _ = try await connection.query(
          """
          INSERT INTO schema_migration (version, name, checksum)
          VALUES (9999, '9999_future.sql', repeat('0', 64))
          """)
      }
      let options = try options(for: pool)
      let error = await #expect(throws: MigrationError.self) {
        try await DatabaseSession.with(options) { _ in }
      }
      #expect(oneLine(try #require(error)).hasPrefix("the database is newer than this program"))
    }
  }

  @Test func errorsOfTheWorkComeThrough() async throws {
    try await TestServer.shared.withFreshDatabase { pool in
      let options = try options(for: pool)
      let text = await failure {
        try await DatabaseSession.with(options) { _ in throw CommandFailure("unknown collection") }
      }
      #expect(text == "unknown collection")
    }
  }

  @Test func thePasswordIsInNoError() async throws {
    let options = try GlobalOptions.parse([
      "--quiet", "--database", "postgresql://ann:secret@localhost:1/photos",
    ])
    let error = await #expect(throws: PostgresError.self) {
      try await DatabaseSession.with(options) { _ in }
    }
    let text = oneLine(try #require(error))
    #expect(text.contains("localhost:1"))
    #expect(!text.contains("secret"))
  }

  @Test(arguments: [("ann:secret", 1), ("ann", 0)])
  func aPasswordInTheListOfProcessesIsPointedOut(user: String, warnings: Int) async throws {
    let log = CollectedLog()
    let options = try GlobalOptions.parse(["--database", "postgresql://\(user)@localhost:1/photos"])
    await #expect(throws: PostgresError.self) {
      try await DatabaseSession.with(
        options, logger: log.logger
      ) { _ in }
    }
    let lines = log.lines
    #expect(lines.count { $0.contains("the password of --database") } == warnings)
    #expect(!lines.contains { $0.contains("secret") })
  }
}
