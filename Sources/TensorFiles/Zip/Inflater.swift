import CZlib

/// Inflates raw deflate data (RFC 1951) piece by piece; the output is bounded by the reader's buffers.
final class Inflater {
  private let region: ByteRegion
  private var consumed = 0
  private let compressedCount: Int
  // zlib keeps pointers to its stream, so the stream must not move: it lives on the heap.
  private let stream: UnsafeMutablePointer<z_stream>
  private let inputBuffer: UnsafeMutableRawBufferPointer
  private var ended = false

  init(region: ByteRegion, compressedCount: Int) throws {
    self.region = region
    self.compressedCount = compressedCount
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    inputBuffer = .allocate(byteCount: 1 << 16, alignment: 16)
    // Negative window bits: raw deflate, without zlib's own header.
    let status = inflateInit2_(
      stream, -MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard status == Z_OK else {
      throw region.problem("zlib cannot start: error \(status)")
    }
  }

  deinit {
    inflateEnd(stream)
    stream.deinitialize(count: 1)
    stream.deallocate()
    inputBuffer.deallocate()
  }

  /// Fills the buffer with the next inflated bytes.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws {
    var done = 0
    while done < buffer.count {
      let room = min(buffer.count - done, 1 << 30)
      stream.pointee.next_out =
        UnsafeMutableRawBufferPointer(rebasing: buffer[done...]).baseAddress?
        .assumingMemoryBound(to: UInt8.self)
      stream.pointee.avail_out = UInt32(room)
      try step()
      let made = room - Int(stream.pointee.avail_out)
      done += made
      if made == 0 && ended {
        throw region.problem(
          "holds fewer bytes than the \(region.count) it claims", advice: "the file is damaged")
      }
    }
  }

  /// Checks that the compressed data ends here, too.
  func finish() throws {
    var spare: UInt8 = 0
    while !ended {
      let made = try withUnsafeMutablePointer(to: &spare) { byte in
        stream.pointee.next_out = byte
        stream.pointee.avail_out = 1
        try step()
        stream.pointee.next_out = nil
        return stream.pointee.avail_out == 0
      }
      guard !made else {
        throw region.problem(
          "holds more bytes than the \(region.count) it claims", advice: "the file is damaged")
      }
    }
    guard consumed == compressedCount, stream.pointee.avail_in == 0 else {
      throw region.problem(
        "its compressed data ends before its \(compressedCount) bytes do",
        advice: "the file is damaged")
    }
  }

  /// One call of zlib, with new input where the last is used up.
  private func step() throws {
    guard !ended else { return }
    if stream.pointee.avail_in == 0 {
      let part = min(inputBuffer.count, compressedCount - consumed)
      guard part > 0 else {
        throw region.problem("its compressed data is cut off", advice: "the file is damaged")
      }
      try region.source.read(
        at: region.offset + consumed,
        into: UnsafeMutableRawBufferPointer(rebasing: inputBuffer.prefix(part)))
      consumed += part
      stream.pointee.next_in = inputBuffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
      stream.pointee.avail_in = UInt32(part)
    }
    switch inflate(stream, Z_NO_FLUSH) {
    case Z_OK: break
    case Z_STREAM_END: ended = true
    case Z_BUF_ERROR where stream.pointee.avail_in == 0: break
    case let status:
      throw region.problem(
        "its compressed data is damaged (zlib error \(status))", advice: "write the file again")
    }
  }
}
