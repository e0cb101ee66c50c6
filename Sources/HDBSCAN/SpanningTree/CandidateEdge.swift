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

extension [CandidateEdge] {
  /// Ascending by (weight, a, b).
  ///
  /// Weights lie close to each other and smoothly, so edges are first dealt into as many equal steps of
  /// weight as there are edges: few of one step are left to be sorted.
  ///
  /// - Complexity: O(m log m) for m edges, O(m) where weights are spread evenly.
  func inOrder() -> [CandidateEdge] {
    let least = reduce(Double.infinity) { Swift.min($0, $1.weight) }
    let most = reduce(-Double.infinity) { Swift.max($0, $1.weight) }
    let steps = Double(count) / (most - least)
    guard count > 64, steps.isFinite, steps > 0 else { return sorted() }
    func step(_ edge: CandidateEdge) -> Int { Int((edge.weight - least) * steps) }
    var ends = [Int32](repeating: 0, count: count + 1)
    for edge in self { ends[step(edge)] += 1 }
    for step in 1...count { ends[step] += ends[step - 1] }
    return [CandidateEdge](unsafeUninitializedCapacity: count) { result, initialized in
      guard let target = result.baseAddress else { return }
      // Each end moves down to the start of its step.
      for edge in self {
        let step = step(edge)
        ends[step] -= 1
        (target + Int(ends[step])).initialize(to: edge)
      }
      initialized = count
      for step in 0...count {
        let end = step < count ? Int(ends[step + 1]) : count
        if end - Int(ends[step]) > 1 { result[Int(ends[step])..<end].sort() }
      }
    }
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
