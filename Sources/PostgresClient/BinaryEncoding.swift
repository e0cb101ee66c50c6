/// The binary format of PostgreSQL: everything is big endian, and an array is its dimensions
/// followed by elements with their lengths (`array_recv` in PostgreSQL's `arrayfuncs.c`).
extension [UInt8] {
  /// Appends an integer, most significant byte first.
  @inline(__always)
  mutating func append(bigEndian value: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
  }

  /// Appends JSON text as `jsonb`: a version, then the text.
  mutating func append(jsonb text: String) {
    append(1)
    append(contentsOf: text.utf8)
  }

  /// Appends a one-dimensional array without NULLs.
  mutating func append<Item>(
    array elements: [Item], of type: UInt32, encode: (inout [UInt8], Item) -> Void
  ) {
    appendArrayHeader(count: elements.count, hasNulls: false, type: type)
    for element in elements { appendSized { encode(&$0, element) } }
  }

  /// Appends a one-dimensional array with NULL for `nil`.
  mutating func append<Item>(
    optionals elements: [Item?], of type: UInt32, encode: (inout [UInt8], Item) -> Void
  ) {
    let hasNulls = elements.contains { $0 == nil }
    appendArrayHeader(count: elements.count, hasNulls: hasNulls, type: type)
    for element in elements {
      if let element {
        appendSized { encode(&$0, element) }
      } else {
        append(bigEndian: Int32(-1))
      }
    }
  }

  private mutating func appendArrayHeader(count: Int, hasNulls: Bool, type: UInt32) {
    append(bigEndian: Int32(count == 0 ? 0 : 1))
    append(bigEndian: Int32(hasNulls ? 1 : 0))
    append(bigEndian: type)
    guard count > 0 else { return }
    append(bigEndian: Int32(clamping: count))
    append(bigEndian: Int32(1))
  }

  /// Appends what `body` writes, with its length before it.
  private mutating func appendSized(_ body: (inout [UInt8]) -> Void) {
    let start = count
    append(bigEndian: Int32(0))
    body(&self)
    let length = Int32(clamping: count - start - 4).bigEndian
    Swift.withUnsafeBytes(of: length) { bytes in
      for (offset, byte) in bytes.enumerated() { self[start + offset] = byte }
    }
  }
}
