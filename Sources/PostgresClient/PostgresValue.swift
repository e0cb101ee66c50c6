/// A parameter of a statement.
///
/// Arrays are one-dimensional and made for `unnest`, which inserts or updates many rows with one
/// statement:
///
/// ```swift
/// try connection.query(
///   "UPDATE t SET score = u.score FROM unnest($1, $2) AS u(id, score) WHERE t.id = u.id",
///   [.int64Array(ids), .floatArray(scores)])
/// ```
public enum PostgresValue: Sendable, Hashable {
  /// NULL of whatever type the statement needs.
  case null
  /// `boolean`.
  case bool(Bool)
  /// `integer`.
  case int32(Int32)
  /// `bigint`.
  case int64(Int64)
  /// `real`.
  case float(Float)
  /// `double precision`.
  case double(Double)
  /// `text`.
  case text(String)
  /// `bytea`.
  case bytes([UInt8])
  /// `jsonb`, from JSON text.
  case json(String)
  /// `timestamp with time zone`, in seconds since 1970; infinities become `infinity`.
  case timestamp(Double)
  /// `boolean[]`.
  case boolArray([Bool])
  /// `integer[]`.
  case int32Array([Int32])
  /// `bigint[]`.
  case int64Array([Int64])
  /// `bigint[]` with NULL for `nil`.
  case optionalInt64Array([Int64?])
  /// `real[]`.
  case floatArray([Float])
  /// `real[]` with NULL for `nil`.
  case optionalFloatArray([Float?])
  /// `double precision[]`.
  case doubleArray([Double])
  /// `double precision[]` with NULL for `nil`.
  case optionalDoubleArray([Double?])
  /// `text[]`.
  case textArray([String])
  /// `text[]` with NULL for `nil`.
  case optionalTextArray([String?])
  /// `bytea[]`.
  case bytesArray([[UInt8]])
  /// `jsonb[]`, from JSON texts.
  case jsonArray([String])
  /// `timestamp with time zone[]` in seconds since 1970, with NULL for `nil`.
  case optionalTimestampArray([Double?])
}

extension PostgresValue {
  /// Of a list of ids or texts that has one element, that element.
  var onlyElement: Self? {
    switch self {
    case .int64Array(let values) where values.count == 1: .int64(values[0])
    case .textArray(let values) where values.count == 1: .text(values[0])
    default: nil
    }
  }

  /// `text`, or NULL for `nil`.
  public static func optional(_ value: String?) -> Self { value.map(Self.text) ?? .null }
  /// `bigint`, or NULL for `nil`.
  public static func optional(_ value: Int64?) -> Self { value.map(Self.int64) ?? .null }
  /// `bigint`, or NULL for `nil`.
  public static func optional(_ value: Int?) -> Self { value.map { .int64(Int64($0)) } ?? .null }
  /// `double precision`, or NULL for `nil`.
  public static func optional(_ value: Double?) -> Self { value.map(Self.double) ?? .null }
  /// `real`, or NULL for `nil`.
  public static func optional(_ value: Float?) -> Self { value.map(Self.float) ?? .null }
}

extension PostgresValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral, ExpressibleByNilLiteral
{
  /// `text`.
  public init(stringLiteral value: String) { self = .text(value) }
  /// `bigint`.
  public init(integerLiteral value: Int64) { self = .int64(value) }
  /// `double precision`.
  public init(floatLiteral value: Double) { self = .double(value) }
  /// `boolean`.
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  /// NULL.
  public init(nilLiteral: ()) { self = .null }
}
