import PostgresClient
import TestSupport
import Testing

/// Statements that the server keeps parsed.
@Suite struct PreparedTests {
  private func connection() async throws -> PostgresConnection {
    try await PostgresConnection.connect(
      await TestServer.shared.configuration(), logger: TestServer.silentLogger)
  }

  private static let kept = "SELECT count(*)::integer FROM pg_prepared_statements"

  @Test func aStatementIsParsedOnceForItsTypes() async throws {
    let connection = try await connection()
    for value in 0..<8 {
      let row = try await connection.queryPrepared(
        "SELECT $1::bigint + 1", [.int64(Int64(value))]
      ).single()
      #expect(try row.int64(0) == Int64(value) + 1)
    }
    #expect(try await connection.query(Self.kept).single().int32(0) == 1)
    // NULL says nothing of its type.
    let row = try await connection.queryPrepared("SELECT $1::bigint + 1", [.null]).single()
    #expect(try row.optionalInt64(0) == nil)
    #expect(try await connection.query(Self.kept).single().int32(0) == 2)
    await connection.close()
  }

  @Test func manyValuesArePlannedForWhatTheyAre() async throws {
    let connection = try await connection()
    let ids = (0..<5_000).map { Int64($0) }
    let row = try await connection.queryPrepared(
      "SELECT count(*) FROM unnest($1::bigint[])", [.int64Array(ids)]
    ).single()
    #expect(try row.int64(0) == 5_000)
    #expect(try await connection.query(Self.kept).single().int32(0) == 0)
    await connection.close()
  }

  /// The server would plan `= ANY($1)` anew for each list of one.
  @Test func aListOfOneIsPlannedOnce() async throws {
    let connection = try await connection()
    try await connection.execute(
      script: """
        CREATE TEMPORARY TABLE face (id bigint PRIMARY KEY, name text);
        INSERT INTO face SELECT number, 'face ' || number FROM generate_series(1, 20000) number;
        ANALYZE face
        """)
    let ids = "SELECT id FROM face WHERE id = ANY($1) AND name <> ALL($2) ORDER BY id"
    for id in 1...20 as ClosedRange<Int64> {
      let rows = try await connection.queryPrepared(ids, [.int64Array([id]), .textArray(["x"])])
      #expect(try rows.single().int64(0) == id)
    }
    #expect(
      try await connection.query(
        "SELECT generic_plans >= 10 FROM pg_prepared_statements WHERE statement LIKE '%face%'"
      ).single().bool(0))
    for (list, found) in [([], []), ([3, 1], [1, 3]), ([2], [2])] as [([Int64], [Int64])] {
      let rows = try await connection.queryPrepared(ids, [.int64Array(list), .textArray(["x"])])
      #expect(try rows.map { try $0.int64(0) } == found)
    }
    let both = try await connection.queryPrepared(
      "SELECT id FROM face WHERE name = ANY($1) AND id = ANY($2)",
      [.textArray(["face 7"]), .int64Array([7])]
    ).single()
    #expect(try both.int64(0) == 7)
    let others = try await connection.queryPrepared(
      "SELECT count(*) FROM face WHERE id <> ANY($1)", [.int64Array([7])]
    ).single()
    #expect(try others.int64(0) == 19_999)
    await connection.close()
  }

  @Test func aListThatIsNamedTwiceStaysAList() async throws {
    let connection = try await connection()
    let row = try await connection.queryPrepared(
      "SELECT 4 = ANY($1), cardinality($1::bigint[]), 5 = ANY($10), $2, $3, $4, $5, $6, $7, $8, $9",
      [.int64Array([4])] + (2...9).map { .int64($0) } + [.int64Array([5])]
    ).single()
    #expect(try row.bool(0) && row.bool(2))
    #expect(try row.int32(1) == 1)
    // A statement whose text is known, with fewer values.
    await #expect(throws: PostgresError.self) {
      try await connection.queryPrepared("SELECT 4 = ANY($1) AND 5 = ANY($2)", [.int64Array([4])])
    }
    await #expect(throws: PostgresError.self) { try await connection.queryPrepared("SELECT $1") }
    await connection.close()
  }

  @Test func aRefusedStatementIsForgotten() async throws {
    let connection = try await connection()
    for _ in 0..<2 {
      await #expect(throws: PostgresError.self) {
        try await connection.queryPrepared("SELECT nothing_like_it($1::bigint)", [.int64(1)])
      }
    }
    _ = try await connection.queryPrepared("SELECT 1")
    #expect(try await connection.query(Self.kept).single().int32(0) == 1)
    await connection.close()
  }

  @Test(arguments: ["PREPARE photodb_1 AS SELECT 1", "DEALLOCATE photodb_1"])
  func aSessionThatOthersShareIsNamed(_ others: String) async throws {
    let connection = try await connection()
    if others.hasPrefix("DEALLOCATE") { try await connection.queryPrepared("SELECT 2") }
    try await connection.query(others)
    let error = await #expect(throws: PostgresError.self) {
      try await connection.queryPrepared("SELECT 2")
    }
    #expect(error?.description.contains("pool_mode = session") == true)
    await connection.close()
  }

  @Test func textsThatAreMadeUpAsOneGoesDoNotPileUp() async throws {
    let connection = try await connection()
    for number in 0..<300 { _ = try await connection.queryPrepared("SELECT \(number)") }
    #expect(try await connection.query(Self.kept).single().int32(0) == 256)
    await connection.close()
  }
}
