/// An optional property that JSON shows in any case: as null where there is no value.
///
/// Without it, synthesised encoding leaves such keys out, and whoever reads the JSON cannot tell
/// what is unknown from what they misspelt.
@propertyWrapper
struct OrNull<Value: Encodable & Sendable>: Encodable, Sendable {
  var wrappedValue: Value?

  /// A value that may be missing.
  init(wrappedValue value: Value?) { wrappedValue = value }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if let wrappedValue { try container.encode(wrappedValue) } else { try container.encodeNil() }
  }
}
