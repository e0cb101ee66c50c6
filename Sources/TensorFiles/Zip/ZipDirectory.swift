/// One file of a zip archive.
struct ZipEntry {
  let name: String
  let region: ByteRegion
}

/// The directory of a zip archive, with every claim in it checked against the archive's size.
///
/// APPNOTE.TXT 6.3.10, https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT. Not read:
/// encryption, archives in several parts, methods but stored (0) and deflate (8).
struct ZipDirectory {
  let entries: [ZipEntry]

  init(_ source: ByteSource) throws {
    let location = try ZipDirectoryLocation(source)
    let bytes = try source.bytes(at: location.offset, count: location.length)
    var records: [ZipRecord] = []
    var names: Set<String> = []
    var position = 0
    while position < bytes.count {
      let record = try ZipRecord(bytes, at: &position, source: source)
      guard names.insert(record.name).inserted else {
        throw source.problem("occurs twice", at: record.location, advice: "the file is damaged")
      }
      records.append(record)
    }
    guard records.count == location.entryCount else {
      throw source.problem(
        "names \(location.entryCount) entries, but has \(records.count)", at: "zip directory",
        advice: "the file is damaged")
    }
    // An archive whose entries overlap unpacks to far more than it holds.
    var free = 0
    var regions: [String: ByteRegion] = [:]
    for record in records.sorted(by: { $0.headerOffset < $1.headerOffset }) {
      guard record.headerOffset >= free else {
        throw source.problem(
          "overlaps the entry before it", at: record.location, advice: "the file is damaged")
      }
      let region = try record.region(in: source, before: location.offset)
      free = region.offset + record.compressedCount
      regions[record.name] = region
    }
    entries = records.compactMap { record in
      regions[record.name].map { ZipEntry(name: record.name, region: $0) }
    }
  }
}

/// Where the directory lies: told by the record at the archive's end.
private struct ZipDirectoryLocation {
  private(set) var offset: Int
  private(set) var length: Int
  private(set) var entryCount: Int

  init(_ source: ByteSource) throws {
    // The record is 22 bytes and a comment of at most 65,535.
    let tailCount = min(source.count, 22 + 65_535)
    let tail = try source.bytes(at: source.count - tailCount, count: tailCount)
    let found = stride(from: tail.count - 22, through: 0, by: -1).first { start in
      littleEndian(UInt32.self, in: tail, at: start) == 0x0605_4b50
        && Int(littleEndian(UInt16.self, in: tail, at: start + 20)) == tail.count - start - 22
    }
    guard let start = found else {
      throw source.problem(
        "does not end like a zip archive", advice: "the file is truncated or is not a .npz")
    }
    let disks = littleEndian(UInt32.self, in: tail, at: start + 4)
    entryCount = Int(littleEndian(UInt16.self, in: tail, at: start + 10))
    length = Int(littleEndian(UInt32.self, in: tail, at: start + 12))
    offset = Int(littleEndian(UInt32.self, in: tail, at: start + 16))
    var end = source.count - tailCount + start
    guard disks == 0 || disks == .max else {
      throw source.problem("is a part of a larger zip archive", advice: "give a whole file")
    }
    if entryCount == 0xFFFF || length == 0xFFFF_FFFF || offset == 0xFFFF_FFFF {
      end = try readZip64(source, before: end)
    }
    guard offset <= end, length == end - offset else {
      throw source.problem(
        "claims \(length) bytes from byte \(offset), but ends at byte \(end)",
        at: "zip directory", advice: "the file is damaged")
    }
  }

  /// Takes the numbers from the ZIP64 record; returns where it starts.
  private mutating func readZip64(_ source: ByteSource, before end: Int) throws -> Int {
    let damaged = source.problem(
      "lacks its ZIP64 record", at: "zip directory", advice: "the file is damaged")
    guard end >= 20 else { throw damaged }
    let locator = try source.bytes(at: end - 20, count: 20)
    guard littleEndian(UInt32.self, in: locator, at: 0) == 0x0706_4b50,
      let start = Int(exactly: littleEndian(UInt64.self, in: locator, at: 8)),
      source.contains(offset: start, length: 56), start <= end - 20 - 56
    else { throw damaged }
    let record = try source.bytes(at: start, count: 56)
    guard littleEndian(UInt32.self, in: record, at: 0) == 0x0606_4b50,
      let entryCount = Int(exactly: littleEndian(UInt64.self, in: record, at: 32)),
      let length = Int(exactly: littleEndian(UInt64.self, in: record, at: 40)),
      let offset = Int(exactly: littleEndian(UInt64.self, in: record, at: 48))
    else { throw damaged }
    self.entryCount = entryCount
    self.length = length
    self.offset = offset
    return start
  }
}
