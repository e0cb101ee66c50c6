/// One edge of the minimum spanning tree of the mutual-reachability graph.
public struct WeightedEdge: Sendable, Equatable {
  /// The smaller point index.
  public var a: Int
  /// The larger point index.
  public var b: Int
  /// Mutual-reachability distance, finite and not negative.
  public var weight: Double

  /// An edge between two points, whose indices are put in order.
  public init(_ a: Int, _ b: Int, weight: Double) {
    self.a = min(a, b)
    self.b = max(a, b)
    self.weight = weight
  }
}

/// What the geometric half of the algorithm hands to the hierarchical half.
///
/// This is the seam: any way to find neighbours and the tree that fills this value is a backend.
struct MutualReachabilityTree: Sendable {
  /// Core distance of every point, length n, in the distance of the metric.
  var coreDistances: [Double]
  /// The n − 1 edges of a minimum spanning tree, sorted by (weight, a, b).
  var edges: [WeightedEdge]
  /// The neighbours that were found on the way, where they were.
  var neighbours: NeighbourGraph?
}
