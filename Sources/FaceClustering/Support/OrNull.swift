/// An optional property that JSON shows in any case: as null where there is no value.
///
/// Without it, synthesised encoding leaves such keys out, and whoever reads the JSON cannot tell
/// what is unknown from what they misspelt.
@propertyWrapper
public struct OrNull<Value: Sendable>: Sendable {
  /// The value, if there is one.
  public var wrappedValue: Value?

  /// A value that may be missing.
  public init(wrappedValue value: Value?) { wrappedValue = value }
}

extension OrNull: Equatable where Value: Equatable {}

extension OrNull: Encodable where Value: Encodable {
  /// Writes the value, or null.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(wrappedValue)
  }
}

extension OrNull: Decodable where Value: Decodable {
  /// Reads a value or null.
  public init(from decoder: any Decoder) throws {
    wrappedValue = try decoder.singleValueContainer().decode(Value?.self)
  }
}

extension KeyedDecodingContainer {
  /// Reads a value; a key that is not there is null.
  func decode<Value: Decodable>(
    _ type: OrNull<Value>.Type, forKey key: Key
  ) throws -> OrNull<Value> {
    OrNull(wrappedValue: try decodeIfPresent(Value.self, forKey: key))
  }
}
