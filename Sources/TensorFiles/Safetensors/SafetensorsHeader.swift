/// The header of a safetensors file: eight bytes of length, then a JSON object.
///
/// https://github.com/huggingface/safetensors#format
struct SafetensorsHeader {
  /// One tensor as the header describes it; the offsets count from the end of the header.
  struct Entry {
    var name: String
    var elementType: ElementType
    var shape: [Int]
    var begin: Int
    var end: Int
  }

  /// The reference implementation's limit: 100 MB.
  static let limit = 100_000_000

  /// Tensors by their place in the file, without gaps or overlaps, filling the file exactly.
  private(set) var entries: [Entry] = []
  private(set) var metadata: [String: String] = [:]
  /// First byte after the header.
  private(set) var payloadOffset = 0

  /// Reads and checks the header; nothing but the header is read.
  init(_ source: ByteSource) throws {
    guard source.count >= 8 else {
      throw source.problem(
        "has \(source.count) bytes, too few for a safetensors file",
        advice: "the file is truncated")
    }
    let claimed = littleEndian(UInt64.self, in: try source.bytes(at: 0, count: 8), at: 0)
    guard claimed <= UInt64(Self.limit) else {
      throw Self.problem(
        source, "claims \(claimed) bytes, above the limit of \(Self.limit)",
        advice: "this is not a safetensors file")
    }
    let length = Int(claimed)
    guard length <= source.count - 8 else {
      throw Self.problem(
        source, "claims \(length) bytes, but the file has \(source.count)",
        advice: "the file is truncated")
    }
    let bytes = try source.bytes(at: 8, count: length)
    guard bytes.first == UInt8(ascii: "{") else {
      throw Self.problem(
        source, "does not start with {", advice: "this is not a safetensors file")
    }
    do {
      try parse(bytes)
    } catch let problem as JSONProblem {
      throw Self.problem(
        source, "\(problem.what) (byte \(8 + problem.offset))", advice: "the file is damaged")
    }
    payloadOffset = 8 + length
    try checkLayout(source)
  }

  private mutating func parse(_ bytes: [UInt8]) throws {
    var scanner = JSONScanner(bytes)
    var entries: [Entry] = []
    var metadata: [String: String] = [:]
    try scanner.readObject { scanner, name in
      if name == "__metadata__" {
        try scanner.readObject { scanner, key in metadata[key] = try scanner.readString() }
      } else {
        entries.append(try Self.parseEntry(name, &scanner))
      }
    }
    try scanner.finish()
    self.entries = entries
    self.metadata = metadata
  }

  private static func parseEntry(_ name: String, _ scanner: inout JSONScanner) throws -> Entry {
    let start = scanner.position
    let quoted = "tensor \"\(singleLine(name))\""
    var elementType: ElementType?
    var shape: [Int]?
    var offsets: [Int]?
    try scanner.readObject { scanner, key in
      switch key {
      case "dtype":
        let text = try scanner.readString()
        elementType = ElementType(rawValue: text)
        if elementType == nil {
          throw scanner.problem("\(quoted) has the unknown type \"\(singleLine(text, limit: 20))\"")
        }
      case "shape": shape = try parseCounts(&scanner)
      case "data_offsets": offsets = try parseCounts(&scanner)
      default: try scanner.skipValue()
      }
    }
    guard let elementType, let shape, let offsets, offsets.count == 2 else {
      throw JSONProblem(
        what: "\(quoted) lacks its dtype, its shape or its two data_offsets", offset: start)
    }
    guard let size = byteCount(of: shape, size: elementType.size) else {
      throw JSONProblem(what: "\(quoted) has a shape too large for any file", offset: start)
    }
    guard offsets[0] <= offsets[1], offsets[1] - offsets[0] == size else {
      throw JSONProblem(
        what: "\(quoted) takes \(size) bytes by its shape, but its offsets are "
          + "\(offsets[0]) and \(offsets[1])", offset: start)
    }
    return Entry(
      name: name, elementType: elementType, shape: shape, begin: offsets[0], end: offsets[1])
  }

  private static func parseCounts(_ scanner: inout JSONScanner) throws -> [Int] {
    var counts: [Int] = []
    try scanner.readArray { scanner in
      let number = try scanner.readInteger()
      guard number >= 0 else { throw scanner.problem("\(number) is negative") }
      counts.append(number)
    }
    return counts
  }

  /// Tensors must follow each other without gap or overlap and end where the file does.
  private mutating func checkLayout(_ source: ByteSource) throws {
    entries.sort { ($0.begin, $0.end, $0.name) < ($1.begin, $1.end, $1.name) }
    var expected = 0
    for entry in entries {
      guard entry.begin == expected else {
        throw source.problem(
          "starts at byte \(entry.begin) of the data, but the one before it ends at \(expected)",
          at: "tensor \(singleLine(entry.name))", advice: "the file is damaged")
      }
      expected = entry.end
    }
    let available = source.count - payloadOffset
    guard expected == available else {
      throw source.problem(
        "the tensors take \(expected) bytes, but the file has \(available) for them",
        advice: expected > available ? "the file is truncated" : "the file is damaged")
    }
  }

  private static func problem(
    _ source: ByteSource, _ what: String, advice: String
  ) -> TensorFileError {
    source.problem(what, at: "header", advice: advice)
  }
}
