/// One-dimensional arrays: the layout is `array_send` of PostgreSQL's `arrayfuncs.c`.
extension PostgresField {
  private static let longestHeader = 20

  /// Reads every element with `read`.
  func array<T>(of read: (PostgresField) throws -> T) throws -> [T] {
    let bytes = try present()
    guard bytes.count >= 12 else { throw mismatch("an array") }
    let dimensions = bytes.bigEndian(Int32.self, at: 0)
    let elementType = bytes.bigEndian(UInt32.self, at: 8)
    if dimensions == 0 { return [] }
    guard dimensions == 1, bytes.count >= Self.longestHeader else {
      throw mismatch("an array of one dimension")
    }
    // Every element takes at least the four bytes of its length, so a count that does not fit
    // into the value is refused before memory is taken for it.
    let count = Int(bytes.bigEndian(Int32.self, at: 12))
    guard count >= 0, count <= (bytes.count - Self.longestHeader) / 4 else {
      throw mismatch("an array")
    }
    var elements: [T] = []
    elements.reserveCapacity(count)
    var offset = Self.longestHeader
    for _ in 0..<count {
      guard offset + 4 <= bytes.count else { throw mismatch("an array") }
      let length = Int(bytes.bigEndian(Int32.self, at: offset))
      offset += 4
      var value: UnsafeRawBufferPointer?
      if length >= 0 {
        guard length <= bytes.count - offset else { throw mismatch("an array") }
        value = UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + length)])
        offset += length
      }
      elements.append(
        try read(PostgresField(bytes: value, type: elementType, column: column)))
    }
    return elements
  }
}
