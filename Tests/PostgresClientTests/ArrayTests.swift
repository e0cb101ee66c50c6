import PostgresClient
import TestSupport
import Testing

@Suite struct ArrayTests {
  private func echo<T: Sendable>(
    _ value: PostgresValue, _ read: @Sendable (PostgresRow) throws -> T
  ) async throws -> T {
    let connection = try await PostgresConnection.connect(
      await TestServer.shared.configuration(), logger: TestServer.silentLogger)
    let rows = try await connection.query("SELECT $1 AS value", [value])
    await connection.close()
    return try read(rows.single())
  }

  @Test func filled() async throws {
    let numbers: [Int64] = [.min, 0, .max]
    try await #expect(echo(.int64Array(numbers)) { try $0.int64Array("value") } == numbers)
    try await #expect(echo(.int32Array([1, -2])) { try $0.int32Array("value") } == [1, -2])
    try await #expect(echo(.int32Array([1, -2])) { try $0.int64Array("value") } == [1, -2])
    let floats: [Float] = [0.1, .infinity, -0.0]
    try await #expect(echo(.floatArray(floats)) { try $0.floatArray("value") } == floats)
    try await #expect(echo(.doubleArray([.pi])) { try $0.doubleArray("value") } == [.pi])
    let texts = ["", "a,b", "{\"x\"}", "NULL"]
    try await #expect(echo(.textArray(texts)) { try $0.textArray("value") } == texts)
    try await #expect(echo(.boolArray([true, false])) { try $0.boolArray(0) } == [true, false])
    let bytes: [[UInt8]] = [[], [0, 255], [1]]
    try await #expect(echo(.bytesArray(bytes)) { try $0.bytesArray(0) } == bytes)
    let json = try await echo(.jsonArray(["1", "{}"])) { try $0.textArray(0) }
    #expect(json == ["1", "{}"])
  }

  @Test func empty() async throws {
    try await #expect(echo(.int64Array([])) { try $0.int64Array(0) }.isEmpty)
    try await #expect(echo(.floatArray([])) { try $0.floatArray(0) }.isEmpty)
    try await #expect(echo(.textArray([])) { try $0.textArray(0) }.isEmpty)
    try await #expect(echo(.optionalInt64Array([])) { try $0.optionalInt64Array(0) }.isEmpty)
  }

  @Test func withNulls() async throws {
    let numbers: [Int64?] = [nil, 4, nil]
    let back = try await echo(.optionalInt64Array(numbers)) { try $0.optionalInt64Array(0) }
    #expect(back == numbers)
    let floats: [Float?] = [1.5, nil]
    try await #expect(echo(.optionalFloatArray(floats)) { try $0.optionalFloatArray(0) } == floats)
    let doubles: [Double?] = [nil]
    try await #expect(
      echo(.optionalDoubleArray(doubles)) { try $0.optionalDoubleArray(0) } == doubles)
    let texts: [String?] = [nil, "", "x"]
    try await #expect(echo(.optionalTextArray(texts)) { try $0.optionalTextArray(0) } == texts)
    let error = await #expect(throws: PostgresError.self) {
      try await echo(.optionalInt64Array(numbers)) { try $0.int64Array(0) }
    }
    #expect(error?.code == .decoding)
  }

  @Test func unnestWritesManyRows() async throws {
    try await TestServer.shared.withFreshDatabase(migrated: false) { pool in
      try await pool.query(
        """
        CREATE TABLE face (id bigint PRIMARY KEY, score real, name text, seen timestamptz,
          ok boolean, vector bytea)
        """)
      let count = 5000
      let inserted = try await pool.query(
        """
        INSERT INTO face
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6)
        """,
        [
          .int64Array((0..<count).map(Int64.init)),
          .optionalFloatArray((0..<count).map { $0 % 3 == 0 ? nil : Float($0) }),
          .optionalTextArray((0..<count).map { $0 % 2 == 0 ? nil : "n\($0)" }),
          .optionalTimestampArray((0..<count).map { $0 == 7 ? nil : Double($0) }),
          .boolArray((0..<count).map { $0 == 5 }),
          .bytesArray((0..<count).map { [UInt8](repeating: UInt8($0 % 256), count: $0 % 5) }),
        ])
      #expect(inserted.affectedRows == count)
      let updated = try await pool.query(
        """
        UPDATE face SET name = u.name FROM unnest($1, $2) AS u(id, name) WHERE face.id = u.id
        """, [.int64Array([2, 4]), .textArray(["two", "four"])])
      #expect(updated.affectedRows == 2)
      let row = try await pool.query("SELECT * FROM face WHERE id = 4").single()
      try #expect(row.text("name") == "four")
      try #expect(row.optionalFloat("score") == 4)
      try #expect(row.timestamp("seen") == 4)
      try #expect(row.bytes("vector") == [4, 4, 4, 4])
      let sums = try await pool.query(
        "SELECT count(score), count(name), count(seen), count(*) FILTER (WHERE ok) FROM face"
      ).single()
      try #expect(sums.int64(0) == 3333)
      try #expect(sums.int64(1) == 2502)
      try #expect(sums.int64(2) == 4999)
      try #expect(sums.int64(3) == 1)
    }
  }
}
