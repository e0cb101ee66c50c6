import Vectors

/// Faces of made people: a direction each, and photos about it in all directions, better and worse ones.
struct MadePeople {
  private(set) var rows: [[Float]] = []
  private(set) var identities: [Int] = []
  private var random: SplitMix64
  private let columns: Int
  private let similarity: Float
  private let spread: Float

  /// - Parameters:
  ///   - columns: length of a vector.
  ///   - similarity: of two usual photos of one person.
  ///   - spread: deviation of the logarithm of how far photos lie from the person.
  init(seed: UInt64, columns: Int = 128, similarity: Float = 0.55, spread: Float = 0.25) {
    random = SplitMix64(state: seed)
    self.columns = columns
    self.similarity = similarity
    self.spread = spread
  }

  var embeddings: Matrix<Float> { Matrix(rows) }

  /// A direction that is nobody's yet.
  mutating func direction() -> [Float] { unit((0..<columns).map { _ in normal() }) }

  /// A person who has this share in common with a family.
  mutating func relative(of family: [Float], share: Float) -> [Float] {
    let own = direction()
    let across = zip(own, family).reduce(0) { $0 + $1.0 * $1.1 }
    let apart = unit(zip(own, family).map { $0 - across * $1 })
    return zip(family, apart).map { share.squareRoot() * $0 + (1 - share).squareRoot() * $1 }
  }

  /// Adds photos of somebody new.
  mutating func add(photos: Int, of person: [Float]? = nil) {
    let (person, identity) = (person ?? direction(), (identities.last ?? -1) + 1)
    for _ in 0..<photos {
      var quality: Float = 1
      for _ in 0..<8 { quality *= 1 + spread * normal() / Float(8).squareRoot() }
      let length = ((1 - similarity) / similarity / Float(columns)).squareRoot() * abs(quality)
      rows.append(unit(person.map { $0 + length * normal() }))
      identities.append(identity)
    }
  }

  /// About normal: the sum of twelve uniform numbers less 6.
  private mutating func normal() -> Float {
    var sum: Float = -6
    for _ in 0..<12 { sum += Float.random(in: 0..<1, using: &random) }
    return sum
  }

  private func unit(_ vector: [Float]) -> [Float] {
    let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return vector.map { $0 / length }
  }
}
