import PostgresClient
import TestSupport
import Testing

@Suite struct CopyTests {
  private struct Stop: Error {}

  private static let table = """
    CREATE TABLE face (id bigint PRIMARY KEY, score real, size double precision, label integer,
      name text, ok boolean, seen timestamptz, facts jsonb, ids bigint[], vector bytea)
    """

  @Test func everyTypeThereAndBack() async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false) { pool in
      try await pool.query(Self.table)
      try await pool.withTransaction { connection in
        let stored = try connection.copyIn("COPY face FROM STDIN (FORMAT binary)", columns: 10) {
          writer in
          try writer.row {
            $0.int64(1)
            $0.float(.nan)
            $0.double(.infinity)
            $0.int32(-5)
            $0.text("żółć 👩‍👧")
            $0.bool(true)
            $0.timestamp(12.5)
            $0.json(#"{"a": 1}"#)
            $0.value(.int64Array([3, 4]))
            $0.bytes([1, 2, 3])
          }
          try writer.row {
            $0.int64(2)
            for _ in 0..<9 { $0.null() }
          }
        }
        #expect(stored == 2)
        var seen = 0
        let read = try connection.copyOut(
          """
          COPY (SELECT id, score, size, label, name, ok, seen, facts::text, vector FROM face
            ORDER BY id) TO STDOUT (FORMAT binary)
          """
        ) { row in
          seen += 1
          #expect(row.count == 9)
          try #expect(row.int64(0) == Int64(seen))
          if seen == 1 {
            try #expect(row.float(1).isNaN)
            try #expect(row.double(2) == .infinity)
            try #expect(row.int32(3) == -5)
            try #expect(row.text(4) == "żółć 👩‍👧")
            try #expect(row.bool(5))
            try #expect(row.timestamp(6) == 12.5)
            try #expect(row.text(7) == #"{"a": 1}"#)
            try #expect(Array(row.bytes(8)) == [1, 2, 3])
          } else {
            for column in 1..<9 { try #expect(row.isNull(column)) }
            try #expect(row.optionalText(4) == nil)
            try #expect(row.optionalFloat(1) == nil)
            #expect(throws: PostgresError.self) { try row.text(4) }
            #expect(throws: PostgresError.self) { try row.text(9) }
          }
        }
        #expect(read == 2)
      }
      let ids = try await pool.query("SELECT ids FROM face WHERE id = 1").single().int64Array(0)
      #expect(ids == [3, 4])
    }
  }

  @Test func emptyTable() async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false) { pool in
      try await pool.query(Self.table)
      let counts = try await pool.withTransaction { connection in
        let stored = try connection.copyIn(
          "COPY face (id) FROM STDIN (FORMAT binary)", columns: 1
        ) { _ in }
        let read = try connection.copyOut("COPY face TO STDOUT (FORMAT binary)") { _ in }
        return [stored, read]
      }
      #expect(counts == [0, 0])
    }
  }

  @Test func aRowThatThrowsIsLeftOut() async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false) { pool in
      try await pool.query(Self.table)
      let stored = try await pool.withTransaction { connection in
        try connection.copyIn("COPY face (id, name) FROM STDIN (FORMAT binary)", columns: 2) {
          writer in
          for id in 0..<10 {
            do {
              try writer.row {
                $0.int64(Int64(id))
                if id % 2 == 1 { throw Stop() }
                $0.text("face \(id)")
              }
            } catch is Stop {
              continue
            }
          }
        }
      }
      #expect(stored == 5)
    }
  }

  @Test func errorsLeaveTheConnectionUsableAndNoRows() async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false) { pool in
      try await pool.query(Self.table)
      try await pool.withConnection { connection in
        let copy = "COPY face (id, name) FROM STDIN (FORMAT binary)"
        await #expect(throws: Stop.self) {
          try await connection.copyIn(copy, columns: 2) { writer in
            try writer.row {
              $0.int64(1)
              $0.text("x")
            }
            throw Stop()
          }
        }
        let wrongCount = await #expect(throws: PostgresError.self) {
          try await connection.copyIn(copy, columns: 2) { try $0.row { $0.int64(1) } }
        }
        #expect(wrongCount?.description == "a row of the COPY has 1 values for 2 columns")
        let duplicate = await #expect(throws: PostgresError.self) {
          try await connection.copyIn(copy, columns: 2) { writer in
            for _ in 0..<2 {
              try writer.row {
                $0.int64(1)
                $0.text("x")
              }
            }
          }
        }
        #expect(duplicate?.code == .uniqueViolation)
        #expect(duplicate?.constraint == "face_pkey")
        await #expect(throws: Stop.self) {
          try await connection.copyOut(
            "COPY (SELECT generate_series(1, 1000)) TO STDOUT (FORMAT binary)"
          ) { _ in throw Stop() }
        }
        let inside = await #expect(throws: PostgresError.self) {
          try await connection.copyOut(
            "COPY (SELECT 1 / (5 - x) FROM generate_series(1, 9) x) TO STDOUT (FORMAT binary)"
          ) { _ in }
        }
        #expect(inside?.code == "22012")
        try await #expect(connection.query("SELECT count(*) FROM face").single().int64(0) == 0)
        #expect(await connection.isReady)
      }
    }
  }

  @Test func misuseIsRefused() async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false) { pool in
      try await pool.query(Self.table)
      for statement in [
        "COPY face TO STDOUT", "SELECT 1", "COPY face FROM STDIN (FORMAT binary)",
      ] {
        let error = await #expect(throws: PostgresError.self) {
          try await pool.withConnection { try await $0.copyOut(statement) { _ in } }
        }
        #expect(error?.code == .misuse)
      }
      let columns = await #expect(throws: PostgresError.self) {
        try await pool.withConnection {
          try await $0.copyIn("COPY face FROM STDIN (FORMAT binary)", columns: 3) { _ in }
        }
      }
      #expect(columns?.description == "the COPY names 10 columns where 3 were announced")
      let nested = await #expect(throws: PostgresError.self) {
        try await pool.withTransaction { connection in
          try connection.copyIn("COPY face (id) FROM STDIN (FORMAT binary)", columns: 1) { _ in
            try connection.query("SELECT 1")
          }
        }
      }
      #expect(nested?.code == .misuse)
      let plain = await #expect(throws: PostgresError.self) {
        try await pool.query("COPY face TO STDOUT")
      }
      #expect(plain?.code == .misuse)
    }
  }
}
