/// One record of a zip archive's directory.
struct ZipRecord {
  let name: String
  let location: String
  private let flags: UInt16
  private let method: UInt16
  private let checksum: UInt32
  private(set) var compressedCount: Int
  private(set) var count: Int
  private(set) var headerOffset: Int

  /// Reads the record at `position` and moves it behind.
  init(_ bytes: [UInt8], at position: inout Int, source: ByteSource) throws {
    let start = position
    let damaged = source.problem(
      "record at byte \(start) is cut off or damaged", at: "zip directory",
      advice: "the file is damaged")
    guard start + 46 <= bytes.count, littleEndian(UInt32.self, in: bytes, at: start) == 0x0201_4b50
    else { throw damaged }
    let nameCount = Int(littleEndian(UInt16.self, in: bytes, at: start + 28))
    let extraCount = Int(littleEndian(UInt16.self, in: bytes, at: start + 30))
    let commentCount = Int(littleEndian(UInt16.self, in: bytes, at: start + 32))
    let nameEnd = start + 46 + nameCount
    position = nameEnd + extraCount + commentCount
    guard position <= bytes.count,
      let name = String(validating: bytes[start + 46..<nameEnd], as: UTF8.self)
    else { throw damaged }
    self.name = name
    location = "entry \(singleLine(name))"
    flags = littleEndian(UInt16.self, in: bytes, at: start + 8)
    method = littleEndian(UInt16.self, in: bytes, at: start + 10)
    checksum = littleEndian(UInt32.self, in: bytes, at: start + 16)
    compressedCount = Int(littleEndian(UInt32.self, in: bytes, at: start + 20))
    count = Int(littleEndian(UInt32.self, in: bytes, at: start + 24))
    headerOffset = Int(littleEndian(UInt32.self, in: bytes, at: start + 42))
    guard readZip64(Array(bytes[nameEnd..<nameEnd + extraCount])) else { throw damaged }
  }

  /// Replaces numbers that did not fit in 32 bits; false where the extra field lacks them.
  private mutating func readZip64(_ extra: [UInt8]) -> Bool {
    var wide: [Int] = []
    var position = 0
    while position + 4 <= extra.count {
      let identifier = littleEndian(UInt16.self, in: extra, at: position)
      let end = position + 4 + Int(littleEndian(UInt16.self, in: extra, at: position + 2))
      guard end <= extra.count else { return false }
      if identifier == 1 {
        for field in stride(from: position + 4, to: end - 7, by: 8) {
          guard let number = Int(exactly: littleEndian(UInt64.self, in: extra, at: field)) else {
            return false
          }
          wide.append(number)
        }
      }
      position = end
    }
    // The fields stand in this order, each only where its short form is full.
    var next = wide.makeIterator()
    for field in [\ZipRecord.count, \.compressedCount, \.headerOffset]
    where self[keyPath: field] == 0xFFFF_FFFF {
      guard let number = next.next() else { return false }
      self[keyPath: field] = number
    }
    return true
  }

  /// The entry's data, checked against its local header and the directory's start.
  func region(in source: ByteSource, before directory: Int) throws -> ByteRegion {
    func problem(_ what: String, _ advice: String = "the file is damaged") -> TensorFileError {
      source.problem(what, at: location, advice: advice)
    }
    guard flags & 0x2041 == 0 else {
      throw problem("is encrypted", "save it without a password")
    }
    guard method == 0 || method == 8 else {
      throw problem(
        "is compressed by method \(method)", "use numpy.savez or numpy.savez_compressed")
    }
    guard headerOffset <= directory - 30, headerOffset >= 0 else {
      throw problem("starts at byte \(headerOffset), outside of the archive")
    }
    let header = try source.bytes(at: headerOffset, count: 30)
    let nameCount = Int(littleEndian(UInt16.self, in: header, at: 26))
    let start = headerOffset + 30 + nameCount + Int(littleEndian(UInt16.self, in: header, at: 28))
    guard littleEndian(UInt32.self, in: header, at: 0) == 0x0403_4b50, start <= directory,
      littleEndian(UInt16.self, in: header, at: 8) == method,
      try source.bytes(at: headerOffset + 30, count: nameCount) == Array(name.utf8),
      agrees(littleEndian(UInt32.self, in: header, at: 18), with: compressedCount),
      agrees(littleEndian(UInt32.self, in: header, at: 22), with: count)
    else { throw problem("its own header and the directory disagree") }
    guard compressedCount <= directory - start else {
      throw problem("claims \(compressedCount) bytes, but \(directory - start) are left")
    }
    if method == 0 {
      guard count == compressedCount else {
        throw problem("is stored, but claims \(compressedCount) and \(count) bytes")
      }
      return ByteRegion(
        source: source, offset: start, count: count, checksum: checksum, location: location)
    }
    // Deflate cannot do better than 1032 to 1: a greater claim is a lie, found without inflating.
    guard count / 1032 <= compressedCount else {
      throw problem("claims to inflate from \(compressedCount) to \(count) bytes")
    }
    return ByteRegion(
      source: source, offset: start, count: count,
      coding: .deflated(compressedCount: compressedCount), checksum: checksum, location: location)
  }

  /// Whether a local header's size is the directory's, or left to it.
  private func agrees(_ local: UInt32, with size: Int) -> Bool {
    flags & 8 != 0 || local == .max || Int(local) == size
  }
}
