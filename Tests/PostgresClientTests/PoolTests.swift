import Logging
import PostgresClient
import TestSupport
import Testing

@Suite struct PoolTests {
  @Test func connectionsAreReused() async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false) { pool in
      var ids: Set<Int32> = []
      for _ in 0..<10 {
        ids.insert(try await pool.query("SELECT pg_backend_pid()").single().int32(0))
      }
      #expect(ids.count == 1)
    }
  }

  @Test func noMoreThanTheMost() async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false, maximumConnections: 3) { pool in
      let lent = Guarded((now: 0, most: 0))
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<30 {
          group.addTask {
            try await pool.withConnection { connection in
              lent.withLock {
                $0.now += 1
                $0.most = max($0.most, $0.now)
              }
              try await connection.query("SELECT pg_sleep(0.005)")
              lent.withLock { $0.now -= 1 }
            }
          }
        }
        try await group.waitForAll()
      }
      #expect(lent.withLock { $0.most } == 3)
    }
  }

  @Test func aConnectionLeftInATransactionIsNotLentAgain() async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false, maximumConnections: 1) { pool in
      try await pool.query("CREATE TABLE t (id int)")
      try await pool.withConnection {
        try await $0.execute(script: "BEGIN")
        try await $0.query("INSERT INTO t VALUES (1)")
      }
      try await #expect(pool.query("SELECT * FROM t").isEmpty)
    }
  }

  @Test func aCancelledWaiterLeavesTheLine() async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false, maximumConnections: 1) { pool in
      try await pool.withConnection { _ in
        let waiter = Task { try await pool.query("SELECT 1") }
        try await Task.sleep(for: .milliseconds(20))
        waiter.cancel()
        await #expect(throws: CancellationError.self) { try await waiter.value }
      }
      try await #expect(pool.query("SELECT 1").count == 1)
    }
  }

  @Test func aClosedPoolRefuses() async throws {
    let pool = PostgresPool(
      try await TestServer.shared.configuration(), logger: TestServer.silentLogger)
    try await pool.query("SELECT 1")
    await pool.close()
    let error = await #expect(throws: PostgresError.self) { try await pool.query("SELECT 1") }
    #expect(error?.code == .misuse)
  }

  @Test func blockingStatementsLeaveSwiftsThreadsFree() async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false, maximumConnections: 16) { pool in
      let gate = try await pool.connectionOfItsOwn()
      try await gate.query("SELECT pg_advisory_lock(1)")
      let sleepers = Task {
        try await withThrowingTaskGroup(of: Void.self) { group in
          for _ in 0..<16 {
            group.addTask {
              try await pool.withConnection { connection in
                // Where nobody opens the gate, the statements fail and the test with them.
                try await connection.query("SET lock_timeout = '60s'")
                try await connection.query("SELECT pg_advisory_lock_shared(1)")
              }
            }
          }
          try await group.waitForAll()
        }
      }
      // With the cooperative threads blocked none of this would happen before the statements fail.
      let waiting = """
        SELECT FROM pg_locks WHERE NOT granted AND locktype = 'advisory' AND database =
          (SELECT oid FROM pg_database WHERE datname = current_database())
        """
      var count = 0
      for _ in 0..<6_000 where count < 16 {
        count = try await gate.query(waiting).count
        try await Task.sleep(for: .milliseconds(10))
      }
      #expect(count == 16)
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<100 { group.addTask { await Task.yield() } }
      }
      await gate.close()
      try await sleepers.value
    }
  }

  @Test func aRunningStatementCanBeCancelled() async throws {
    let connection = try await PostgresConnection.connect(
      await TestServer.shared.configuration(), logger: TestServer.silentLogger)
    let running = Task { try await connection.query("SELECT pg_sleep(60)") }
    // A request that comes before the statement does nothing, so it is repeated.
    let canceller = Task {
      while true {
        try await Task.sleep(for: .milliseconds(100))
        connection.cancelRunningStatement()
      }
    }
    let error = await #expect(throws: PostgresError.self) { try await running.value }
    canceller.cancel()
    #expect(error?.code == .queryCanceled)
    try await #expect(connection.query("SELECT 1").count == 1)
    await connection.close()
  }

  /// What a transaction does while its task is cancelled.
  private static let endless: [@Sendable (isolated PostgresConnection) throws -> Void] = [
    { try $0.query("SELECT pg_sleep(60)") },
    {
      try $0.copyOut(
        """
        COPY (SELECT pg_sleep(0.01)::text FROM generate_series(1, 6000)) TO STDOUT (FORMAT binary)
        """
      ) { _ in }
    },
    { connection in while true { try connection.query("SELECT 1") } },
    { connection in
      try connection.savepoint { _ = try $0.query("SELECT pg_advisory_xact_lock(1)") }
    },
  ]

  @Test(arguments: 0..<4)
  func aCancelledTaskStopsItsStatements(kind: Int) async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false, maximumConnections: 1) { pool in
      let holder = try await pool.connectionOfItsOwn()
      try await holder.query("SELECT pg_advisory_lock(1)")
      try await pool.query("CREATE TABLE t (id int)")
      let begun = Guarded(0)
      let running = Task {
        try await pool.withTransaction { connection in
          try connection.query("INSERT INTO t VALUES (1)")
          begun.withLock { $0 += 1 }
          try Self.endless[kind](connection)
        }
      }
      while begun.withLock({ $0 }) == 0 { try await Task.sleep(for: .milliseconds(5)) }
      try await Task.sleep(for: .milliseconds(50))
      let start = ContinuousClock.now
      running.cancel()
      await #expect(throws: CancellationError.self) { try await running.value }
      #expect(ContinuousClock.now - start < .seconds(20))
      #expect(begun.withLock { $0 } == 1)
      // The connection goes on, and nothing comes late to stop what others do with it.
      let left = try await pool.query("SELECT (SELECT count(*) FROM t) FROM pg_sleep(0.3)")
      #expect(try left.single().int64(0) == 0)
      await holder.close()
    }
  }

  @Test func theServerLooksWhetherItsClientLives() async throws {
    let connection = try await PostgresConnection.connect(
      await TestServer.shared.configuration(), logger: TestServer.silentLogger)
    let interval = try await connection.query("SHOW client_connection_check_interval").single()
    #expect(try interval.text(0) == "1s")
    await connection.close()
  }

  @Test func noticesGoToTheLogger() async throws {
    let log = CollectedLog()
    let connection = try await PostgresConnection.connect(
      await TestServer.shared.configuration(), logger: log.logger)
    try await connection.query("DO $$ BEGIN RAISE NOTICE 'look here'; RAISE WARNING 'oh'; END $$")
    await connection.close()
    let lines = log.lines
    #expect(lines.contains("info PostgreSQL: look here"))
    #expect(lines.contains("warning PostgreSQL: oh"))
  }
}
