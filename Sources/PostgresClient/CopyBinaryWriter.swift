internal import CLibpq
internal import Glibc

/// Writes rows for `COPY … FROM STDIN (FORMAT binary)`.
///
/// ```swift
/// try connection.copyIn("COPY face (id, embedding) FROM STDIN (FORMAT binary)", columns: 2) {
///   for face in faces {
///     try $0.row {
///       $0.int64(face.id)
///       $0.bytes(face.embedding)
///     }
///   }
/// }
/// ```
///
/// Rows leave in chunks, so memory stays small whatever their number. The layout is described in
/// PostgreSQL's documentation of COPY, "Binary Format".
public struct CopyBinaryWriter: ~Copyable {
  private static let chunk = 1 << 16

  private let handle: ConnectionHandle
  private let columns: Int
  private var buffer: [UInt8] = []

  init(handle: ConnectionHandle, columns: Int) {
    self.handle = handle
    self.columns = columns
    buffer.reserveCapacity(2 * Self.chunk)
    buffer.append(contentsOf: Array("PGCOPY\n".utf8) + [0xff, 0x0d, 0x0a, 0x00])
    // No flags, no header extension.
    buffer.append(bigEndian: UInt32(0))
    buffer.append(bigEndian: UInt32(0))
  }

  /// Writes one row.
  ///
  /// A row whose `fill` throws is left out as if it had never begun.
  ///
  /// - Throws: What `fill` throws; ``PostgresError`` when the number of values is not that of the
  ///   columns, a value is too long or the connection breaks.
  public mutating func row(_ fill: (inout CopyBinaryRowWriter) throws -> Void) throws {
    let start = buffer.count
    buffer.append(bigEndian: Int16(columns))
    var row = CopyBinaryRowWriter(buffer: buffer)
    // The array is handed over, not copied: one owner at any time.
    buffer = []
    do {
      try fill(&row)
      try row.check(columns: columns)
    } catch {
      buffer = row.takeBuffer()
      buffer.removeSubrange(start...)
      throw error
    }
    buffer = row.takeBuffer()
    if buffer.count >= Self.chunk { try flush() }
  }

  /// Writes the trailer and what is left.
  mutating func finish() throws {
    buffer.append(bigEndian: Int16(-1))
    try flush()
  }

  private mutating func flush() throws {
    let sent = buffer.withUnsafeBytes { bytes in
      PQputCopyData(
        handle.pointer, bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
        Int32(bytes.count))
    }
    buffer.removeAll(keepingCapacity: true)
    guard sent == 1 else { throw PostgresError(result: nil, handle: handle) }
  }
}
