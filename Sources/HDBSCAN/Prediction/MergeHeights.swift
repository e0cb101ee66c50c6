internal import Glibc

/// Where something hangs in the condensed tree.
struct TreePlace: Sendable, Equatable {
  /// Id of the cluster.
  var cluster: Int
  /// Lambda at which it leaves that cluster.
  var lambda: Double
}

/// At which lambda a place in the tree and each label's cluster part, and what follows from it.
///
/// Keeps the answer for the last cluster asked for, so places should come grouped by cluster.
struct MergeHeights {
  private let placement: Placement
  private var cluster = -1
  /// For each label the lambda of the split; nil where one of the two clusters holds the other.
  private var splits: [Double?] = []

  init(_ placement: Placement) { self.placement = placement }

  /// The vector of soft memberships; see ``PredictionModel/memberships(of:exemplars:threads:)``.
  ///
  /// - Parameter distances: to the nearest exemplar of each label.
  /// - Complexity: O(labels), and O(clusters) where the cluster is another than before.
  mutating func memberships(at place: TreePlace, distances: [Double]) -> [Double] {
    if place.cluster != cluster { find(place.cluster) }
    let death = placement.deaths[cluster - placement.pointCount]
    let heights = splits.map { $0 ?? min(place.lambda, death) }
    let byTree = shares(
      ofExponents: heights.map { height in
        death == .infinity
          ? (height == .infinity ? .infinity : 1)
          : height < death ? death / (death - height) : .infinity
      })
    let byDistance = ratiosToLeast(distances)
    var values = zip(byTree, byDistance).map { $0 * $1 }
    var sum = values.reduce(0, +)
    if sum == 0 {
      values = byTree
      sum = values.reduce(0, +)
    }
    let total = probabilityOfAny(heights)
    return values.map { $0 / sum * total }
  }

  /// The probability, as for members, in the label that the place is nearest to in the tree.
  private func probabilityOfAny(_ heights: [Double]) -> Double {
    guard let height = heights.max(), let label = heights.firstIndex(of: height) else { return 0 }
    let death = placement.deaths[placement.selected[label] - placement.pointCount]
    if death == 0 || death == .infinity || height == .infinity { return 1 }
    return min(height, death) / death
  }

  /// exp(x) over the greatest; where some are infinite, those share the whole.
  private func shares(ofExponents exponents: [Double]) -> [Double] {
    let largest = exponents.max() ?? 0
    return exponents.map { $0 == largest ? 1 : exp($0 - largest) }
  }

  /// Least distance over each distance, 0…1: 1/d without overflow.
  private func ratiosToLeast(_ distances: [Double]) -> [Double] {
    let least = distances.min() ?? 0
    return distances.map { $0 == least ? 1 : least / $0 }
  }

  private mutating func find(_ target: Int) {
    cluster = target
    let count = placement.births.count
    var onPath = [Bool](repeating: false, count: count)
    var position = target - placement.pointCount
    while position >= 0 {
      onPath[position] = true
      position = placement.parents[position] - placement.pointCount
    }
    // From the root down: what leaves the path parts there; what is below the end of it does not.
    var found = [Double?](repeating: nil, count: count)
    for position in 0..<count where !onPath[position] {
      let parent = placement.parents[position] - placement.pointCount
      let partsHere = onPath[parent] && parent != target - placement.pointCount
      found[position] = partsHere ? placement.births[position] : found[parent]
    }
    splits = placement.selected.map { found[$0 - placement.pointCount] }
  }
}
