/// Takes the messages of a binary COPY apart.
///
/// The server sends every row as one message; the header comes in front of the first row or of
/// the trailer (PostgreSQL documentation, "COPY Operations" and "Binary Format" of COPY).
struct CopyBinaryReader {
  private static let signature = Array("PGCOPY\n".utf8) + [0xff, 0x0d, 0x0a, 0x00]

  private var hasHeader = false
  private var fields: [CopyField] = []
  private(set) var rows = 0

  /// Calls `read` for every row in the message.
  mutating func consume(
    _ message: UnsafeRawBufferPointer, _ read: (borrowing CopyBinaryRow) throws -> Void
  ) throws {
    var offset = 0
    if !hasHeader {
      offset = try Self.headerLength(of: message)
      hasHeader = true
    }
    while offset < message.count {
      guard offset + 2 <= message.count else { throw Self.malformed }
      let count = Int(message.bigEndian(Int16.self, at: offset))
      offset += 2
      if count == -1 { return }
      guard count >= 0 else { throw Self.malformed }
      fields.removeAll(keepingCapacity: true)
      for _ in 0..<count {
        guard offset + 4 <= message.count else { throw Self.malformed }
        let length = Int(message.bigEndian(Int32.self, at: offset))
        offset += 4
        guard length >= -1, length <= message.count - offset else { throw Self.malformed }
        fields.append(CopyField(start: offset, length: length))
        offset += max(0, length)
      }
      rows += 1
      try read(CopyBinaryRow(message: message, fields: fields))
    }
  }

  private static func headerLength(of message: UnsafeRawBufferPointer) throws -> Int {
    guard message.count >= 19, message.prefix(11).elementsEqual(signature) else { throw malformed }
    let extra = Int(message.bigEndian(Int32.self, at: 15))
    guard extra >= 0, extra <= message.count - 19 else { throw malformed }
    return 19 + extra
  }

  private static var malformed: PostgresError {
    PostgresError(.protocolViolation, "the COPY data of the server is not in the binary format")
  }
}
