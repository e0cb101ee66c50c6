import Foundation
import Vectors

/// Embeddings that are distributed like faces: n unit vectors with known identities.
///
/// Identities follow a power law, 60 % of them have a single face, and 15 % of the faces are
/// outliers, farther from everybody. Cosine distances within an identity are about 0.18 / 0.34 / 0.61
/// at 1 / 50 / 99 %, between identities about 0.7 / 0.9 / 1.1: what face models give on real photos.
public struct SyntheticFaces: Sendable {
  /// n × d, rows of length 1.
  public let embeddings: Matrix<Float>
  /// Identity of each row; every outlier has one of its own.
  public let identities: [Int]

  /// Makes faces; the same arguments give the same faces.
  ///
  /// - Complexity: O(n · d).
  public init(count: Int, dimensions: Int, seed: UInt64 = 1) {
    var random = RandomNumbers(seed: seed)
    let space = Space(dimensions: dimensions, random: &random)
    var identities: [Int] = []
    var spreads: [Double] = []
    var identity = 0
    while identities.count < count {
      let isOutlier = random.uniform() < 0.15
      let size = isOutlier ? 1 : Self.identitySize(&random)
      for _ in 0..<min(size, count - identities.count) {
        identities.append(identity)
        spreads.append((isOutlier ? 1.2 : 0.5) * exp(0.55 * random.normal()))
      }
      identity += 1
    }
    let centres = (0..<identity).map { _ in space.centre(&random) }
    let order = Self.shuffled(count, &random)
    self.identities = order.map { identities[$0] }
    embeddings = Matrix(rows: count, columns: dimensions) { storage, stride in
      for (row, source) in order.enumerated() {
        let face = space.face(
          around: centres[identities[source]], spread: spreads[source], &random)
        for column in 0..<dimensions { storage[row * stride + column] = Float(face[column]) }
      }
    }
  }

  /// 1 in 60 of 100 cases, else 2 … 400 with density falling as the square.
  private static func identitySize(_ random: inout RandomNumbers) -> Int {
    guard random.uniform() >= 0.6 else { return 1 }
    return min(Int(2 / (1 - random.uniform())), 400)
  }

  /// Fisher and Yates.
  private static func shuffled(_ count: Int, _ random: inout RandomNumbers) -> [Int] {
    var order = Array(0..<count)
    for last in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(last, Int(random.next() % UInt64(last + 1)))
    }
    return order
  }
}

/// The space in which the faces lie: a mean face and a decaying spectrum, as real models have.
private struct Space {
  private let scales: [Double]
  private let mean: [Double]

  init(dimensions: Int, random: inout RandomNumbers) {
    let raw = (0..<dimensions).map { exp(-Double($0) / 150) }
    let norm = raw.reduce(0) { $0 + $1 * $1 }.squareRoot()
    scales = raw.map { $0 / norm }
    mean = Self.unit((0..<dimensions).map { _ in random.normal() })
  }

  /// A person: similarity 0.16 to any other in the mean.
  func centre(_ random: inout RandomNumbers) -> [Double] {
    let own = Self.unit(noise(&random))
    return Self.unit(zip(mean, own).map { 0.4 * $0 + 0.9165 * $1 })
  }

  /// A photo of a person; `spread` is the squared length of what differs.
  func face(
    around centre: [Double], spread: Double, _ random: inout RandomNumbers
  ) -> [Double] {
    let noise = Self.unit(noise(&random))
    let length = spread.squareRoot()
    return Self.unit(zip(centre, noise).map { $0 + length * $1 })
  }

  private func noise(_ random: inout RandomNumbers) -> [Double] {
    scales.map { $0 * random.normal() }
  }

  private static func unit(_ vector: [Double]) -> [Double] {
    let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return vector.map { $0 / norm }
  }
}
