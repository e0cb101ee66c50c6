internal import HDBSCAN
internal import Store
internal import Vectors

/// One member of a cluster: a row of one of the matrices at hand.
struct Member {
  var detectionID: Int64
  var embeddings: Matrix<Float>
  var row: Int
  var isCore: Bool
}

/// What follows about a cluster from its members.
enum MemberFacts {
  /// The sum of the members' vectors, in the order given.
  ///
  /// - Complexity: O(m · d).
  static func sum(_ members: [Member], dimension: Int) -> [Double] {
    guard let stride = members.first?.embeddings.stride else {
      return [Double](repeating: 0, count: dimension)
    }
    var sum = [Double](repeating: 0, count: stride)
    for member in members { member.embeddings.add(row: member.row, weight: 1, to: &sum) }
    sum.removeLast(stride - dimension)
    return sum
  }

  /// The member that is nearest to all others by summed cosine distance; nil without members.
  ///
  /// - Complexity: O(m · d).
  static func medoid(of members: [Member], dimension: Int) -> Int64? {
    let sum = sum(members, dimension: dimension)
    return members.max {
      (product($0, sum), -$0.detectionID) < (product($1, sum), -$1.detectionID)
    }?
    .detectionID
  }

  private static func product(_ member: Member, _ sum: [Double]) -> Double {
    sum.withUnsafeBufferPointer { sum in
      let vector = member.embeddings.row(member.row)
      var product = 0.0
      for column in 0..<sum.count { product += Double(vector[column]) * sum[column] }
      return product
    }
  }

  /// Facts of a cluster with at least one member.
  ///
  /// The medoid is the true one: among unit vectors the summed cosine distance to all members is
  /// m − x·S, so the member with the largest product with the sum S is nearest to all.
  ///
  /// - Parameter epsilon: nil lets the widest member set it.
  /// - Complexity: O(m · d + m log m).
  static func facts(
    of members: [Member], dimension: Int, epsilon: CosineDistance, lambdaBirth: Double?,
    persistence: Double?, origin: String
  ) -> ClusterFacts {
    let sum = sum(members, dimension: dimension)
    let norm = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
    var best: (product: Double, id: Int64)?
    var distances: [Float] = []
    distances.reserveCapacity(members.count)
    for member in members {
      let product = product(member, sum)
      if best.map({ (product, -member.detectionID) > ($0.product, -$0.id) }) ?? true {
        best = (product, member.detectionID)
      }
      distances.append(norm > 0 ? Float(max(0, 1 - product / norm)) : 1)
    }
    distances.sort()
    return ClusterFacts(
      faceCount: members.count, coreCount: members.count { $0.isCore }, sum: sum,
      reference: sum.map { norm > 0 ? Float($0 / norm) : 0 },
      medoidDetectionID: best?.id, epsilon: epsilon,
      distanceQuantiles: quantiles.map { quantile($0, of: distances) },
      lambdaBirth: lambdaBirth.map(Float.init), persistence: persistence.map(Float.init),
      origin: origin)
  }

  /// The shares at which distances to the centroid are kept.
  static let quantiles = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99]

  private static func quantile(_ share: Double, of sorted: [Float]) -> Float {
    sorted[Int((share * Double(sorted.count - 1)).rounded())]
  }
}
