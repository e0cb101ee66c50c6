/// A `.npz` file, open for reading: a zip archive of `.npy` arrays.
///
/// Stored and deflated entries are read, ZIP64 included. What a deflated entry inflates to is
/// checked against the array's shape before memory is taken, and its checksum after.
public struct NumpyArchive: Sendable {
  /// The arrays of numbers, named without `.npy`, in the archive's order.
  public let arrays: [StoredArray]
  private let texts: [String: StoredText]

  /// Opens an archive: the directory and the arrays' headers are read and checked.
  ///
  /// - Throws: `TensorFileError`.
  public init(path: String, limit: Int = ReadLimit.physicalMemory) throws {
    try self.init(ByteSource(path: path), limit: limit)
  }

  /// Opens an archive that is in memory; `name` stands for the path in messages.
  ///
  /// - Throws: `TensorFileError`.
  public init(
    bytes: [UInt8], name: String = "memory", limit: Int = ReadLimit.physicalMemory
  ) throws {
    try self.init(ByteSource(bytes: bytes, name: name), limit: limit)
  }

  private init(_ source: ByteSource, limit: Int) throws {
    var arrays: [StoredArray] = []
    var texts: [String: StoredText] = [:]
    for entry in try ZipDirectory(source).entries where entry.name.hasSuffix(".npy") {
      let name = String(entry.name.dropLast(4))
      let header = try NumpyHeader(entry.region)
      switch header.elements {
      case .numbers(let elementType):
        arrays.append(
          StoredArray(
            name: name, elementType: elementType, shape: header.shape, region: entry.region,
            headerCount: header.byteCount, limit: limit))
      case .text(let length, let isWide):
        texts[name] = StoredText(
          length: length, isWide: isWide, shape: header.shape, region: entry.region,
          headerCount: header.byteCount, limit: limit)
      }
    }
    self.arrays = arrays
    self.texts = texts
  }

  /// The array of numbers of that name, or nil.
  public func array(_ name: String) -> StoredArray? { arrays.first { $0.name == name } }

  /// The texts of a one-dimensional array of type `<U…` or `|S…`, or nil where there is none.
  ///
  /// - Throws: `TensorFileError` where the text is not Unicode or the file is damaged.
  /// - Complexity: O(bytes).
  public func strings(_ name: String) throws -> [String]? { try texts[name]?.read() }

  /// Writes arrays as an uncompressed `.npz` file: seen whole or not at all.
  ///
  /// - Throws: `TensorFileError`.
  /// - Complexity: O(bytes) time and memory.
  public static func write(_ tensors: [String: Tensor], to path: String) throws {
    var archive = ZipWriter()
    for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
      try archive.add(name: name + ".npy", content: NumpyFile.encode(tensor), path: path)
    }
    try AtomicFile.write(try archive.finish(path: path), to: path)
  }
}

/// A one-dimensional array of texts of fixed width.
struct StoredText: Sendable {
  let length: Int
  let isWide: Bool
  let shape: [Int]
  let region: ByteRegion
  let headerCount: Int
  let limit: Int

  func read() throws -> [String] {
    guard shape.count == 1 else {
      throw region.problem("has \(shape.count) dimensions, not 1", advice: "flatten it")
    }
    guard region.count <= limit / 4 else {
      throw region.problem(
        "needs more memory than the limit of \(limit) bytes", advice: "give fewer rows")
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(region.count - headerCount)
    try region.forEachPiece(skipping: headerCount) { bytes.append(contentsOf: $0) }
    let width = isWide ? length * 4 : length
    return try (0..<shape[0]).map { try text(bytes, from: $0 * width, row: $0) }
  }

  /// One text; zeros at its end are padding.
  private func text(_ bytes: [UInt8], from start: Int, row: Int) throws -> String {
    let codes: [UInt32] = (0..<length).map { index in
      isWide
        ? littleEndian(UInt32.self, in: bytes, at: start + index * 4)
        : UInt32(bytes[start + index])
    }
    let used = codes[..<((codes.lastIndex { $0 != 0 } ?? -1) + 1)]
    if !isWide, let string = String(validating: used.map(UInt8.init), as: UTF8.self) {
      return string
    }
    if isWide, let string = String(validating: used, as: UTF32.self) { return string }
    throw region.problem("the text of row \(row) is not Unicode", advice: "save it as str")
  }
}
