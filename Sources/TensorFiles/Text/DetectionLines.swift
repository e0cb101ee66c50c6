/// One face of a `.jsonl` file.
public struct DetectionLine: Sendable, Equatable {
  /// Line in the file, from 1.
  public var line: Int
  /// The picture; a number in the file is its decimal text here.
  public var photo: String?
  /// The face's name in the system that it comes from.
  public var externalID: String?
  /// The vector as it stands in the file: any length, not normalised, finite.
  public var embedding: [Float]
  /// x, y, width, height in pixels, finite.
  public var box: [Double]?
  /// The detector's confidence, finite.
  public var confidence: Double?
  /// When the picture was taken, in seconds since 1970-01-01T00:00:00Z.
  public var takenAt: Double?

  /// Makes a row from its parts.
  public init(
    line: Int, photo: String? = nil, externalID: String? = nil, embedding: [Float],
    box: [Double]? = nil, confidence: Double? = nil, takenAt: Double? = nil
  ) {
    self.line = line
    self.photo = photo
    self.externalID = externalID
    self.embedding = embedding
    self.box = box
    self.confidence = confidence
    self.takenAt = takenAt
  }
}

/// Reads the faces of a `.jsonl` file one by one, with memory for one line.
///
/// Each line is an object `{"photo", "external_id", "embedding", "bbox", "confidence",
/// "taken_at"}`, of which only `embedding` must be there; `taken_at` is an ISO 8601 text or seconds since
/// 1970. Other members are read over, empty lines too. A line that cannot be used does not stop the reading.
///
/// ```swift
/// try readDetectionLines(path: "faces.jsonl") { row in
///   insert(row.embedding)
/// } rejected: { line, reason in
///   print("line \(line): \(reason)")
/// }
/// ```
///
/// - Parameters:
///   - path: the file.
///   - accept: receives each usable row, in the file's order.
///   - rejected: receives the line's number and the reason for each other row.
/// - Throws: `TensorFileError` where the file cannot be read, or what the closures throw.
/// - Complexity: O(bytes).
public func readDetectionLines(
  path: String, _ accept: (DetectionLine) throws -> Void,
  rejected: (_ line: Int, _ reason: String) throws -> Void
) throws {
  var reader = LineReader(try ByteSource(path: path))
  while let line = try reader.next() {
    switch line {
    case .tooLong(let number):
      try rejected(number, "is longer than \(LineReader.limit) bytes")
    case .text(let number, let bytes):
      guard bytes.contains(where: { $0 != 0x20 && $0 != 0x09 }) else { continue }
      let row: DetectionLine
      do {
        row = try DetectionLine(line: number, json: bytes)
      } catch let problem as JSONProblem {
        try rejected(number, "\(problem.what) (column \(problem.offset + 1))")
        continue
      }
      try accept(row)
    }
  }
}

extension DetectionLine {
  /// Reads one line's object.
  init(line: Int, json: [UInt8]) throws {
    var scanner = JSONScanner(json)
    var row = DetectionLine(line: line, embedding: [])
    try scanner.readObject { scanner, name in
      // `null` says the same as leaving the member out.
      guard !scanner.readNull() else { return }
      switch name {
      case "photo": row.photo = try scanner.readIdentifier()
      case "external_id": row.externalID = try scanner.readIdentifier()
      case "embedding":
        try scanner.readArray { scanner in
          row.embedding.append(try scanner.readFinite(Float.self))
        }
      case "bbox":
        var box: [Double] = []
        try scanner.readArray { box.append(try $0.readFinite(Double.self)) }
        guard box.count == 4 else {
          throw scanner.problem("bbox has \(box.count) numbers, not x, y, width and height")
        }
        guard box[2] >= 0, box[3] >= 0 else { throw scanner.problem("bbox has a negative size") }
        row.box = box
      case "confidence": row.confidence = try scanner.readFinite(Double.self)
      case "taken_at": row.takenAt = try scanner.readTime()
      default: try scanner.skipValue()
      }
    }
    try scanner.finish()
    guard !row.embedding.isEmpty else {
      throw JSONProblem(what: "has no embedding", offset: 0)
    }
    self = row
  }
}

extension JSONScanner {
  /// A string or a whole number, as text.
  fileprivate mutating func readIdentifier() throws -> String {
    guard isAtString() else { return String(try readInteger()) }
    let text = try readString()
    guard !text.isEmpty else { throw problem("an identifier is empty") }
    guard !text.unicodeScalars.contains("\0") else {
      throw problem("an identifier holds a zero character")
    }
    return text
  }

  fileprivate mutating func readFinite<Number: BinaryFloatingPoint & LosslessStringConvertible>(
    _: Number.Type
  ) throws -> Number {
    let number = try readNumber(Number.self)
    guard number.isFinite else { throw problem("a number is too large") }
    return number
  }

  /// An ISO 8601 text, or seconds since 1970.
  fileprivate mutating func readTime() throws -> Double {
    guard isAtString() else { return try readFinite(Double.self) }
    let text = try readString()
    guard let seconds = unixSeconds(ofISO8601: text) else {
      throw problem("taken_at \"\(singleLine(text, limit: 40))\" is not an ISO 8601 time")
    }
    return seconds
  }
}
