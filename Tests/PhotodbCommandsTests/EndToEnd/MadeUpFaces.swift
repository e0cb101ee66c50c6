import Vectors

/// Faces that nobody has.
enum MadeUpFaces {
  /// Faces of made-up people: tight around directions that are far from each other.
  static func people(count: Int, each: Int, seed: UInt64 = 7) -> Matrix<Float> {
    var directions = SplitMix64(state: 1)
    let centres = (0..<count).map { _ in (0..<128).map { _ in directions.next(in: -1...1) } }
    var noise = SplitMix64(state: seed)
    return Matrix(
      centres.flatMap { centre in
        (0..<each).map { _ in centre.map { $0 + 0.3 * noise.next(in: -1...1) } }
      })
  }
}

extension SplitMix64 {
  fileprivate mutating func next(in range: ClosedRange<Float>) -> Float {
    range.lowerBound
      + (range.upperBound - range.lowerBound) * Float(next() >> 40) / Float(1 << 24)
  }
}
