/// A `.safetensors` file, open for reading.
///
/// ```swift
/// let file = try SafetensorsFile(path: "result.safetensors")
/// let labels = try file.integers("labels")
/// let vectors = try file.matrix("embeddings")
/// ```
///
/// Opening reads and checks the header alone; tensors are read when they are asked for.
public struct SafetensorsFile: Sendable {
  /// The tensors in the order of their bytes in the file.
  public let arrays: [StoredArray]
  /// The free text pairs of the header.
  public let metadata: [String: String]
  /// The path, or the name given with the bytes.
  public let path: String
  private let indices: [String: Int]

  /// Opens a file.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - limit: most bytes that one tensor may take in memory.
  /// - Throws: `TensorFileError` where the file cannot be read or is not a valid one.
  public init(path: String, limit: Int = ReadLimit.physicalMemory) throws {
    try self.init(ByteSource(path: path), limit: limit)
  }

  /// Opens a file that is in memory; `name` stands for the path in messages.
  ///
  /// - Throws: `TensorFileError` where the bytes are not a valid file.
  public init(
    bytes: [UInt8], name: String = "memory", limit: Int = ReadLimit.physicalMemory
  ) throws {
    try self.init(ByteSource(bytes: bytes, name: name), limit: limit)
  }

  private init(_ source: ByteSource, limit: Int) throws {
    let header = try SafetensorsHeader(source)
    path = source.name
    metadata = header.metadata
    arrays = header.entries.map { entry in
      let region = ByteRegion(
        source: source, offset: header.payloadOffset + entry.begin,
        count: entry.end - entry.begin, location: "tensor \(singleLine(entry.name))")
      return StoredArray(
        name: entry.name, elementType: entry.elementType, shape: entry.shape, region: region,
        headerCount: 0, limit: limit)
    }
    indices = Dictionary(
      arrays.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The tensor of that name, or nil.
  public func array(_ name: String) -> StoredArray? { indices[name].map { arrays[$0] } }

  /// The tensor of that name.
  ///
  /// - Throws: `TensorFileError` where there is none.
  public func required(_ name: String) throws -> StoredArray {
    guard let array = array(name) else {
      throw problem("has no tensor \(name)", advice: "give a file that has one")
    }
    return array
  }

  /// The whole numbers of a tensor; see ``StoredArray/integers()``.
  public func integers(_ name: String) throws -> [Int] { try required(name).integers() }

  /// The whole numbers of a tensor; see ``StoredArray/int64s()``.
  public func int64s(_ name: String) throws -> [Int64] { try required(name).int64s() }

  /// The numbers of a tensor in double precision; see ``StoredArray/doubles()``.
  public func doubles(_ name: String) throws -> [Double] { try required(name).doubles() }

  /// The numbers of a tensor in single precision; see ``StoredArray/floats()``.
  public func floats(_ name: String) throws -> [Float] { try required(name).floats() }

  /// The bytes of a tensor; see ``StoredArray/bytes()``.
  public func bytes(_ name: String) throws -> [UInt8] { try required(name).bytes() }

  /// The matrix that a tensor is; see ``StoredArray/matrix()``.
  public func matrix(_ name: String) throws -> LoadedMatrix { try required(name).matrix() }

  /// An error about this file.
  public func problem(_ what: String, advice: String = "") -> TensorFileError {
    TensorFileError(path: path, what: what, advice: advice)
  }
}
