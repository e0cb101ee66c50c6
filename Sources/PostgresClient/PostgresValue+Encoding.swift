extension PostgresValue {
  /// The type that the server is told.
  var type: UInt32 {
    switch self {
    case .null: 0
    case .bool: PostgresType.bool
    case .int32: PostgresType.int4
    case .int64: PostgresType.int8
    case .float: PostgresType.float4
    case .double: PostgresType.float8
    case .text: PostgresType.text
    case .bytes: PostgresType.bytea
    case .json: PostgresType.jsonb
    case .timestamp: PostgresType.timestamptz
    case .boolArray: PostgresType.boolArray
    case .int32Array: PostgresType.int4Array
    case .int64Array, .optionalInt64Array: PostgresType.int8Array
    case .floatArray, .optionalFloatArray: PostgresType.float4Array
    case .doubleArray, .optionalDoubleArray: PostgresType.float8Array
    case .textArray, .optionalTextArray: PostgresType.textArray
    case .bytesArray: PostgresType.byteaArray
    case .jsonArray: PostgresType.jsonbArray
    case .optionalTimestampArray: PostgresType.timestamptzArray
    }
  }

  /// Appends the binary form.
  ///
  /// Nothing is appended for NULL.
  func encode(into output: inout [UInt8]) {
    switch self {
    case .null: break
    case .bool(let value): output.append(value ? 1 : 0)
    case .int32(let value): output.append(bigEndian: value)
    case .int64(let value): output.append(bigEndian: value)
    case .float(let value): output.append(bigEndian: value.bitPattern)
    case .double(let value): output.append(bigEndian: value.bitPattern)
    case .text(let value): output.append(contentsOf: value.utf8)
    case .bytes(let value): output.append(contentsOf: value)
    case .json(let value): output.append(jsonb: value)
    case .timestamp(let value):
      output.append(bigEndian: PostgresTime.encode(secondsSince1970: value))
    default: encodeArray(into: &output)
    }
  }

  private func encodeArray(into output: inout [UInt8]) {
    switch self {
    case .boolArray(let values):
      output.append(array: values, of: PostgresType.bool) { $0.append($1 ? 1 : 0) }
    case .int32Array(let values):
      output.append(array: values, of: PostgresType.int4) { $0.append(bigEndian: $1) }
    case .int64Array(let values):
      output.append(array: values, of: PostgresType.int8) { $0.append(bigEndian: $1) }
    case .optionalInt64Array(let values):
      output.append(optionals: values, of: PostgresType.int8) { $0.append(bigEndian: $1) }
    case .floatArray(let values):
      output.append(array: values, of: PostgresType.float4) { $0.append(bigEndian: $1.bitPattern) }
    case .optionalFloatArray(let values):
      output.append(optionals: values, of: PostgresType.float4) {
        $0.append(bigEndian: $1.bitPattern)
      }
    case .doubleArray(let values):
      output.append(array: values, of: PostgresType.float8) { $0.append(bigEndian: $1.bitPattern) }
    case .optionalDoubleArray(let values):
      output.append(optionals: values, of: PostgresType.float8) {
        $0.append(bigEndian: $1.bitPattern)
      }
    case .textArray(let values):
      output.append(array: values, of: PostgresType.text) { $0.append(contentsOf: $1.utf8) }
    case .optionalTextArray(let values):
      output.append(optionals: values, of: PostgresType.text) { $0.append(contentsOf: $1.utf8) }
    case .bytesArray(let values):
      output.append(array: values, of: PostgresType.bytea) { $0.append(contentsOf: $1) }
    case .jsonArray(let values):
      output.append(array: values, of: PostgresType.jsonb) { $0.append(jsonb: $1) }
    case .optionalTimestampArray(let values):
      output.append(optionals: values, of: PostgresType.timestamptz) {
        $0.append(bigEndian: PostgresTime.encode(secondsSince1970: $1))
      }
    default: preconditionFailure("\(self) is no array")
    }
  }
}
