import Testing

@testable import PostgresClient

/// Data that is not as it should be is refused, and never read beyond its end.
@Suite struct CopyBinaryReaderTests {
  private static let header: [UInt8] =
    Array("PGCOPY\n".utf8) + [0xff, 0x0d, 0x0a, 0x00] + [0, 0, 0, 0] + [0, 0, 0, 0]
  private static let row: [UInt8] = [0, 2] + [0, 0, 0, 1, 65] + [0xff, 0xff, 0xff, 0xff]

  private func read(_ messages: [[UInt8]]) throws -> [String?] {
    var reader = CopyBinaryReader()
    var values: [String?] = []
    for message in messages {
      try message.withUnsafeBytes { bytes in
        try reader.consume(bytes) { row in
          for column in 0..<row.count { values.append(try row.optionalText(column)) }
        }
      }
    }
    return values
  }

  @Test func rowsInOneMessageOrSeveral() throws {
    let end: [UInt8] = [0xff, 0xff]
    try #expect(read([Self.header + Self.row, Self.row, end]) == ["A", nil, "A", nil])
    try #expect(read([Self.header + Self.row + Self.row + end]) == ["A", nil, "A", nil])
    try #expect(read([Self.header + end]) == [])
  }

  @Test func everyTruncationIsRefused() {
    let whole = Self.header + Self.row
    for length in 1..<whole.count where length != Self.header.count {
      #expect(throws: PostgresError.self) { try read([Array(whole.prefix(length))]) }
    }
  }

  @Test func impossibleLengthsAreRefused() {
    for length: [UInt8] in [[0x7f, 0xff, 0xff, 0xff], [0xff, 0xff, 0xff, 0xfe], [0, 0, 0, 2]] {
      #expect(throws: PostgresError.self) { try read([Self.header + [0, 1] + length + [65]]) }
    }
    #expect(throws: PostgresError.self) { try read([Self.header + [0xff, 0xfe]]) }
    #expect(throws: PostgresError.self) { try read([Array("hello, world, hello".utf8)]) }
  }

  @Test func arraysWithImpossibleCountsAreRefused() {
    let counts: [[UInt8]] = [[0x7f, 0xff, 0xff, 0xff], [0xff, 0xff, 0xff, 0xff], [0, 0, 0, 3]]
    for count in counts {
      let array: [UInt8] =
        [0, 0, 0, 1] + [0, 0, 0, 0] + [0, 0, 0, 23] + count + [0, 0, 0, 1]
        + [0, 0, 0, 4, 0, 0, 0, 9]
      array.withUnsafeBytes { bytes in
        let field = PostgresField(bytes: bytes, type: 1007, column: 0)
        #expect(throws: PostgresError.self) { try field.array { try $0.int32() } }
      }
    }
  }
}
