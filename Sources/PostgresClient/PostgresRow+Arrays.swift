/// Arrays of one dimension. All throw ``PostgresError`` with ``PostgresError/Code/decoding``.
extension PostgresRow {
  /// `boolean[]` without NULLs.
  public func boolArray(_ column: PostgresColumn) throws -> [Bool] {
    try read(column) { try $0.array { try $0.bool() } }
  }

  /// `integer[]` without NULLs.
  public func int32Array(_ column: PostgresColumn) throws -> [Int32] {
    try read(column) { try $0.array { try $0.int32() } }
  }

  /// `bigint[]` or `integer[]` without NULLs.
  public func int64Array(_ column: PostgresColumn) throws -> [Int64] {
    try read(column) { try $0.array { try $0.int64() } }
  }

  /// `real[]` without NULLs.
  public func floatArray(_ column: PostgresColumn) throws -> [Float] {
    try read(column) { try $0.array { try $0.float() } }
  }

  /// `double precision[]` or `real[]` without NULLs.
  public func doubleArray(_ column: PostgresColumn) throws -> [Double] {
    try read(column) { try $0.array { try $0.double() } }
  }

  /// `text[]` without NULLs.
  public func textArray(_ column: PostgresColumn) throws -> [String] {
    try read(column) { try $0.array { try $0.text() } }
  }

  /// `bytea[]` without NULLs, copied.
  public func bytesArray(_ column: PostgresColumn) throws -> [[UInt8]] {
    try read(column) { try $0.array { try [UInt8]($0.raw()) } }
  }

  /// `bigint[]` with `nil` for NULLs in it.
  public func optionalInt64Array(_ column: PostgresColumn) throws -> [Int64?] {
    try read(column) { try $0.array { try $0.optional { try $0.int64() } } }
  }

  /// `real[]` with `nil` for NULLs in it.
  public func optionalFloatArray(_ column: PostgresColumn) throws -> [Float?] {
    try read(column) { try $0.array { try $0.optional { try $0.float() } } }
  }

  /// `double precision[]` with `nil` for NULLs in it.
  public func optionalDoubleArray(_ column: PostgresColumn) throws -> [Double?] {
    try read(column) { try $0.array { try $0.optional { try $0.double() } } }
  }

  /// `text[]` with `nil` for NULLs in it.
  public func optionalTextArray(_ column: PostgresColumn) throws -> [String?] {
    try read(column) { try $0.array { try $0.optional { try $0.text() } } }
  }
}
