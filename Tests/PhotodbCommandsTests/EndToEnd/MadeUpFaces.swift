import Vectors

/// Faces that nobody has.
enum MadeUpFaces {
  /// Faces of made-up people: tight around directions that are far from each other.
  static func people(count: Int, each: Int, seed: UInt64 = 7) -> Matrix<Float> {
    var directions = SplitMix(state: 1)
    let centres = (0..<count).map { _ in (0..<128).map { _ in directions.next(in: -1...1) } }
    var noise = SplitMix(state: seed)
    return Matrix(
      centres.flatMap { centre in
        (0..<each).map { _ in centre.map { $0 + 0.3 * noise.next(in: -1...1) } }
      })
  }
}

/// A small seeded generator, the same everywhere (Steele, Lea, Flood 2014, doi:10.1145/2660193.2660195).
private struct SplitMix {
  var state: UInt64

  mutating func next(in range: ClosedRange<Float>) -> Float {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    z ^= z >> 31
    return range.lowerBound
      + (range.upperBound - range.lowerBound) * Float(z >> 40) / Float(1 << 24)
  }
}
