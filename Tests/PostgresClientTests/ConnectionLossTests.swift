import Dispatch
import PostgresClient
import TestSupport
import Testing

@Suite struct ConnectionLossTests {
  @Test func thePoolReplacesAConnectionThatWasTerminated() async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false, maximumConnections: 1) { pool in
      let first = try await pool.withConnection { await $0.backendProcessID }
      try await terminate([first])
      let second = try await pool.query("SELECT pg_backend_pid()").single().int32(0)
      #expect(second != first)
    }
  }

  @Test func aTransactionWhoseConnectionBreaksIsDoneAgain() async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false) { pool in
      try await pool.query("CREATE TABLE t (id int)")
      let attempts = Guarded(0)
      try await pool.withTransaction { connection in
        let attempt = attempts.withLock { count in
          count += 1
          return count
        }
        try connection.query("INSERT INTO t VALUES (1)")
        if attempt == 1 { try connection.query("SELECT pg_terminate_backend(pg_backend_pid())") }
      }
      #expect(attempts.withLock { $0 } == 2)
      try await #expect(pool.query("SELECT * FROM t").count == 1)
    }
  }

  @Test func outsideATransactionTheErrorComesOut() async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false) { pool in
      let error = await #expect(throws: PostgresError.self) {
        try await pool.query("SELECT pg_terminate_backend(pg_backend_pid())")
      }
      #expect(error?.code.isConnectionProblem == true)
      #expect(error?.isConnectionLost == true)
      #expect(error?.isTransient == true)
      try await #expect(pool.query("SELECT 1").single().int64(0) == 1)
    }
  }

  @Test func aCommitOfUnknownOutcomeIsNotDoneAgain() async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false) { pool in
      try await pool.withConnection {
        try await $0.execute(
          script: """
            CREATE TABLE t (id int);
            CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
              $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
            CREATE CONSTRAINT TRIGGER die AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
              FOR EACH ROW EXECUTE FUNCTION die()
            """)
      }
      let attempts = Guarded(0)
      let error = await #expect(throws: PostgresError.self) {
        try await pool.withTransaction { connection in
          attempts.withLock { $0 += 1 }
          try connection.query("INSERT INTO t VALUES (1)")
        }
      }
      #expect(error?.code == .transactionResolutionUnknown)
      #expect(
        error?.message
          == "the connection was lost during a commit (terminating connection due to administrator "
          + "command); look whether it happened before trying again")
      #expect(error?.isTransient == false)
      #expect(attempts.withLock { $0 } == 1)
    }
  }

  /// How a session ends while its transaction does nothing, and what the server calls that.
  enum SilentEnd: CaseIterable {
    case timeout, termination

    var code: PostgresError.Code { self == .timeout ? .idleInTransactionTimeout : .adminShutdown }
    var reason: String {
      self == .timeout
        ? "idle-in-transaction timeout" : "terminating connection due to administrator command"
    }
  }

  @Test(arguments: SilentEnd.allCases)
  func aSessionThatEndedBeforeTheCommitIsALostConnection(_ end: SilentEnd) async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false) { pool in
      try await pool.query("CREATE TABLE t (id int)")
      let error = await #expect(throws: PostgresError.self) {
        try await pool.withTransaction(maxAttempts: 1) { try Self.insert(on: $0, ended: end) }
      }
      #expect(error?.code == end.code)
      #expect(error?.isConnectionLost == true && error?.isTransient == true)
      #expect(error?.description.contains(end.reason) == true, "\(String(describing: error))")
      try await #expect(pool.query("SELECT * FROM t").isEmpty)
    }
  }

  @Test func aTransactionThatIsCutOffIsDoneAgainWithAWarning() async throws {
    let log = CollectedLog()
    try await TestServer.shared.withFreshDatabase(migrated: false, logger: log.logger) { pool in
      try await pool.query("CREATE TABLE t (id int)")
      let attempts = Guarded(0)
      try await pool.withTransaction(maxAttempts: 3) { connection in
        let attempt = attempts.withLock { count in
          count += 1
          return count
        }
        try Self.insert(on: connection, ended: attempt == 1 ? .timeout : nil)
      }
      #expect(attempts.withLock { $0 } == 2)
      try await #expect(pool.query("SELECT * FROM t").count == 1)
    }
    let warnings = log.lines.filter { $0.contains("failed, trying again") }
    #expect(warnings.count == 1)
    #expect(warnings.first?.hasPrefix("warning attempt 1 of 3 failed, trying again ") == true)
    #expect(warnings.first?.contains("idle-in-transaction timeout") == true, "\(warnings)")
  }

  /// Writes a row and stays, without a word to the server, until it has ended the session.
  private static func insert(
    on connection: isolated PostgresConnection, ended end: SilentEnd?
  ) throws {
    try connection.query("INSERT INTO t VALUES (1)")
    if end == nil { return }
    let id = connection.backendProcessID
    try connection.query(
      "SELECT set_config('idle_in_transaction_session_timeout', $1, true)",
      [.text(end == .timeout ? "50ms" : "0")])
    // The body of a transaction may block; others end the session meanwhile.
    let gone = DispatchSemaphore(value: 0)
    Task.detached {
      defer { gone.signal() }
      let admin = try await PostgresConnection.connect(
        await TestServer.shared.configuration(), logger: TestServer.silentLogger)
      if end == .termination {
        try await admin.query("SELECT pg_terminate_backend($1)", [.int32(id)])
      }
      for _ in 0..<3_000 {
        if try await admin.query("SELECT FROM pg_stat_activity WHERE pid = $1", [.int32(id)])
          .isEmpty
        {
          break
        }
        try await Task.sleep(for: .milliseconds(10))
      }
      await admin.close()
    }
    gone.wait()
  }

  @Test func aBreakDuringCopyIsAnError() async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false) { pool in
      try await pool.query("CREATE TABLE t (id bigint)")
      let victim = Guarded<Int32>(0)
      let error = await #expect(throws: PostgresError.self) {
        try await pool.withConnection { connection in
          let id = await connection.backendProcessID
          victim.withLock { $0 = id }
          let kill = Task { try await terminate([victim.withLock { $0 }]) }
          try await connection.copyOut(
            "COPY (SELECT pg_sleep(0.01)::text FROM generate_series(1, 1000)) TO STDOUT (FORMAT binary)"
          ) { _ in }
          try await kill.value
        }
      }
      #expect(error?.isConnectionLost == true)
      try await #expect(pool.query("SELECT 1").count == 1)
    }
  }

  private func terminate(_ ids: [Int32]) async throws {
    let admin = try await PostgresConnection.connect(
      await TestServer.shared.configuration(), logger: TestServer.silentLogger)
    try await admin.query(
      "SELECT pg_terminate_backend(id, 5000) FROM unnest($1) id", [.int32Array(ids)])
    await admin.close()
  }
}
