import Testing

@testable import TensorFiles

/// Damaged copies of good files: whatever a reader makes of them, it neither crashes nor takes
/// more memory than its limit.
@Suite("mutated files")
struct MutationTests {
  /// Flips bits, replaces, removes, repeats and inserts runs of bytes.
  private func mutate(_ bytes: [UInt8], _ generator: inout SplitMix) -> [UInt8] {
    var result = bytes
    for _ in 0..<Int.random(in: 1...4, using: &generator) where !result.isEmpty {
      let index = Int.random(in: 0..<result.count, using: &generator)
      let end = min(result.count, index + Int.random(in: 1...16, using: &generator))
      switch Int.random(in: 0..<6, using: &generator) {
      case 0: result[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      case 1: result[index] = [0, 0x7F, 0x80, 0xFF].randomElement(using: &generator) ?? 0
      case 2: result.removeSubrange(index..<end)
      case 3: result.insert(contentsOf: Array(result[index..<end]), at: index)
      case 4: result[index] = UInt8.random(in: 0...255, using: &generator)
      default: for place in index..<end { result[place] = 0xFF }
      }
    }
    return result
  }

  private let limit = 1 << 22

  private func readAll(_ arrays: [StoredArray]) throws {
    for array in arrays {
      if array.elementType.isInteger {
        _ = try array.integers()
      } else {
        _ = try array.doubles()
        if array.shape.count == 2 { _ = try array.matrix() }
      }
    }
  }

  private func check(
    _ names: [String], seed: UInt64, rounds: Int, read: ([UInt8]) throws -> Void
  ) throws {
    var generator = SplitMix(state: seed)
    var refused = 0
    for name in names {
      let bytes = try fixtureBytes(name)
      try read(bytes)
      for _ in 0..<rounds {
        do {
          try read(mutate(bytes, &generator))
        } catch let error as TensorFileError {
          refused += 1
          #expect(!error.description.contains { $0.isNewline })
        }
      }
    }
    // Most damage must be found: silence would mean that nothing is checked.
    #expect(refused > names.count * rounds / 4)
  }

  @Test("safetensors")
  func safetensors() throws {
    try check(["python.safetensors", "bfloat16.safetensors"], seed: 1, rounds: 10_000) {
      try readAll(SafetensorsFile(bytes: $0, limit: limit).arrays)
    }
  }

  @Test("npy")
  func npy() throws {
    try check(["float32.npy", "float64.npy", "float16.npy"], seed: 2, rounds: 10_000) {
      try readAll([NumpyFile(bytes: $0, limit: limit).array])
    }
  }

  @Test("npz")
  func npz() throws {
    try check(["stored.npz", "deflated.npz", "only.npz"], seed: 3, rounds: 5_000) {
      let archive = try NumpyArchive(bytes: $0, limit: limit)
      try readAll(archive.arrays)
      for name in ["external_id", "names"] { _ = try archive.strings(name) }
    }
  }

  @Test("jsonl")
  func jsonl() throws {
    let line = Array(
      (#"{"photo":"é\u00e9","external_id":17,"embedding":[0.1,-2,3e1],"bbox":[1,2,3,4],"#
        + #""confidence":0.7,"taken_at":"2024-05-31T18:04:09+02:00","x":{"a":[1,{"b":null}]}}"#)
        .utf8)
    var generator = SplitMix(state: 4)
    var refused = 0
    for _ in 0..<20_000 {
      do {
        let row = try DetectionLine(line: 1, json: mutate(line, &generator))
        #expect(row.embedding.allSatisfy { $0.isFinite })
      } catch is JSONProblem {
        refused += 1
      }
    }
    #expect(refused > 5_000)
  }

  @Test("csv")
  func csv() throws {
    try withFolder { folder in
      try check(["plain.csv", "header.csv"], seed: 5, rounds: 500) {
        try AtomicFile.write($0, to: folder + "/x.csv")
        _ = try readMatrix(path: folder + "/x.csv", limit: limit)
      }
    }
  }
}
