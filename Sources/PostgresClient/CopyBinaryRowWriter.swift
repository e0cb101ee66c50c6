/// Appends the values of one row, in the order of the columns.
///
/// The types must be exactly those of the columns: COPY converts nothing.
public struct CopyBinaryRowWriter: ~Copyable {
  /// Longest value in bytes.
  ///
  /// The server's own limit for a field is 1 GiB.
  private static let longest = 1 << 30

  private var buffer: [UInt8]
  private var count = 0
  private var hasLongValue = false

  init(buffer: consuming [UInt8]) {
    self.buffer = buffer
  }

  mutating func takeBuffer() -> [UInt8] {
    var taken: [UInt8] = []
    swap(&taken, &buffer)
    return taken
  }

  func check(columns: Int) throws {
    guard !hasLongValue else {
      throw PostgresError(.misuse, "a value of the COPY is longer than 1 GiB")
    }
    guard count == columns else {
      throw PostgresError(.misuse, "a row of the COPY has \(count) values for \(columns) columns")
    }
  }

  /// NULL of any type.
  public mutating func null() {
    buffer.append(bigEndian: Int32(-1))
    count += 1
  }

  /// `boolean`.
  public mutating func bool(_ value: Bool) {
    buffer.append(bigEndian: Int32(1))
    buffer.append(value ? 1 : 0)
    count += 1
  }

  /// `smallint`.
  public mutating func int16(_ value: Int16) { integer(value) }

  /// `integer`.
  public mutating func int32(_ value: Int32) { integer(value) }

  /// `bigint`.
  public mutating func int64(_ value: Int64) { integer(value) }

  /// `real`.
  public mutating func float(_ value: Float) { integer(value.bitPattern) }

  /// `double precision`.
  public mutating func double(_ value: Double) { integer(value.bitPattern) }

  /// `timestamp with time zone`, in seconds since 1970.
  public mutating func timestamp(_ seconds: Double) {
    integer(PostgresTime.encode(secondsSince1970: seconds))
  }

  /// `text`, `varchar`, `json` or an enum.
  public mutating func text(_ value: String) {
    var value = value
    value.withUTF8 { bytes(UnsafeRawBufferPointer($0)) }
  }

  /// `jsonb`, from JSON text.
  public mutating func json(_ value: String) {
    var encoded: [UInt8] = []
    encoded.append(jsonb: value)
    encoded.withUnsafeBytes { bytes($0) }
  }

  /// `bytea`.
  public mutating func bytes(_ value: UnsafeRawBufferPointer) {
    count += 1
    guard value.count <= Self.longest else {
      hasLongValue = true
      return
    }
    buffer.append(bigEndian: Int32(value.count))
    buffer.append(contentsOf: value)
  }

  /// `bytea`.
  public mutating func bytes(_ value: [UInt8]) {
    value.withUnsafeBytes { bytes($0) }
  }

  /// Any other value, an array for example.
  public mutating func value(_ value: PostgresValue) {
    guard value != .null else { return null() }
    var encoded: [UInt8] = []
    value.encode(into: &encoded)
    bytes(encoded)
  }

  private mutating func integer<T: FixedWidthInteger>(_ value: T) {
    buffer.append(bigEndian: Int32(T.bitWidth / 8))
    buffer.append(bigEndian: value)
    count += 1
  }
}
