import Foundation
import PostgresClient
import TestSupport
import Testing

@testable import Store

/// Migrations on a real server, from empty, in parts, wrong, and by several at once.
@Suite struct MigratorTests {
  private static func files(_ count: Int) throws -> [Migration] {
    try (1...count).map { number in
      try Migration(
        name: "000\(number)_step.sql",
        sql: "CREATE TABLE step_\(number) (id int);\nINSERT INTO step_\(number) VALUES (\(number))")
    }
  }

  private func migrate(_ pool: PostgresPool, _ migrations: [Migration]) async throws
    -> MigrationReport
  {
    try await Migrator(migrations: migrations).migrate(pool)
  }

  @Test func theEmbeddedFilesAreThoseOfTheFolder() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../migrations").standardized
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(".sql") }.sorted()
    let embedded = try [Migration].embedded()
    #expect(embedded.map(\.name) == names)
    for migration in embedded {
      let text = try String(contentsOf: folder.appending(path: migration.name), encoding: .utf8)
      #expect(migration.sql == text, "\(migration.name) differs: build again")
    }
  }

  @Test func anEmptyDatabaseGetsEveryFileOnce() async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false) { pool in
      let migrator = try Migrator()
      let names = migrator.migrations.map(\.name)
      let dry = try await migrator.migrate(pool, dryRun: true)
      #expect(dry == MigrationReport(applied: [], pending: names, existing: 0))
      let tables = try await pool.query("SELECT 1 FROM pg_tables WHERE schemaname = 'public'")
      #expect(tables.isEmpty)
      let first = try await migrator.migrate(pool)
      #expect(first == MigrationReport(applied: names, pending: [], existing: 0))
      let second = try await migrator.migrate(pool)
      #expect(second == MigrationReport(applied: [], pending: [], existing: names.count))
      let status = try await pool.withConnection { try await migrator.status($0) }
      #expect(status.applied.map(\.name) == names)
      #expect(status.pending.isEmpty)
      let found = try await pool.query(
        "SELECT 1 FROM pg_tables WHERE tablename IN ('collection', 'hdbscan_run', 'cluster')")
      #expect(found.count == 3)
    }
  }

  @Test func checksumIsSHA256() throws {
    let migration = try Migration(name: "0001_x.sql", sql: "abc")
    #expect(
      migration.checksum == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  }

  @Test func anOlderDatabaseIsBroughtUpToDate() async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false) { pool in
      try await #expect(migrate(pool, Self.files(1)).applied == ["0001_step.sql"])
      let report = try await migrate(pool, Self.files(3))
      #expect(report.applied == ["0002_step.sql", "0003_step.sql"])
      #expect(report.existing == 1)
    }
  }

  @Test func aNewerDatabaseIsRefused() async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false) { pool in
      _ = try await migrate(pool, Self.files(3))
      let error = await #expect(throws: MigrationError.self) {
        try await migrate(pool, Self.files(2))
      }
      #expect(error == .databaseIsNewer(database: "0003_step.sql", program: "0002_step.sql"))
    }
  }

  @Test func changedMissingAndSkippedFilesAreRefused() async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false) { pool in
      let files = try Self.files(3)
      _ = try await migrate(pool, files)
      let changed = try [
        files[0], Migration(name: files[1].name, sql: files[1].sql + " "), files[2],
      ]
      let first = await #expect(throws: MigrationError.self) { try await migrate(pool, changed) }
      #expect(first == .changed(name: "0002_step.sql"))
      let second = await #expect(throws: MigrationError.self) {
        try await migrate(pool, [files[0], files[2]])
      }
      #expect(second == .missing(name: "0002_step.sql"))
      try await pool.query("DELETE FROM schema_migration WHERE version = 2")
      let third = await #expect(throws: MigrationError.self) { try await migrate(pool, files) }
      #expect(third == .skipped(name: "0002_step.sql", applied: "0003_step.sql"))
    }
  }

  @Test func aFileThatFailsLeavesNothingAndSaysWhere() async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false) { pool in
      let broken = try Migration(
        name: "0002_broken.sql", sql: "CREATE TABLE żółw (id int);\n\nSELECT nothing;\n")
      let error = await #expect(throws: MigrationError.self) {
        try await migrate(pool, Self.files(1) + [broken])
      }
      #expect(
        error?.description
          == "migration 0002_broken.sql failed at line 3: column \"nothing\" does not exist"
          + " (SQLSTATE 42703)")
      let tables = try await pool.query("SELECT to_regclass('żółw') IS NULL").single()
      try #expect(tables.bool(0))
      let names = try await pool.query("SELECT name FROM schema_migration").map { try $0.text(0) }
      #expect(names == ["0001_step.sql"])
    }
  }

  @Test(arguments: ["COMMIT", "ROLLBACK", "COMMIT; BEGIN"])
  func aFileThatEndsItsTransactionIsRefused(_ statement: String) async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false) { pool in
      let file = try Migration(name: "0001_x.sql", sql: "CREATE TABLE x (id int); \(statement)")
      let error = await #expect(throws: MigrationError.self) { try await migrate(pool, [file]) }
      #expect(error == .leftTransaction(name: "0001_x.sql"))
      try await #expect(pool.query("SELECT 1").count == 1)
    }
  }

  @Test func manyMigratorsAtOnce() async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false, maximumConnections: 8) { pool in
      let reports = try await withThrowingTaskGroup(of: MigrationReport.self) { group in
        for _ in 0..<8 { group.addTask { try await Migrator().migrate(pool) } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      let names = try [Migration].embedded().map(\.name)
      #expect(reports.flatMap(\.applied).sorted() == names)
    }
  }

  @Test func namesAndNumbersAreChecked() throws {
    #expect(throws: MigrationError.badName("first.sql")) {
      try Migration(name: "first.sql", sql: "")
    }
    let files = try Self.files(2)
    #expect(throws: MigrationError.notInOrder("0002_step.sql", "0001_step.sql")) {
      try Migrator(migrations: files.reversed())
    }
    #expect(throws: MigrationError.notInOrder("0001_step.sql", "0001_step.sql")) {
      try Migrator(migrations: [files[0], files[0]])
    }
  }

  @Test func messagesAreOneLine() {
    let errors: [MigrationError] = [
      .badName("x"), .notInOrder("a", "b"), .changed(name: "a"), .missing(name: "a"),
      .skipped(name: "a", applied: "b"), .databaseIsNewer(database: "a", program: "b"),
      .serverTooOld(140_003), .failed(name: "a", line: nil, reason: "r"),
      .leftTransaction(name: "a"),
    ]
    for error in errors { #expect(!error.description.contains("\n")) }
    #expect(
      MigrationError.serverTooOld(140_003).description
        == "the server is PostgreSQL 14; photodb needs 15 or newer")
  }
}
