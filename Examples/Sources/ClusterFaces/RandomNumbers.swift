/// SplitMix64: the same numbers on every machine.
struct RandomNumbers: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// A vector of values in −1…1.
  mutating func vector(_ columns: Int) -> [Float] {
    (0..<columns).map { _ in Float.random(in: -1...1, using: &self) }
  }

  /// Vectors around a centre, as the faces of one person are.
  mutating func faces(_ count: Int, around centre: [Float], spread: Float) -> [[Float]] {
    (0..<count).map { _ in
      zip(centre, vector(centre.count)).map { $0 + spread * $1 }
    }
  }
}
