import Logging
import PostgresClient
import TestSupport
import Testing

@Suite struct TransactionTests {
  private struct Stop: Error {}

  @Test func allOrNothing() async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false) { pool in
      try await pool.query("CREATE TABLE t (id int)")
      await #expect(throws: Stop.self) {
        try await pool.withTransaction { connection in
          try connection.query("INSERT INTO t VALUES (1)")
          throw Stop()
        }
      }
      try await #expect(pool.query("SELECT * FROM t").isEmpty)
      try await pool.withTransaction { try $0.query("INSERT INTO t VALUES (2)") }
      try await #expect(pool.query("SELECT * FROM t").count == 1)
    }
  }

  @Test func savepointUndoesItsPartAlone() async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false) { pool in
      try await pool.query("CREATE TABLE t (id int PRIMARY KEY)")
      try await pool.withTransaction { connection in
        for id in [1, 1, 2] as [Int64] {
          do {
            try connection.savepoint { try $0.query("INSERT INTO t VALUES ($1)", [.int64(id)]) }
          } catch let error as PostgresError where error.code == .uniqueViolation {
            continue
          }
        }
      }
      let ids = try await pool.query("SELECT id FROM t ORDER BY id").map { try $0.int64(0) }
      #expect(ids == [1, 2])
    }
  }

  @Test func nestingAndSwallowedErrorsAreRefused() async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false) { pool in
      let nested = await #expect(throws: PostgresError.self) {
        try await pool.withTransaction { connection in
          try connection.transaction { try $0.query("SELECT 1") }
        }
      }
      #expect(nested?.code == .misuse)
      let swallowed = await #expect(throws: PostgresError.self) {
        try await pool.withTransaction { connection in
          do { try connection.query("SELECT 1/0") } catch is PostgresError {}
        }
      }
      #expect(swallowed?.code == .inFailedTransaction)
    }
  }

  @Test func deferredConstraintFailsAtCommit() async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false) { pool in
      try await pool.query("CREATE TABLE t (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
      let error = await #expect(throws: PostgresError.self) {
        try await pool.withTransaction { try $0.query("INSERT INTO t VALUES (1), (1)") }
      }
      #expect(error?.code == .uniqueViolation)
      try await #expect(pool.query("SELECT * FROM t").isEmpty)
    }
  }

  @Test func snapshotSeesOneMomentAndCannotWrite() async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false) { pool in
      try await pool.query("CREATE TABLE t (id int)")
      let error = await #expect(throws: PostgresError.self) {
        try await pool.withTransaction(.snapshot) { try $0.query("INSERT INTO t VALUES (1)") }
      }
      #expect(error?.code == .readOnlyTransaction)
    }
  }

  @Test func deadlocksAreTriedAgain() async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false) { pool in
      try await pool.query("CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL)")
      try await pool.query("INSERT INTO t VALUES (1, 0), (2, 0)")
      let attempts = Guarded(0)
      let holders = Guarded(0)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for order in [[1, 2], [2, 1]] as [[Int64]] {
          group.addTask {
            try await pool.withTransaction { connection in
              attempts.withLock { $0 += 1 }
              try connection.query("SET LOCAL deadlock_timeout = '20ms'")
              try connection.query("UPDATE t SET n = n + 1 WHERE id = $1", [.int64(order[0])])
              holders.withLock { $0 += 1 }
              // Each holds its first row before either asks for its second; 30 seconds at most.
              for _ in 0..<3000 where holders.withLock({ $0 }) < 2 {
                try connection.query("SELECT pg_sleep(0.01)")
              }
              try connection.query("UPDATE t SET n = n + 1 WHERE id = $1", [.int64(order[1])])
            }
          }
        }
        try await group.waitForAll()
      }
      let counts = try await pool.query("SELECT n FROM t ORDER BY id").map { try $0.int64(0) }
      #expect(counts == [2, 2])
      #expect(attempts.withLock { $0 } >= 3)
    }
  }

  @Test(arguments: [TransactionMode.repeatableRead, .serializable])
  func serialisationFailuresAreTriedAgain(_ mode: TransactionMode) async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false) { pool in
      try await pool.query("CREATE TABLE t (n int NOT NULL)")
      try await pool.query("INSERT INTO t VALUES (0)")
      let attempts = Guarded(0)
      let readers = Guarded(0)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<6 {
          group.addTask {
            try await pool.withTransaction(mode, maxAttempts: 50) { connection in
              attempts.withLock { $0 += 1 }
              let n = try connection.query("SELECT n FROM t").single().int64(0)
              readers.withLock { $0 += 1 }
              // Two have read the same before either writes; 30 seconds at most.
              for _ in 0..<3000 where readers.withLock({ $0 }) < 2 {
                try connection.query("SELECT pg_sleep(0.01)")
              }
              try connection.query("UPDATE t SET n = $1", [.int64(n + 1)])
            }
          }
        }
        try await group.waitForAll()
      }
      try await #expect(pool.query("SELECT n FROM t").single().int64(0) == 6)
      #expect(attempts.withLock { $0 } > 6)
    }
  }

  @Test func attemptsAreLimited() async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false) { pool in
      let attempts = Guarded(0)
      let error = await #expect(throws: PostgresError.self) {
        try await pool.withTransaction(maxAttempts: 3) { connection in
          attempts.withLock { $0 += 1 }
          try connection.query(
            "DO $$ BEGIN RAISE SQLSTATE '40001' USING MESSAGE = 'again'; END $$")
        }
      }
      #expect(error?.code == .serializationFailure)
      #expect(attempts.withLock { $0 } == 3)
    }
  }
}
