import Vectors

/// Makes damaged copies of good files.
struct Mutator {
  private var random: SplitMix64

  init(seed: UInt64) { random = SplitMix64(state: seed) }

  /// A copy with one to four changes, some of them with bytes of another file.
  mutating func mutate(_ bytes: [UInt8], other: [UInt8]) -> [UInt8] {
    var result = bytes
    for _ in 0..<Int.random(in: 1...4, using: &self) where !result.isEmpty {
      let index = Int.random(in: 0..<result.count, using: &self)
      let end = min(result.count, index + Int.random(in: 1...16, using: &self))
      switch Int.random(in: 0..<10, using: &self) {
      case 0: result[index] ^= 1 << UInt8.random(in: 0..<8, using: &self)
      case 1: result[index] = [0, 0x7F, 0x80, 0xFF].randomElement(using: &self) ?? 0
      case 2: result.removeSubrange(index..<end)
      case 3: result.insert(contentsOf: Array(result[index..<end]), at: index)
      case 4: result[index] = UInt8.random(in: 0...255, using: &self)
      case 5: for place in index..<end { result[place] = 0xFF }
      case 6: result.removeLast(result.count - index)
      case 7: overwrite(&result, at: index / 8 * 8)
      case 8: replaceNumber(&result, from: index)
      default:
        guard !other.isEmpty else { continue }
        let start = Int.random(in: 0..<other.count, using: &self)
        result.replaceSubrange(index..<end, with: other[start..<min(other.count, start + 32)])
      }
    }
    return result
  }

  /// Puts a number that is at the edge of something.
  private mutating func overwrite(_ bytes: inout [UInt8], at index: Int) {
    let integers: [Int64] = [.min, .max, -1, 0, 1, 1 << 31, 1 << 32, 1 << 40, 7, 25, 26, 49, 50]
    let doubles = [
      Double.nan, -.nan, .infinity, -.infinity, -1, 1e308, .leastNonzeroMagnitude, 0.5,
    ]
    let bits =
      Bool.random(using: &self)
      ? UInt64(bitPattern: integers.randomElement(using: &self) ?? 0)
      : (doubles.randomElement(using: &self) ?? 0).bitPattern
    for place in 0..<8 where index + place < bytes.count {
      bytes[index + place] = UInt8(truncatingIfNeeded: bits >> (8 * UInt64(place)))
    }
  }

  /// Puts another number where the text has one.
  private mutating func replaceNumber(_ bytes: inout [UInt8], from index: Int) {
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    guard let first = bytes[index...].firstIndex(where: digits.contains) else { return }
    let end = bytes[first...].firstIndex { !digits.contains($0) } ?? bytes.count
    let numbers = [
      "0", "-1", "1e999", "99999999999999999999", "9223372036854775807", "4294967296", "1.5",
      "null",
      "\"", "[[[[[[[[",
    ]
    bytes.replaceSubrange(
      first..<end, with: Array((numbers.randomElement(using: &self) ?? "").utf8))
  }
}

extension Mutator: RandomNumberGenerator {
  mutating func next() -> UInt64 { random.next() }
}
