import CZlib

/// A stretch of a source that one array fills, as stored or deflated.
struct ByteRegion: Sendable {
  /// How the bytes lie in the source.
  enum Coding: Sendable {
    case plain
    /// Raw deflate (RFC 1951) in `compressedCount` bytes.
    case deflated(compressedCount: Int)
  }

  let source: ByteSource
  /// First byte in the source.
  let offset: Int
  /// Bytes after decoding.
  let count: Int
  var coding: Coding = .plain
  /// CRC-32 of the decoded bytes, where the container has one.
  var checksum: UInt32?
  /// What messages call it: "entry labels.npy", say.
  var location = ""

  /// Hands the decoded bytes over in order, in pieces of a multiple of 16 bytes (but the last).
  ///
  /// The first `skipped` bytes are read (the checksum covers them) but not handed over. Memory:
  /// one piece, whatever the region's size.
  func forEachPiece(
    skipping skipped: Int = 0, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    var stream = try ByteStream(self)
    try stream.skip(skipped)
    var left = count - skipped
    let piece = UnsafeMutableRawBufferPointer.allocate(
      byteCount: min(max(left, 1), 1 << 20), alignment: 16)
    defer { piece.deallocate() }
    while left > 0 {
      let part = UnsafeMutableRawBufferPointer(rebasing: piece.prefix(left))
      try stream.read(into: part)
      try body(UnsafeRawBufferPointer(part))
      left -= part.count
    }
    try stream.finish()
  }

  /// The first bytes, at most `maximum`; no checksum is compared.
  func prefix(_ maximum: Int) throws -> [UInt8] {
    var stream = try ByteStream(self)
    var result = [UInt8](repeating: 0, count: min(maximum, count))
    try result.withUnsafeMutableBytes { try stream.read(into: $0) }
    return result
  }

  /// An error about this region.
  func problem(_ what: String, advice: String = "") -> TensorFileError {
    source.problem(what, at: location, advice: advice)
  }
}

/// Reads a region from its start to its end.
struct ByteStream: ~Copyable {
  private let region: ByteRegion
  private var position = 0
  private var inflater: Inflater?
  private var checksum: UInt

  init(_ region: ByteRegion) throws {
    self.region = region
    checksum = crc32(0, nil, 0)
    if case .deflated(let compressed) = region.coding {
      inflater = try Inflater(region: region, compressedCount: compressed)
    }
  }

  /// Fills the buffer with the next bytes.
  mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws {
    guard buffer.count <= region.count - position else {
      throw region.problem("ends after \(region.count) bytes", advice: "the file is damaged")
    }
    if let inflater {
      try inflater.read(into: buffer)
    } else {
      try region.source.read(at: region.offset + position, into: buffer)
    }
    if region.checksum != nil {
      checksum = crc32_z(
        checksum, buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), buffer.count)
    }
    position += buffer.count
  }

  /// Reads over `count` bytes.
  mutating func skip(_ count: Int) throws {
    var rest = count
    var scratch = [UInt8](repeating: 0, count: min(count, 1 << 16))
    while rest > 0 {
      let part = min(rest, scratch.count)
      try scratch.withUnsafeMutableBytes {
        try read(into: UnsafeMutableRawBufferPointer(rebasing: $0.prefix(part)))
      }
      rest -= part
    }
  }

  /// Checks that everything was read and is what was written.
  consuming func finish() throws {
    try inflater?.finish()
    if let expected = region.checksum, UInt32(truncatingIfNeeded: checksum) != expected {
      throw region.problem("the checksum does not match", advice: "the file is damaged")
    }
  }
}
