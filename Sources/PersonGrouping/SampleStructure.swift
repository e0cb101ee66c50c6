internal import Vectors

/// What the pairs of a sample say together that each alone does not.
///
/// No affine map of similarities changes ``typicalShare``.
extension SimilaritySample {
  /// Two parts of a sample that are unlike each other.
  struct Parts {
    /// Mean similarity of two faces of one part, over both parts alike.
    let within: Double
    /// Mean similarity of a face of the one and a face of the other.
    let across: Double
    /// Pairs behind ``across``.
    let pairs: Int
  }

  /// Share of the spread of similarities that comes from some faces being more like all others.
  ///
  /// Photos of one person are better or worse ones, and a good one is more like all of them: the share is
  /// 0.3–0.95. Strangers are alike by chance: at most 0.12. Of few pairs it is less: 50 say that it is none.
  ///
  /// - Complexity: O(m²) for m faces.
  var typicalShare: Double {
    let count = Double(rows.count)
    if rows.count < 4 { return 0 }
    let variance = Self.variance(similarities.map(Double.init))
    if variance <= 0 { return 0 }
    let typical = Self.variance(
      times([Double](repeating: 1, count: rows.count)).map { $0 / (count - 1) })
    let correction = (count - 1) / (count - 2)
    let share = max(2 * (typical * correction * correction / variance - 1 / (count - 1)), 0)
    let pairs = Double(similarities.count)
    return share * pairs / (pairs + 50)
  }

  /// The sample in two parts, as different as they get from two starts; nil where one is a single face.
  ///
  /// Two-means on similarities, once from the most typical face and the one least like it, and once from the
  /// sides of the direction in which faces differ most, which is where two-means ends but for rounding
  /// faces to parts (Ding and He 2004, doi:10.1145/1015330.1015408).
  ///
  /// - Complexity: O(m²) for m faces a round.
  func parts() -> Parts? {
    let all = times([Double](repeating: 1, count: rows.count))
    guard let typical = all.indices.max(by: { (all[$0], $1) < (all[$1], $0) }),
      let far = all.indices.min(by: { similarity($0, typical) < similarity($1, typical) })
    else { return nil }
    let nearFar = all.indices.map { similarity($0, typical) < similarity($0, far) }
    let component = mainDirection(from: far)
    return [nearFar, component.map { $0 < 0 }].compactMap { parts(from: $0) }
      .max { $0.within - $0.across < $1.within - $1.across }
  }

  private static let rounds = 30

  /// The first principal component of the faces, by power iteration on their centred similarities.
  private func mainDirection(from face: Int) -> [Double] {
    let count = Double(rows.count)
    var direction = rows.indices.map { Double(similarity($0, face)) }
    for _ in 0..<Self.rounds {
      let mean = direction.reduce(0, +) / count
      direction = times(direction.map { $0 - mean })
      let length = direction.reduce(0) { $0 + $1 * $1 }.squareRoot()
      if length <= 0 { break }
      direction = direction.map { $0 / length }
    }
    let mean = direction.reduce(0, +) / count
    return direction.map { $0 - mean }
  }

  private func parts(from start: [Bool]) -> Parts? {
    let count = rows.count
    var isSecond = start
    for round in 0...Self.rounds {
      let size = isSecond.count { $0 }
      if size < 2 || count - size < 2 { return nil }
      let toSecond = times(isSecond.map { $0 ? 1 : 0 })
      let toFirst = times(isSecond.map { $0 ? 0 : 1 })
      let next = (0..<count).map { face in
        toSecond[face] / Double(isSecond[face] ? size - 1 : size)
          > toFirst[face] / Double(isSecond[face] ? count - size : count - size - 1)
      }
      if next != isSecond, round < Self.rounds {
        isSecond = next
        continue
      }
      var (inSecond, inFirst, across) = (0.0, 0.0, 0.0)
      for face in 0..<count {
        if isSecond[face] { inSecond += toSecond[face] } else { inFirst += toFirst[face] }
        if isSecond[face] { across += toFirst[face] }
      }
      let (a, b) = (Double(count - size), Double(size))
      return Parts(
        within: (inFirst / (a * (a - 1)) + inSecond / (b * (b - 1))) / 2, across: across / (a * b),
        pairs: size * (count - size))
    }
    return nil
  }

  /// Similarity of two faces by their place in the sample; of a face with itself 1.
  private func similarity(_ first: Int, _ second: Int) -> Float {
    if first == second { return 1 }
    let (low, high) = (min(first, second), max(first, second))
    return similarities[low * (2 * rows.count - low - 1) / 2 + high - low - 1]
  }

  /// For every face the sum of its similarities to the others, each with its weight.
  private func times(_ weights: [Double]) -> [Double] {
    var sums = [Double](repeating: 0, count: rows.count)
    var index = 0
    for first in rows.indices {
      for second in rows.indices.dropFirst(first + 1) {
        let similarity = Double(similarities[index])
        sums[first] += weights[second] * similarity
        sums[second] += weights[first] * similarity
        index += 1
      }
    }
    return sums
  }

  private static func variance(_ values: [Double]) -> Double {
    let count = Double(max(values.count, 1))
    let mean = values.reduce(0, +) / count
    return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
  }
}
