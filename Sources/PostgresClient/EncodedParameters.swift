/// The parameters of a statement in the form that libpq wants: one buffer and pointers into it.
struct EncodedParameters {
  /// Longest value in bytes.
  ///
  /// The server's own limit for a field is 1 GiB.
  private static let longest = 1 << 30

  let types: [UInt32]
  let formats: [Int32]
  private let buffer: [UInt8]
  private let offsets: [Int?]
  private let lengths: [Int32]

  init(_ parameters: [PostgresValue]) throws {
    types = parameters.map(\.type)
    formats = [Int32](repeating: 1, count: parameters.count)
    // One byte in front, so that the buffer has an address when every value is empty.
    var bytes: [UInt8] = [0]
    var starts: [Int?] = []
    var sizes: [Int32] = []
    for (index, value) in parameters.enumerated() {
      let start = bytes.count
      value.encode(into: &bytes)
      guard bytes.count - start <= Self.longest else {
        throw PostgresError(
          .misuse, "parameter $\(index + 1) is longer than 1 GiB; send it in parts or by COPY")
      }
      starts.append(value == .null ? nil : start)
      sizes.append(Int32(bytes.count - start))
    }
    buffer = bytes
    offsets = starts
    lengths = sizes
  }

  /// Bytes of all values.
  var byteCount: Int { buffer.count - 1 }

  /// Calls `body` with the values and their lengths, valid during the call.
  func withPointers<Result>(
    _ body: (UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?) -> Result
  ) -> Result {
    buffer.withUnsafeBytes { bytes in
      let base = bytes.baseAddress
      let values = offsets.map { offset in
        offset.flatMap { base?.advanced(by: $0).assumingMemoryBound(to: CChar.self) }
      }
      return values.withUnsafeBufferPointer { pointers in
        lengths.withUnsafeBufferPointer { body(pointers.baseAddress, $0.baseAddress) }
      }
    }
  }
}
