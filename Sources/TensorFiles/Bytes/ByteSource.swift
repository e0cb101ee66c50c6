import Glibc

/// Bytes that can be read at any position: an open file or memory.
///
/// Nothing is allocated for a file's content until a caller asks for a region, and every region is
/// checked against the size first.
final class ByteSource: Sendable {
  private enum Storage: Sendable {
    case file(descriptor: Int32)
    case memory([UInt8])
  }

  /// The path, or what the caller calls the bytes.
  let name: String
  /// Size in bytes when it was opened.
  let count: Int
  private let storage: Storage

  /// Opens a regular file.
  init(path: String) throws(TensorFileError) {
    // Without O_NONBLOCK the opening of a named pipe would wait for a writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw TensorFileError(path: path, what: "cannot be opened: \(systemMessage(errno))")
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let reason = systemMessage(errno)
      close(descriptor)
      throw TensorFileError(path: path, what: "cannot be read: \(reason)")
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw TensorFileError(path: path, what: "is not a regular file", advice: "give a file")
    }
    name = path
    count = Int(status.st_size)
    storage = .file(descriptor: descriptor)
  }

  /// Wraps bytes that are already in memory.
  init(bytes: [UInt8], name: String) {
    self.name = name
    count = bytes.count
    storage = .memory(bytes)
  }

  deinit {
    if case .file(let descriptor) = storage { close(descriptor) }
  }

  /// Whether `length` bytes from `offset` lie inside.
  func contains(offset: Int, length: Int) -> Bool {
    offset >= 0 && length >= 0 && offset <= count && length <= count - offset
  }

  /// Fills the buffer with the bytes from `offset`.
  func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(TensorFileError) {
    guard contains(offset: offset, length: buffer.count) else {
      throw problem(
        "ends at byte \(count), but \(buffer.count) bytes from byte \(offset) are needed",
        advice: "the file is truncated")
    }
    switch storage {
    case .memory(let bytes):
      bytes.withUnsafeBytes { source in
        buffer.copyMemory(
          from: UnsafeRawBufferPointer(rebasing: source[offset...].prefix(buffer.count)))
      }
    case .file(let descriptor):
      var done = 0
      while done < buffer.count {
        let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
        let got = pread(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
        if got > 0 {
          done += got
        } else if got == 0 {
          throw problem("became shorter while it was read")
        } else if errno != EINTR {
          throw problem("cannot be read: \(systemMessage(errno))")
        }
      }
    }
  }

  /// A copy of `length` bytes from `offset`; the range is checked before memory is taken.
  func bytes(at offset: Int, count length: Int) throws(TensorFileError) -> [UInt8] {
    guard contains(offset: offset, length: length) else {
      throw problem(
        "ends at byte \(count), but \(length) bytes from byte \(offset) are needed",
        advice: "the file is truncated")
    }
    var result = [UInt8](repeating: 0, count: length)
    var failure: TensorFileError?
    result.withUnsafeMutableBytes { buffer in
      do throws(TensorFileError) {
        try read(at: offset, into: buffer)
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return result
  }

  /// An error about this source.
  func problem(_ what: String, at location: String = "", advice: String = "") -> TensorFileError {
    TensorFileError(path: name, what: what, location: location, advice: advice)
  }
}

/// The system's text for an error number.
func systemMessage(_ code: Int32) -> String {
  var buffer = [CChar](repeating: 0, count: 256)
  // The thread-safe call: strerror shares one buffer.
  guard strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
  return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}

/// A little-endian number at `offset`, which the caller has checked.
func littleEndian<Number: FixedWidthInteger>(
  _: Number.Type, in bytes: [UInt8], at offset: Int
) -> Number {
  bytes.withUnsafeBytes {
    Number(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Number.self))
  }
}

/// Appends a number's bytes, little endian.
func append<Number: FixedWidthInteger>(_ number: Number, to bytes: inout [UInt8]) {
  withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
}
