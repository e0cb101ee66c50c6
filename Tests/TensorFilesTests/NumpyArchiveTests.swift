import Testing
import Vectors

@testable import TensorFiles

@Suite("npz files")
struct NumpyArchiveTests {
  @Test(
    "stored and deflated archives of NumPy are read", arguments: ["stored.npz", "deflated.npz"])
  func numpyArchives(name: String) throws {
    let archive = try NumpyArchive(path: fixture(name))
    #expect(archive.arrays.map(\.name) == ["photo", "embeddings"])
    #expect(try archive.array("photo")?.integers() == [0, 1, 2, 3, 4])
    #expect(try archive.array("embeddings").map { try rows($0.matrix()) } == fixtureRows(5, 3))
    #expect(try archive.strings("external_id") == ["a", "Zoë", "漢字", "", "e"])
    #expect(try archive.strings("names") == ["x", "yy"])
    #expect(try archive.strings("photo") == nil)
  }

  @Test("an archive compressed to nearly 1 : 1032 is read, and refused above the limit")
  func zeros() throws {
    let path = fixture("zeros.npz")
    let matrix = try readMatrix(path: path)
    #expect(matrix.rows == 8192 && matrix.columns == 128)
    let text = refusal { _ = try readMatrix(path: path, limit: 1 << 20) }
    #expect(text.contains("needs more memory than the limit"))
  }

  @Test("what was written is read back")
  func roundTrip() throws {
    try withFolder { folder in
      let path = folder + "/round.npz"
      try NumpyArchive.write(
        ["labels": Tensor([1, 2]), "x": Tensor([[0.5]].flatMap { $0 })], to: path)
      let archive = try NumpyArchive(path: path)
      #expect(try archive.array("labels")?.integers() == [1, 2])
      #expect(try archive.array("x")?.doubles() == [0.5])
    }
  }

  @Test("a file cut at any byte is refused", arguments: ["stored.npz", "deflated.npz", "only.npz"])
  func truncated(name: String) throws {
    let bytes = try fixtureBytes(name)
    for length in 0..<bytes.count {
      _ = refusal { _ = try NumpyArchive(bytes: Array(bytes[..<length])) }
    }
  }

  @Test("a flipped bit anywhere in the data is found by the checksum")
  func checksum() throws {
    for name in ["only.npz", "zeros.npz"] {
      var generator = SplitMix64(state: 1)
      let bytes = try fixtureBytes(name)
      let region = try #require(try NumpyArchive(bytes: bytes).arrays.first).region
      guard case .deflated(let length) = region.coding else {
        Issue.record("\(name) is not deflated")
        return
      }
      for _ in 0..<200 {
        var damaged = bytes
        let index = Int.random(in: region.offset..<region.offset + length, using: &generator)
        damaged[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        #expect(throws: TensorFileError.self) {
          // Bits after the end of the deflate stream's last byte may be padding.
          if let array = try NumpyArchive(bytes: damaged).arrays.first,
            try array.bytes() == NumpyArchive(bytes: bytes).arrays.first?.bytes()
          {
            throw TensorFileError(path: name, what: "padding")
          }
        }
      }
    }
  }

  /// The archive with one field of the directory's first record replaced.
  private func patched<Number: FixedWidthInteger>(
    _ bytes: [UInt8], _ number: Number, at offset: Int, locally local: Int? = nil
  ) -> [UInt8] {
    var result = bytes
    let directory = Int(littleEndian(UInt32.self, in: bytes, at: bytes.count - 6))
    for position in [directory + offset] + (local.map { [$0] } ?? []) {
      var field: [UInt8] = []
      append(number, to: &field)
      result.replaceSubrange(position..<position + field.count, with: field)
    }
    return result
  }

  @Test("lies about sizes are refused before memory is taken")
  func lies() throws {
    let bytes = try fixtureBytes("only.npz")
    func text(_ bytes: [UInt8]) -> String {
      refusal { _ = try NumpyArchive(bytes: bytes).arrays.first?.matrix() }
    }
    #expect(text(patched(bytes, UInt32(1 << 31), at: 24)).contains("claims to inflate"))
    #expect(text(patched(bytes, UInt32(3000), at: 24)).contains("takes 2560 bytes"))
    #expect(text(patched(bytes, UInt32(1 << 30), at: 20)).contains("are left"))
    #expect(text(patched(bytes, UInt32(20), at: 20)).contains("entry vectors.npy"))
    #expect(text(patched(bytes, UInt32(1 << 30), at: 42)).contains("outside of the archive"))
    #expect(text(patched(bytes, UInt32(1), at: 42)).contains("disagree"))
    #expect(text(patched(bytes, UInt16(1), at: 8)).contains("is encrypted"))
    #expect(text(patched(bytes, UInt16(12), at: 10)).contains("method 12"))
    #expect(text(patched(bytes, UInt16(0), at: 10)).contains("disagree"))
    #expect(text(patched(bytes, UInt32(1), at: 16)).contains("checksum"))
    let stored = try fixtureBytes("ambiguous.npz")
    #expect(text(patched(stored, UInt32(9999), at: 24)).contains("is stored, but claims"))
  }

  @Test("overlapping entries are refused")
  func overlap() throws {
    var archive = ZipWriter()
    let array = try NumpyFile.encode(Tensor([1.0]))
    try archive.add(name: "a.npy", content: array, path: "x")
    try archive.add(name: "a.npy", content: array, path: "x")
    let twice = try archive.finish(path: "x")
    #expect(refusal { _ = try NumpyArchive(bytes: twice) }.contains("entry a.npy: occurs twice"))

    // Two records that point to one entry.
    let body = Array(twice[..<(30 + 5 + array.count)])
    let start = 2 * body.count
    let record = Array(twice[start..<start + 46 + 5])
    var second = record
    second[46] = UInt8(ascii: "b")
    var bytes = body + record + second
    append(UInt32(0x0605_4b50), to: &bytes)
    append(UInt32(0), to: &bytes)
    append(UInt16(2), to: &bytes)
    append(UInt16(2), to: &bytes)
    append(UInt32(2 * record.count), to: &bytes)
    append(UInt32(body.count), to: &bytes)
    append(UInt16(0), to: &bytes)
    #expect(refusal { _ = try NumpyArchive(bytes: bytes) }.contains("overlaps"))
  }

  @Test("a ZIP64 directory is read, and refused where it points outside")
  func zip64() throws {
    let bytes = try fixtureBytes("only.npz")
    let end = bytes.count - 22
    let length = UInt64(littleEndian(UInt32.self, in: bytes, at: end + 12))
    let offset = UInt64(littleEndian(UInt32.self, in: bytes, at: end + 16))
    func archive(entries: UInt64, length: UInt64, offset: UInt64, record: UInt64) -> [UInt8] {
      var result = Array(bytes[..<end])
      append(UInt32(0x0606_4b50), to: &result)
      append(UInt64(44), to: &result)
      append(UInt32(45), to: &result)
      append(UInt64(0), to: &result)
      for number in [entries, entries, length, offset] { append(number, to: &result) }
      append(UInt32(0x0706_4b50), to: &result)
      append(UInt32(0), to: &result)
      append(record, to: &result)
      append(UInt32(1), to: &result)
      append(UInt32(0x0605_4b50), to: &result)
      append(UInt32(0), to: &result)
      append(UInt32.max, to: &result)
      append(UInt64.max, to: &result)
      append(UInt16(0), to: &result)
      return result
    }
    let place = UInt64(end)
    let good = archive(entries: 1, length: length, offset: offset, record: place)
    #expect(
      try NumpyArchive(bytes: good).array("vectors").map { try rows($0.matrix()) }
        == fixtureRows(40, 8))
    for bad in [
      archive(entries: 2, length: length, offset: offset, record: place),
      archive(entries: .max, length: length, offset: offset, record: place),
      archive(entries: 1, length: .max, offset: offset, record: place),
      archive(entries: 1, length: 1 << 62, offset: 1 << 62, record: place),
      archive(entries: 1, length: length, offset: .max, record: place),
      archive(entries: 1, length: length, offset: offset, record: .max),
      archive(entries: 1, length: length, offset: offset, record: place + 1),
    ] {
      #expect(refusal { _ = try NumpyArchive(bytes: bad) }.contains("zip directory"))
    }
  }
}
