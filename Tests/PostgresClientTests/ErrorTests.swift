import PostgresClient
import TestSupport
import Testing

@Suite struct ErrorTests {
  @Test(arguments: [
    ("SELEC 1", PostgresError.Code.syntaxError),
    ("SELECT * FROM nowhere", .undefinedTable),
    ("SELECT nothing FROM t", .undefinedColumn),
    ("INSERT INTO t VALUES (1, 'a')", .uniqueViolation),
    ("INSERT INTO t VALUES (2, NULL)", .notNullViolation),
    ("INSERT INTO t VALUES (-2, 'a')", .checkViolation),
    ("INSERT INTO u VALUES (99)", .foreignKeyViolation),
    ("CREATE TABLE t (id int)", .duplicateTable),
    ("SELECT 'x'::int", .invalidTextRepresentation),
    ("SELECT 40000::smallint", .numericValueOutOfRange),
  ])
  func sqlState(_ statement: String, _ code: PostgresError.Code) async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false) { pool in
      try await pool.withConnection { connection in
        try await connection.execute(
          script: """
            CREATE TABLE t (id bigint PRIMARY KEY CHECK (id > 0), name text NOT NULL);
            CREATE TABLE u (id bigint REFERENCES t);
            INSERT INTO t VALUES (1, 'secret name')
            """)
        let error = await #expect(throws: PostgresError.self) {
          try await connection.query(statement)
        }
        #expect(error?.code == code)
        #expect(error?.isConnectionLost == false)
        #expect(error?.description.contains("SQLSTATE \(code.rawValue)") == true)
        #expect(error?.description.contains("\n") == false)
        try await #expect(connection.query("SELECT 1").single().int64(0) == 1)
      }
    }
  }

  @Test func descriptionHasNoValuesOfRows() async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false) { pool in
      try await pool.query("CREATE TABLE t (name text UNIQUE)")
      try await pool.query("INSERT INTO t VALUES ('Ada Lovelace')")
      let error = await #expect(throws: PostgresError.self) {
        try await pool.query("INSERT INTO t VALUES ($1)", ["Ada Lovelace"])
      }
      #expect(error?.description.contains("Ada") == false)
      #expect(error?.constraint == "t_name_key")
      #expect(error?.table == "t")
      #expect(error?.debugDescription.contains("Ada Lovelace") == true)
    }
  }

  @Test func wrongTypeAndWrongColumnSaySo() async throws {
    let connection = try await PostgresConnection.connect(
      await TestServer.shared.configuration(), logger: TestServer.silentLogger)
    let row = try await connection.query("SELECT 1.5::real AS a, 'x' AS b, 2::bigint AS c").single()
    for read in [
      { _ = try row.int64("a") }, { _ = try row.float("b") }, { _ = try row.text("c") },
      { _ = try row.bool("c") }, { _ = try row.float("c") }, { _ = try row.bytes("b") },
      { _ = try row.int64("missing") }, { _ = try row.int64(3) }, { _ = try row.int64Array("a") },
      { _ = try row.timestamp("c") },
    ] as [() throws -> Void] {
      let error = #expect(throws: PostgresError.self) { try read() }
      #expect(error?.code == .decoding)
    }
    let missing = #expect(throws: PostgresError.self) { try row.int64("missing") }
    #expect(missing?.description == "column \"missing\" is not in the result; it has a, b, c")
    let many = try await connection.query("SELECT generate_series(1, 2)")
    #expect(throws: PostgresError.self) { try many.single() }
    await connection.close()
  }

  @Test func statementAndLockTimeouts() async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false) { pool in
      try await pool.query("CREATE TABLE t (id int)")
      var impatient = pool.configuration
      impatient.statementTimeout = .milliseconds(500)
      var connection = try await PostgresConnection.connect(
        impatient, logger: TestServer.silentLogger)
      let slow = await #expect(throws: PostgresError.self) {
        try await connection.query("SELECT pg_sleep(30)")
      }
      #expect(slow?.code == .queryCanceled)
      await connection.close()
      impatient.statementTimeout = nil
      impatient.lockTimeout = .milliseconds(20)
      connection = try await PostgresConnection.connect(impatient, logger: TestServer.silentLogger)
      try await pool.withConnection { holder in
        try await holder.execute(script: "BEGIN; LOCK TABLE t")
        let locked = await #expect(throws: PostgresError.self) {
          try await connection.query("SELECT * FROM t")
        }
        #expect(locked?.code == .lockNotAvailable)
        try await holder.execute(script: "ROLLBACK")
      }
      await connection.close()
    }
  }

  @Test func closedConnectionSaysSo() async throws {
    let connection = try await PostgresConnection.connect(
      await TestServer.shared.configuration(), logger: TestServer.silentLogger)
    await connection.close()
    await connection.close()
    let error = await #expect(throws: PostgresError.self) { try await connection.query("SELECT 1") }
    #expect(error?.code == .connectionFailure)
    #expect(error?.isConnectionLost == true)
  }
}
