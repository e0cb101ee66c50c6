internal import Vectors

/// An edge between rows while the tree is being built: 16 bytes, ordered by (weight, a, b).
struct CandidateEdge: Comparable, Sendable {
  var weight: Double
  /// The smaller row.
  var a: Int32
  /// The larger row.
  var b: Int32

  init(_ first: Int, _ second: Int, weight: Double) {
    a = Int32(min(first, second))
    b = Int32(max(first, second))
    self.weight = weight
  }

  static func < (left: CandidateEdge, right: CandidateEdge) -> Bool {
    if left.weight != right.weight { return left.weight < right.weight }
    return (left.a, left.b) < (right.a, right.b)
  }
}

/// Mutual reachability of distinct rows: max(core a, core b, distance / alpha).
struct MutualReachability<Scalar: ExactScalar> {
  let rows: DistinctRows<Scalar>
  let coreDistances: [Double]
  let alpha: Double

  func weight(_ first: Int, _ second: Int, square: Double) -> Double {
    max(coreDistances[first], coreDistances[second], square.squareRoot() / alpha)
  }

  func weight(_ first: Int, _ second: Int) -> Double {
    weight(first, second, square: rows.squaredDistance(first, second))
  }

  func squaredLimit(weight: Double) -> Double {
    squaredDistanceLimit(weight: weight, alpha: alpha)
  }
}

/// Square of a distance that no pair of at most this weight exceeds.
///
/// The slack covers the roundings of root, quotient and product.
func squaredDistanceLimit(weight: Double, alpha: Double) -> Double {
  let distance = weight * alpha * (1 + 0x1p-48)
  return distance * distance
}
