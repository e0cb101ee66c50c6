/// One value as the server sent it, and how to read it.
///
/// The bytes belong to a result or a message, which must outlive the field.
struct PostgresField {
  /// `nil` is NULL.
  let bytes: UnsafeRawBufferPointer?
  /// 0 when the type is not known, as in COPY: the length then has to fit.
  let type: UInt32
  let column: PostgresColumn

  /// The bytes, or an error for NULL.
  func present() throws -> UnsafeRawBufferPointer {
    guard let bytes else {
      throw PostgresError(.decoding, "\(column) is NULL; read it as optional")
    }
    return bytes
  }

  func mismatch(_ wanted: String) -> PostgresError {
    let have = type == 0 ? "\(bytes?.count ?? 0) bytes" : "type \(type)"
    return PostgresError(
      .decoding, "\(column) has \(have), which cannot be read as \(wanted); cast it in the query")
  }

  private func isOf(_ wanted: UInt32, width: Int, _ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.count == width && (type == 0 || type == wanted)
  }

  func bool() throws -> Bool {
    let bytes = try present()
    guard isOf(PostgresType.bool, width: 1, bytes) else { throw mismatch("bool") }
    return bytes[0] != 0
  }

  func int64() throws -> Int64 {
    let bytes = try present()
    if isOf(PostgresType.int8, width: 8, bytes) { return bytes.bigEndian(Int64.self, at: 0) }
    if isOf(PostgresType.int4, width: 4, bytes) { return Int64(bytes.bigEndian(Int32.self, at: 0)) }
    if isOf(PostgresType.int2, width: 2, bytes) { return Int64(bytes.bigEndian(Int16.self, at: 0)) }
    if isOf(PostgresType.oid, width: 4, bytes) { return Int64(bytes.bigEndian(UInt32.self, at: 0)) }
    throw mismatch("int64")
  }

  func int32() throws -> Int32 {
    guard let value = Int32(exactly: try int64()) else { throw mismatch("int32") }
    return value
  }

  func float() throws -> Float {
    let bytes = try present()
    guard isOf(PostgresType.float4, width: 4, bytes) else { throw mismatch("float") }
    return Float(bitPattern: bytes.bigEndian(UInt32.self, at: 0))
  }

  func double() throws -> Double {
    let bytes = try present()
    if isOf(PostgresType.float8, width: 8, bytes) {
      return Double(bitPattern: bytes.bigEndian(UInt64.self, at: 0))
    }
    if isOf(PostgresType.float4, width: 4, bytes) {
      return Double(Float(bitPattern: bytes.bigEndian(UInt32.self, at: 0)))
    }
    throw mismatch("double")
  }

  func text() throws -> String {
    let bytes = try present()
    if type == PostgresType.jsonb { return String(decoding: bytes.dropFirst(), as: UTF8.self) }
    guard type == 0 || PostgresType.isText(type) else { throw mismatch("text") }
    return String(decoding: bytes, as: UTF8.self)
  }

  func raw() throws -> UnsafeRawBufferPointer {
    let bytes = try present()
    guard type == 0 || type == PostgresType.bytea else { throw mismatch("bytes") }
    return bytes
  }

  func timestamp() throws -> Double {
    let bytes = try present()
    guard
      isOf(PostgresType.timestamptz, width: 8, bytes)
        || isOf(PostgresType.timestamp, width: 8, bytes)
    else { throw mismatch("timestamp") }
    return PostgresTime.decode(bytes.bigEndian(Int64.self, at: 0))
  }

  /// `nil` for NULL, else what `read` makes of the field.
  func optional<T>(_ read: (Self) throws -> T) rethrows -> T? {
    bytes == nil ? nil : try read(self)
  }
}

extension UnsafeRawBufferPointer {
  /// An integer whose most significant byte is at `offset`; it need not be aligned.
  @inline(__always)
  func bigEndian<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type, at offset: Int) -> T {
    T(bigEndian: loadUnaligned(fromByteOffset: offset, as: type))
  }
}
