import PostgresClient
import TestSupport
import Testing

/// Every type goes to a real server and comes back as it was.
@Suite struct RoundTripTests {
  private func echo<T: Sendable>(
    _ value: PostgresValue, _ cast: String, _ read: @Sendable (PostgresRow) throws -> T
  ) async throws -> T {
    let connection = try await PostgresConnection.connect(
      await TestServer.shared.configuration(), logger: TestServer.silentLogger)
    let rows = try await connection.query("SELECT $1::\(cast) AS value", [value])
    await connection.close()
    return try read(rows.single())
  }

  @Test(arguments: [Int64.min, -1, 0, 1, .max])
  func int64(_ value: Int64) async throws {
    try await #expect(echo(.int64(value), "bigint") { try $0.int64("value") } == value)
  }

  @Test(arguments: [Int32.min, -1, 0, 7, .max])
  func int32(_ value: Int32) async throws {
    try await #expect(echo(.int32(value), "integer") { try $0.int32("value") } == value)
    try await #expect(echo(.int32(value), "bigint") { try $0.int32("value") } == value)
  }

  @Test(arguments: [
    Float.nan, .infinity, -.infinity, 0, -0.0, .leastNonzeroMagnitude, .greatestFiniteMagnitude,
    0.1,
  ])
  func float(_ value: Float) async throws {
    let back = try await echo(.float(value), "real") { try $0.float("value") }
    #expect(back.bitPattern == value.bitPattern)
    let wide = try await echo(.float(value), "real") { try $0.double("value") }
    #expect(wide.bitPattern == Double(value).bitPattern)
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity, -0.0, .pi, .leastNonzeroMagnitude])
  func double(_ value: Double) async throws {
    let back = try await echo(.double(value), "double precision") { try $0.double("value") }
    #expect(back.bitPattern == value.bitPattern)
  }

  @Test(arguments: ["", "O'Neil; DROP TABLE", "żółć 顔 👩‍👧", "line\nline\ttab", "\\x00"])
  func text(_ value: String) async throws {
    try await #expect(echo(.text(value), "text") { try $0.text("value") } == value)
    try await #expect(echo(.text(value), "varchar") { try $0.text(0) } == value)
  }

  @Test func bool() async throws {
    try await #expect(echo(true, "boolean") { try $0.bool("value") })
    try await #expect(!echo(false, "boolean") { try $0.bool("value") })
  }

  @Test(arguments: [0, 1, 255, 1 << 20])
  func bytes(_ count: Int) async throws {
    let value = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ 7) }
    try await #expect(echo(.bytes(value), "bytea") { try $0.bytes("value") } == value)
  }

  @Test func json() async throws {
    let text = #"{"a": [1, 2.5, null], "ż": "☃"}"#
    try await #expect(echo(.json(text), "jsonb") { try $0.jsonText("value") } == text)
    try await #expect(echo(.json(text), "json") { try $0.jsonText("value") } == text)
  }

  @Test(arguments: [0, 1_700_000_000.123456, -62_135_596_800, 4e9, .infinity, -.infinity])
  func timestamp(_ value: Double) async throws {
    let back = try await echo(.timestamp(value), "timestamptz") { try $0.timestamp("value") }
    #expect(back == value || abs(back - value) <= 1e-6)
  }

  @Test func timestampMeansWhatTheServerMeans() async throws {
    let text = try await echo(.timestamp(86_400.5), "timestamptz") { try $0.timestamp(0) }
    #expect(text == 86_400.5)
    let rendered = try await echo("1970-01-02 00:00:00.5+00", "timestamptz") {
      try $0.timestamp(0)
    }
    #expect(rendered == 86_400.5)
  }

  @Test(arguments: [
    "boolean", "integer", "bigint", "real", "double precision", "text", "bytea", "jsonb",
    "timestamptz", "bigint[]",
  ])
  func nulls(_ type: String) async throws {
    let isNull = try await echo(.null, type) { row in
      try row.isNull("value") && row.optionalText("value") == nil
        && row.optionalInt64("value") == nil && row.optionalBytes("value") == nil
    }
    #expect(isNull)
  }

  @Test func nullReadAsPlainValueIsAnError() async throws {
    let error = await #expect(throws: PostgresError.self) {
      try await echo(.null, "bigint") { try $0.int64("value") }
    }
    #expect(error?.code == .decoding)
    #expect(error?.description == "column \"value\" is NULL; read it as optional")
  }
}
