/// A `.npy` file, open for reading: one array.
///
/// Read are the versions 1, 2 and 3 in C order, little endian, of numbers and truth values.
/// Fortran order, big endian and Python objects are refused.
public struct NumpyFile: Sendable {
  /// The array.
  public let array: StoredArray

  /// Opens a file; its header is checked against its size, its elements are not read.
  ///
  /// - Throws: `TensorFileError`.
  public init(path: String, limit: Int = ReadLimit.physicalMemory) throws {
    try self.init(ByteSource(path: path), limit: limit)
  }

  /// Opens a file that is in memory; `name` stands for the path in messages.
  ///
  /// - Throws: `TensorFileError`.
  public init(
    bytes: [UInt8], name: String = "memory", limit: Int = ReadLimit.physicalMemory
  ) throws {
    try self.init(ByteSource(bytes: bytes, name: name), limit: limit)
  }

  private init(_ source: ByteSource, limit: Int) throws {
    let region = ByteRegion(source: source, offset: 0, count: source.count)
    let header = try NumpyHeader(region)
    guard case .numbers(let elementType) = header.elements else {
      throw region.problem("holds text, not numbers", advice: "save float32 or float64")
    }
    array = StoredArray(
      name: "", elementType: elementType, shape: header.shape, region: region,
      headerCount: header.byteCount, limit: limit)
  }

  /// The `.npy` file of a tensor, version 1.
  ///
  /// - Throws: `TensorFileError` for BF16, which NumPy does not have.
  /// - Complexity: O(bytes).
  public static func encode(_ tensor: Tensor) throws -> [UInt8] {
    var bytes = try header(of: tensor, path: "memory")
    try tensor.write { bytes.append(contentsOf: $0) }
    return bytes
  }

  /// Writes a tensor as a `.npy` file: seen whole or not at all.
  ///
  /// - Throws: `TensorFileError`.
  public static func write(_ tensor: Tensor, to path: String) throws {
    let header = try header(of: tensor, path: path)
    try AtomicFile.write(to: path) { sink in
      try header.withUnsafeBytes { try sink($0) }
      try tensor.write(to: sink)
    }
  }

  /// Everything before the elements, padded so that they are aligned to 64 bytes.
  private static func header(of tensor: Tensor, path: String) throws -> [UInt8] {
    guard let descriptor = tensor.elementType.numpyDescriptor else {
      throw TensorFileError(
        path: path, what: "NumPy has no type \(tensor.elementType.rawValue)",
        advice: "convert it to F32")
    }
    let extents = tensor.shape.map(String.init).joined(separator: ", ")
    let tuple = tensor.shape.count == 1 ? "(\(extents),)" : "(\(extents))"
    var text = Array(
      "{'descr': '\(descriptor)', 'fortran_order': False, 'shape': \(tuple), }".utf8)
    while (10 + text.count + 1) % 64 != 0 { text.append(UInt8(ascii: " ")) }
    text.append(UInt8(ascii: "\n"))
    var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0]
    append(UInt16(text.count), to: &bytes)
    return bytes + text
  }
}
