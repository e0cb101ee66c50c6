/// The type of an array's elements, named as in a safetensors header.
public enum ElementType: String, Sendable, Hashable, CaseIterable {
  // In the order by which the reference implementation lays tensors out, so that files agree.
  case bool = "BOOL"
  case uint8 = "U8"
  case int8 = "I8"
  case int16 = "I16"
  case uint16 = "U16"
  case float16 = "F16"
  case bfloat16 = "BF16"
  case int32 = "I32"
  case uint32 = "U32"
  case float32 = "F32"
  case float64 = "F64"
  case int64 = "I64"
  case uint64 = "U64"

  /// Bytes of one element.
  public var size: Int {
    switch self {
    case .bool, .uint8, .int8: 1
    case .int16, .uint16, .float16, .bfloat16: 2
    case .int32, .uint32, .float32: 4
    case .float64, .int64, .uint64: 8
    }
  }

  /// Whether the elements are whole numbers or truth values.
  public var isInteger: Bool {
    switch self {
    case .float16, .bfloat16, .float32, .float64: false
    default: true
    }
  }

  /// NumPy's name of the type, little endian; nil for bfloat16, which NumPy does not have.
  var numpyDescriptor: String? {
    switch self {
    case .bool: "|b1"
    case .uint8: "|u1"
    case .int8: "|i1"
    case .int16: "<i2"
    case .uint16: "<u2"
    case .float16: "<f2"
    case .bfloat16: nil
    case .int32: "<i4"
    case .uint32: "<u4"
    case .float32: "<f4"
    case .float64: "<f8"
    case .int64: "<i8"
    case .uint64: "<u8"
    }
  }
}
