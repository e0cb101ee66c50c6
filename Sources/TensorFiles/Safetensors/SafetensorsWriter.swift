/// The content of a `.safetensors` file to be written.
///
/// ```swift
/// var content = SafetensorsContent()
/// content.tensors["labels"] = Tensor([0, 0, 1, -1])
/// content.metadata["version"] = "1"
/// try content.write(to: "result.safetensors")
/// ```
///
/// The same content always gives the same bytes, and those of the reference implementation.
public struct SafetensorsContent: Sendable {
  /// The tensors by name.
  public var tensors: [String: Tensor]
  /// Free text pairs.
  public var metadata: [String: String]

  /// Makes content, empty unless given.
  public init(tensors: [String: Tensor] = [:], metadata: [String: String] = [:]) {
    self.tensors = tensors
    self.metadata = metadata
  }

  /// Writes the file: seen whole or not at all, flushed to the disk.
  ///
  /// - Throws: `TensorFileError` where the destination cannot be written or the header would be
  ///   longer than readers accept; a file that exists then stays as it was.
  /// - Complexity: O(bytes); matrices are not copied.
  public func write(to path: String) throws {
    let (header, order) = try header(path: path)
    try AtomicFile.write(to: path) { sink in
      try header.withUnsafeBytes { try sink($0) }
      for tensor in order { try tensor.write(to: sink) }
    }
  }

  /// The file as bytes.
  ///
  /// - Throws: `TensorFileError` where the header would be longer than readers accept.
  /// - Complexity: O(bytes).
  public func encode() throws -> [UInt8] {
    let (header, order) = try header(path: "memory")
    var bytes = header
    bytes.reserveCapacity(order.reduce(header.count) { $0 + $1.byteCount })
    for tensor in order { try tensor.write { bytes.append(contentsOf: $0) } }
    return bytes
  }

  /// Length, JSON and padding; and the tensors in the order in which they follow.
  private func header(path: String) throws -> (bytes: [UInt8], order: [Tensor]) {
    // Widest types first, so that every tensor is aligned to its type's size.
    let rank = Dictionary(
      ElementType.allCases.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    let order = tensors.sorted { left, right in
      let leftRank = rank[left.value.elementType, default: 0]
      let rightRank = rank[right.value.elementType, default: 0]
      return leftRank != rightRank
        ? leftRank > rightRank : left.key.utf8.lexicographicallyPrecedes(right.key.utf8)
    }
    var json: [UInt8] = [UInt8(ascii: "{")]
    func addKey(_ key: String) {
      if json.count > 1 { json.append(UInt8(ascii: ",")) }
      appendJSON(key, to: &json)
      json.append(UInt8(ascii: ":"))
    }
    if !metadata.isEmpty {
      addKey("__metadata__")
      for (index, pair) in metadata.sorted(by: { $0.key < $1.key }).enumerated() {
        json.append(UInt8(ascii: index == 0 ? "{" : ","))
        appendJSON(pair.key, to: &json)
        json.append(UInt8(ascii: ":"))
        appendJSON(pair.value, to: &json)
      }
      json.append(UInt8(ascii: "}"))
    }
    var offset = 0
    for (name, tensor) in order {
      guard name != "__metadata__" else {
        throw TensorFileError(path: path, what: "a tensor cannot be named __metadata__")
      }
      addKey(name)
      let end = offset + tensor.byteCount
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      json += Array(
        #"{"dtype":"\#(tensor.elementType.rawValue)","shape":[\#(shape)],"#.utf8)
      json += Array(#""data_offsets":[\#(offset),\#(end)]}"#.utf8)
      offset = end
    }
    json.append(UInt8(ascii: "}"))
    while json.count % 8 != 0 { json.append(UInt8(ascii: " ")) }
    guard json.count <= SafetensorsHeader.limit else {
      throw TensorFileError(
        path: path, what: "the header would take \(json.count) bytes, more than readers accept",
        advice: "write fewer tensors or less metadata")
    }
    var bytes: [UInt8] = []
    append(UInt64(json.count), to: &bytes)
    return (bytes + json, order.map(\.value))
  }
}
