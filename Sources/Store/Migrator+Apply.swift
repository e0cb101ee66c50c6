internal import PostgresClient

extension Migrator {
  /// Identifies the lock among all advisory locks of the database: "photodb" as a number.
  private static let lockKey: Int64 = 0x70_686f_746f_6462

  /// The files recorded in the database, in order; none where the table does not exist.
  static func recorded(_ connection: isolated PostgresConnection) throws -> [RecordedMigration] {
    guard try hasTable(connection) else { return [] }
    return try connection.query(
      "SELECT version, name, checksum FROM schema_migration ORDER BY version"
    ).map {
      RecordedMigration(
        version: try $0.int32("version"), name: try $0.text("name"),
        checksum: try $0.text("checksum"))
    }
  }

  /// Whether the table of recorded files is there.
  ///
  /// - Throws: ``PostgresError`` where it is in a schema that the role may not use, and so does not see.
  private static func hasTable(_ connection: isolated PostgresConnection) throws -> Bool {
    let row = try connection.query(
      """
      SELECT to_regclass('schema_migration') IS NOT NULL, (
        SELECT n.nspname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relname = 'schema_migration' AND NOT has_schema_privilege(n.oid, 'USAGE')
          AND n.nspname IN (
            SELECT replace(trim(BOTH ' "' FROM name), '$user', current_user)
            FROM unnest(string_to_array(current_setting('search_path'), ',')) AS name)
        LIMIT 1)
      """
    ).single()
    if try row.bool(0) { return true }
    if let schema = try row.optionalText(1) {
      throw PostgresError(.insufficientPrivilege, "permission denied for schema \(schema)")
    }
    return false
  }

  /// Applies one file, unless another process did so meanwhile.
  ///
  /// - Returns: Whether this call applied it.
  func apply(_ migration: Migration, on connection: PostgresConnection) async throws -> Bool {
    try await connection.transaction { connection in
      // Neither waiting for another migrator nor a long statement is a fault here.
      try connection.execute(
        script: """
          SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0;
          SET LOCAL idle_in_transaction_session_timeout = 0
          """)
      // Held to the end of the transaction, so that a file and its record appear together.
      try connection.query("SELECT pg_advisory_xact_lock($1)", [.int64(Self.lockKey)])
      if try !Self.hasTable(connection) { try connection.execute(script: Self.table) }
      let status = try MigrationStatus(
        recorded: Self.recorded(connection), known: migrations)
      guard status.pending.contains(migration) else { return false }
      try Self.run(migration, on: connection)
      try connection.query(
        "INSERT INTO schema_migration (version, name, checksum) VALUES ($1, $2, $3)",
        [.int32(migration.version), .text(migration.name), .text(migration.checksum)])
      return true
    }
  }

  private static let table = """
    CREATE TABLE IF NOT EXISTS schema_migration (
      version integer PRIMARY KEY,
      name text NOT NULL,
      checksum text NOT NULL CHECK (length(checksum) = 64),
      applied_at timestamptz NOT NULL DEFAULT now()
    )
    """

  private static func run(
    _ migration: Migration, on connection: isolated PostgresConnection
  ) throws {
    // The transaction's number changes if the file commits or rolls back by itself.
    let before = try connection.query("SELECT pg_current_xact_id()::text").single().text(0)
    do {
      try connection.execute(script: migration.sql)
    } catch let error as PostgresError
      where !error.isConnectionLost && error.code != .insufficientPrivilege
      && error.code != .queryCanceled
    {
      throw MigrationError.failed(
        name: migration.name, line: error.position.map { line(at: $0, in: migration.sql) },
        reason: error.description)
    }
    let after = try connection.query("SELECT pg_current_xact_id()::text").single().text(0)
    guard before == after else { throw MigrationError.leftTransaction(name: migration.name) }
  }

  /// The line, from 1, of a character that is counted from 1.
  static func line(at position: Int, in sql: String) -> Int {
    1 + sql.unicodeScalars.prefix(max(0, position - 1)).count { $0 == "\n" }
  }
}
