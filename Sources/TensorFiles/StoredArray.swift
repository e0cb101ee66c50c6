/// An array in a file: its type and shape are known and checked, its elements not yet read.
///
/// The elements lie in C order (the last index runs fastest), little endian. Each accessor reads
/// them once, in pieces, straight to where they end up; nothing is kept.
public struct StoredArray: Sendable {
  /// Name of the tensor, of the archive's entry, or empty where a file holds one array.
  public let name: String
  /// Type of the elements.
  public let elementType: ElementType
  /// Extents, slowest first; empty for a single number.
  public let shape: [Int]

  let region: ByteRegion
  /// Bytes of the region before the first element.
  let headerCount: Int
  /// Most bytes that one accessor may allocate.
  let limit: Int

  /// Number of elements.
  public var count: Int { (region.count - headerCount) / elementType.size }

  /// The elements as whole numbers.
  ///
  /// - Throws: `TensorFileError` where the type is not a whole number, a value does not fit, or the
  ///   file cannot be read.
  /// - Complexity: O(count).
  public func int64s() throws -> [Int64] {
    switch elementType {
    case .bool, .uint8: try values(UInt8.self) { Int64($0) }
    case .int8: try values(Int8.self) { Int64($0) }
    case .int16: try values(Int16.self) { Int64($0) }
    case .uint16: try values(UInt16.self) { Int64($0) }
    case .int32: try values(Int32.self) { Int64($0) }
    case .uint32: try values(UInt32.self) { Int64($0) }
    case .int64: try values(Int64.self) { $0 }
    case .uint64:
      try values(UInt64.self) { value in
        guard let number = Int64(exactly: value) else {
          throw problem("holds \(value), which is above the largest 64-bit whole number")
        }
        return number
      }
    case .float16, .bfloat16, .float32, .float64: throw wrongType("a whole-number type")
    }
  }

  /// The elements as `Int`, read as by ``int64s()``.
  public func integers() throws -> [Int] { try int64s().map(Int.init) }

  /// The elements as double-precision numbers, exact for every type but large 64-bit integers.
  ///
  /// - Throws: `TensorFileError` where the file cannot be read or the array is too large.
  /// - Complexity: O(count).
  public func doubles() throws -> [Double] {
    switch elementType {
    case .float64: try values(UInt64.self) { Double(bitPattern: $0) }
    case .float16, .bfloat16, .float32: try floats().map(Double.init)
    default: try int64s().map(Double.init)
    }
  }

  /// The elements as single-precision numbers; those of F64 are rounded, and infinite beyond the range.
  ///
  /// - Throws: `TensorFileError` where the type is not F16, BF16, F32 or F64, or the file cannot be
  ///   read.
  /// - Complexity: O(count).
  public func floats() throws -> [Float] {
    switch elementType {
    case .float64: try values(UInt64.self) { Float(Double(bitPattern: $0)) }
    case .float32: try values(UInt32.self) { Float(bitPattern: $0) }
    case .float16: try values(UInt16.self) { Float(Float16(bitPattern: $0)) }
    case .bfloat16: try values(UInt16.self) { Float(bitPattern: UInt32($0) << 16) }
    default: throw wrongType("F64, F32, F16 or BF16")
    }
  }

  /// The elements' bytes as they lie in the file.
  ///
  /// - Complexity: O(count).
  public func bytes() throws -> [UInt8] {
    try checkLimit(count * elementType.size)
    var result: [UInt8] = []
    result.reserveCapacity(count * elementType.size)
    try region.forEachPiece(skipping: headerCount) { result.append(contentsOf: $0) }
    return result
  }

  /// The elements decoded one by one into an array.
  private func values<Bits: FixedWidthInteger, Value>(
    _: Bits.Type, _ decode: (Bits) throws -> Value
  ) throws -> [Value] {
    let count = count
    try checkLimit(count * MemoryLayout<Value>.stride)
    return try [Value](unsafeUninitializedCapacity: count) { buffer, initialized in
      try forEachPiece(of: Bits.self) { bits, first in
        for index in 0..<bits.count {
          buffer.initializeElement(at: first + index, to: try decode(bits[index]))
        }
      }
      initialized = count
    }
  }

  /// Hands over the elements in order, with the index of the first one of each piece.
  func forEachPiece<Bits: FixedWidthInteger>(
    of _: Bits.Type, _ body: (LittleEndianBuffer<Bits>, _ first: Int) throws -> Void
  ) throws {
    var first = 0
    try region.forEachPiece(skipping: headerCount) { raw in
      let bits = LittleEndianBuffer<Bits>(raw: raw)
      try body(bits, first)
      first += bits.count
    }
  }

  /// Refuses an array that this machine's memory cannot hold, before anything is allocated.
  func checkLimit(_ bytes: Int) throws {
    guard bytes <= limit else {
      throw problem(
        "needs \(bytes) bytes of memory, above the limit of \(limit)",
        advice: "read a part of it, or use a machine with more memory")
    }
  }

  func wrongType(_ expected: String) -> TensorFileError {
    problem("is of type \(elementType.rawValue), not \(expected)", advice: "convert it")
  }

  /// An error about this array.
  public func problem(_ what: String, advice: String = "") -> TensorFileError {
    region.problem(what, advice: advice)
  }
}

/// Little-endian numbers in raw memory.
struct LittleEndianBuffer<Bits: FixedWidthInteger> {
  let raw: UnsafeRawBufferPointer

  @inline(__always) var count: Int { raw.count / MemoryLayout<Bits>.size }

  @inline(__always)
  subscript(index: Int) -> Bits {
    Bits(
      littleEndian: raw.loadUnaligned(
        fromByteOffset: index * MemoryLayout<Bits>.size, as: Bits.self))
  }
}
