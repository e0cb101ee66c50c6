/// One row of `COPY … TO STDOUT (FORMAT binary)`, valid during the call it is passed to.
///
/// Columns are numbered from 0 and carry no type: a value is read as what the query made of it.
/// Accessors throw ``PostgresError`` when the length does not fit, and the plain ones for NULL.
public struct CopyBinaryRow: ~Copyable {
  private let message: UnsafeRawBufferPointer
  private let fields: [CopyField]

  init(message: UnsafeRawBufferPointer, fields: [CopyField]) {
    self.message = message
    self.fields = fields
  }

  /// The number of columns.
  public var count: Int { fields.count }

  /// Whether the value is NULL.
  public func isNull(_ column: Int) throws -> Bool { try field(column).bytes == nil }

  /// `boolean`.
  public func bool(_ column: Int) throws -> Bool { try field(column).bool() }
  /// `integer` or `smallint`.
  public func int32(_ column: Int) throws -> Int32 { try field(column).int32() }
  /// `bigint`, `integer` or `smallint`.
  public func int64(_ column: Int) throws -> Int64 { try field(column).int64() }
  /// `real`.
  public func float(_ column: Int) throws -> Float { try field(column).float() }
  /// `double precision` or `real`.
  public func double(_ column: Int) throws -> Double { try field(column).double() }
  /// `text`, `varchar`, `json` or an enum.
  ///
  /// Cast `jsonb` to `text`.
  public func text(_ column: Int) throws -> String { try field(column).text() }
  /// `timestamp with time zone`, in seconds since 1970.
  public func timestamp(_ column: Int) throws -> Double { try field(column).timestamp() }
  /// `bytea`, not copied: valid during the call, at any alignment.
  public func bytes(_ column: Int) throws -> UnsafeRawBufferPointer { try field(column).raw() }

  /// `boolean`, or `nil` for NULL.
  public func optionalBool(_ column: Int) throws -> Bool? {
    try field(column).optional { try $0.bool() }
  }
  /// `bigint`, `integer` or `smallint`, or `nil` for NULL.
  public func optionalInt64(_ column: Int) throws -> Int64? {
    try field(column).optional { try $0.int64() }
  }
  /// `real`, or `nil` for NULL.
  public func optionalFloat(_ column: Int) throws -> Float? {
    try field(column).optional { try $0.float() }
  }
  /// `double precision` or `real`, or `nil` for NULL.
  public func optionalDouble(_ column: Int) throws -> Double? {
    try field(column).optional { try $0.double() }
  }
  /// `text`, or `nil` for NULL.
  public func optionalText(_ column: Int) throws -> String? {
    try field(column).optional { try $0.text() }
  }
  /// `timestamp with time zone`, or `nil` for NULL.
  public func optionalTimestamp(_ column: Int) throws -> Double? {
    try field(column).optional { try $0.timestamp() }
  }

  private func field(_ column: Int) throws -> PostgresField {
    guard fields.indices.contains(column) else {
      throw PostgresError(
        .decoding, "column number \(column) is not in the COPY; it has \(fields.count)")
    }
    let place = fields[column]
    let bytes =
      place.length < 0
      ? nil
      : UnsafeRawBufferPointer(rebasing: message[place.start..<(place.start + place.length)])
    return PostgresField(bytes: bytes, type: 0, column: .index(column))
  }
}

/// Where a value lies in a message; a negative length is NULL.
struct CopyField {
  let start: Int
  let length: Int
}
