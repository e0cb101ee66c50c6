/// Single values. All throw ``PostgresError`` with ``PostgresError/Code/decoding``.
extension PostgresRow {
  /// `boolean`.
  public func bool(_ column: PostgresColumn) throws -> Bool {
    try read(column) { try $0.bool() }
  }

  /// The same, or `nil` for NULL.
  public func optionalBool(_ column: PostgresColumn) throws -> Bool? {
    try read(column) { try $0.optional { try $0.bool() } }
  }

  /// `integer` or `smallint`, or a `bigint` that fits.
  public func int32(_ column: PostgresColumn) throws -> Int32 {
    try read(column) { try $0.int32() }
  }

  /// The same, or `nil` for NULL.
  public func optionalInt32(_ column: PostgresColumn) throws -> Int32? {
    try read(column) { try $0.optional { try $0.int32() } }
  }

  /// `bigint`, `integer` or `smallint`.
  public func int64(_ column: PostgresColumn) throws -> Int64 {
    try read(column) { try $0.int64() }
  }

  /// The same, or `nil` for NULL.
  public func optionalInt64(_ column: PostgresColumn) throws -> Int64? {
    try read(column) { try $0.optional { try $0.int64() } }
  }

  /// `bigint`, `integer` or `smallint`.
  public func int(_ column: PostgresColumn) throws -> Int {
    try read(column) { try Int($0.int64()) }
  }

  /// The same, or `nil` for NULL.
  public func optionalInt(_ column: PostgresColumn) throws -> Int? {
    try read(column) { try $0.optional { try Int($0.int64()) } }
  }

  /// `real`.
  public func float(_ column: PostgresColumn) throws -> Float {
    try read(column) { try $0.float() }
  }

  /// The same, or `nil` for NULL.
  public func optionalFloat(_ column: PostgresColumn) throws -> Float? {
    try read(column) { try $0.optional { try $0.float() } }
  }

  /// `double precision` or `real`.
  public func double(_ column: PostgresColumn) throws -> Double {
    try read(column) { try $0.double() }
  }

  /// The same, or `nil` for NULL.
  public func optionalDouble(_ column: PostgresColumn) throws -> Double? {
    try read(column) { try $0.optional { try $0.double() } }
  }

  /// `text`, `varchar`, `json`, `jsonb`, an enum.
  public func text(_ column: PostgresColumn) throws -> String {
    try read(column) { try $0.text() }
  }

  /// The same, or `nil` for NULL.
  public func optionalText(_ column: PostgresColumn) throws -> String? {
    try read(column) { try $0.optional { try $0.text() } }
  }

  /// `jsonb` or `json`, as JSON text.
  public func jsonText(_ column: PostgresColumn) throws -> String {
    try read(column) { try $0.text() }
  }

  /// The same, or `nil` for NULL.
  public func optionalJsonText(_ column: PostgresColumn) throws -> String? {
    try read(column) { try $0.optional { try $0.text() } }
  }

  /// `bytea`, copied.
  public func bytes(_ column: PostgresColumn) throws -> [UInt8] {
    try read(column) { try [UInt8]($0.raw()) }
  }

  /// The same, or `nil` for NULL.
  public func optionalBytes(_ column: PostgresColumn) throws -> [UInt8]? {
    try read(column) { try $0.optional { try [UInt8]($0.raw()) } }
  }

  /// `timestamp with time zone`, in seconds since 1970; `infinity` is infinite.
  public func timestamp(_ column: PostgresColumn) throws -> Double {
    try read(column) { try $0.timestamp() }
  }

  /// The same, or `nil` for NULL.
  public func optionalTimestamp(_ column: PostgresColumn) throws -> Double? {
    try read(column) { try $0.optional { try $0.timestamp() } }
  }
}
