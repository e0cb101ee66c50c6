/// Reads a text file line by line with memory for one line.
struct LineReader {
  /// One line, without its end.
  enum Line {
    case text(number: Int, bytes: [UInt8])
    /// A line above the limit; it was read over.
    case tooLong(number: Int)
  }

  /// Longest line that is kept: 16 MiB.
  static let limit = 1 << 24

  private let source: ByteSource
  private var offset = 0
  private var chunk: [UInt8] = []
  private var position = 0
  private var number = 0

  init(_ source: ByteSource) { self.source = source }

  /// The next line, or nil at the end of the file.
  mutating func next() throws -> Line? {
    var line: [UInt8] = []
    var isTooLong = false
    var isAnything = false
    while try fill() {
      isAnything = true
      let rest = chunk[position...]
      let end = rest.firstIndex(of: 0x0A)
      let part = rest[..<(end ?? chunk.count)]
      if line.count + part.count <= Self.limit, !isTooLong {
        line += part
      } else {
        isTooLong = true
        line = []
      }
      position = (end ?? chunk.count - 1) + 1
      if end != nil { break }
    }
    guard isAnything else { return nil }
    number += 1
    if isTooLong { return .tooLong(number: number) }
    if line.last == 0x0D { line.removeLast() }
    if number == 1, line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
    return .text(number: number, bytes: line)
  }

  /// Makes sure that a byte is there; false at the end.
  private mutating func fill() throws -> Bool {
    if position < chunk.count { return true }
    let count = min(1 << 18, source.count - offset)
    guard count > 0 else { return false }
    chunk = try source.bytes(at: offset, count: count)
    offset += count
    position = 0
    return true
  }
}
