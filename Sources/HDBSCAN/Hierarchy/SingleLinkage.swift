/// The single-linkage hierarchy over the mutual-reachability graph, with n-ary nodes.
///
/// Ids below `pointCount` are points; id `pointCount + i` is merge i. Merges are in ascending order
/// of distance, so a parent's id is above its children's and every pass over the tree is a loop.
/// With simultaneous ties all edges of one weight that touch each other are one node with two or
/// more children (Campello, Moulavi and Sander 2013, doi:10.1007/978-3-642-37456-2_14, remove equal
/// edges at once); with ordered ties every edge is a node of its own.
public struct SingleLinkage: Sendable, Equatable {
  /// Number of points, n.
  public let pointCount: Int
  /// Mutual-reachability distance of each merge, ascending.
  public let distances: [Double]
  /// Points below each id (sums of weights where points are weighted).
  public let sizes: [Int]
  /// The smallest point below each id.
  public let smallestPoints: [Int]
  /// The points so ordered that those below any id are neighbours.
  public let leafOrder: [Int]

  /// The children of merge i are `childIDs[childOffsets[i]..<childOffsets[i + 1]]`.
  let childOffsets: [Int]
  let childIDs: [Int]
  /// The points below an id are `leafOrder[leafStarts[id]..<leafStarts[id] + leafCounts[id]]`.
  let leafStarts: [Int]
  let leafCounts: [Int]

  /// Builds the hierarchy from a spanning tree.
  ///
  /// - Parameters:
  ///   - edges: n − 1 edges of a spanning tree, sorted by (weight, a, b).
  ///   - pointCount: n; at least 0.
  ///   - weights: points that each point stands for, at least 1; nil means 1 each.
  ///   - ties: whether edges of equal weight merge at once.
  /// - Complexity: O(n log n) when all edges tie, else O(n α(n)).
  public init(
    edges: [WeightedEdge], pointCount: Int, weights: [Int]? = nil,
    ties: Parameters.Ties = .simultaneous
  ) {
    precondition(
      edges.count == max(pointCount - 1, 0),
      "a spanning tree of \(pointCount) points has \(max(pointCount - 1, 0)) edges")
    precondition(weights.map { $0.count == pointCount } ?? true, "one weight for each point")
    var builder = SingleLinkageBuilder(pointCount: pointCount, weights: weights)
    var start = 0
    while start < edges.count {
      var end = start + 1
      if ties == .simultaneous {
        while end < edges.count && edges[end].weight == edges[start].weight { end += 1 }
      }
      builder.merge(edges[start..<end])
      start = end
    }
    precondition(
      pointCount == 0 || builder.leafCounts.last == pointCount, "the edges do not span all points")
    self.pointCount = pointCount
    distances = builder.distances
    sizes = builder.sizes
    smallestPoints = builder.smallestPoints
    childOffsets = builder.childOffsets
    childIDs = builder.childIDs
    leafCounts = builder.leafCounts
    (leafStarts, leafOrder) = builder.leafLayout()
  }

  /// Id of the node above all points; nil for no points.
  public var root: Int? { pointCount == 0 ? nil : pointCount + distances.count - 1 }

  /// The children of a merge, ascending by their smallest point.
  ///
  /// - Parameter node: id of a merge, at least `pointCount`.
  /// - Complexity: O(1).
  public func children(of node: Int) -> ArraySlice<Int> {
    let merge = node - pointCount
    return childIDs[childOffsets[merge]..<childOffsets[merge + 1]]
  }

  /// The points at or below an id, in no particular order.
  ///
  /// - Parameter node: id of a point or a merge.
  /// - Complexity: O(1).
  public func points(below node: Int) -> ArraySlice<Int> {
    leafOrder[leafStarts[node]..<leafStarts[node] + leafCounts[node]]
  }
}
