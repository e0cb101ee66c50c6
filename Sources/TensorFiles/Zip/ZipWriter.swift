import CZlib

/// Makes a zip archive of stored files, below 4 GiB in all.
struct ZipWriter {
  private var body: [UInt8] = []
  private var directory: [UInt8] = []
  private var entryCount = 0

  /// Appends a file.
  mutating func add(name: String, content: [UInt8], path: String) throws {
    let nameBytes = Array(name.utf8)
    let offset = body.count
    guard offset + content.count < 1 << 32 - 1 << 20, nameBytes.count < 1 << 12, entryCount < 65_000
    else {
      throw TensorFileError(
        path: path, what: "would be larger than the 4 GiB of a zip archive",
        advice: "write .safetensors instead")
    }
    let checksum = UInt32(truncatingIfNeeded: crc32_z(crc32(0, nil, 0), content, content.count))
    var common: [UInt8] = []
    append(UInt16(20), to: &common)  // version needed
    append(UInt16(1 << 11), to: &common)  // names are UTF-8
    append(UInt16(0), to: &common)  // stored
    append(UInt16(0), to: &common)  // 00:00
    append(UInt16(0x21), to: &common)  // 1980-01-01, so that equal content gives equal bytes
    append(checksum, to: &common)
    append(UInt32(content.count), to: &common)
    append(UInt32(content.count), to: &common)
    append(UInt16(nameBytes.count), to: &common)
    append(UInt16(0), to: &common)  // no extra field

    append(UInt32(0x0403_4b50), to: &body)
    body += common + nameBytes + content

    append(UInt32(0x0201_4b50), to: &directory)
    append(UInt16(20), to: &directory)  // version made by
    directory += common
    append(UInt16(0), to: &directory)  // no comment
    append(UInt16(0), to: &directory)  // disk 0
    append(UInt16(0), to: &directory)  // internal attributes
    append(UInt32(0), to: &directory)  // external attributes
    append(UInt32(offset), to: &directory)
    directory += nameBytes
    entryCount += 1
  }

  /// The archive.
  func finish(path: String) throws -> [UInt8] {
    guard body.count + directory.count < 1 << 32 - 1 else {
      throw TensorFileError(path: path, what: "would be larger than the 4 GiB of a zip archive")
    }
    var bytes = body + directory
    append(UInt32(0x0605_4b50), to: &bytes)
    append(UInt32(0), to: &bytes)  // disks
    append(UInt16(entryCount), to: &bytes)
    append(UInt16(entryCount), to: &bytes)
    append(UInt32(directory.count), to: &bytes)
    append(UInt32(body.count), to: &bytes)
    append(UInt16(0), to: &bytes)  // no comment
    return bytes
  }
}
