/// The condensed tree of Campello, Moulavi and Sander (2013): clusters, and when points leave them.
///
/// Rows are stored column-wise. A row says: at density `lambdas[r]` (1/distance) the thing
/// `children[r]` of `sizes[r]` points leaves the cluster `parents[r]`. Children below `pointCount`
/// are points; the others are clusters. Cluster ids start at `pointCount` (the root) and are given
/// in breadth-first order, siblings by their smallest point. Rows are ordered by parent; under one
/// parent by lambda, then clusters before points, then child.
public struct CondensedTree: Sendable, Equatable {
  /// Number of points, n; also the id of the root.
  public let pointCount: Int
  /// Cluster that each row's child leaves.
  public let parents: [Int]
  /// Point or cluster that leaves.
  public let children: [Int]
  /// Density 1/distance at which the child leaves; infinite at distance 0.
  public let lambdas: [Double]
  /// Points below the child (sums of weights where points are weighted).
  public let sizes: [Int]

  /// Makes a tree from its columns, which must have equal lengths and follow the order above.
  public init(
    pointCount: Int, parents: [Int], children: [Int], lambdas: [Double], sizes: [Int]
  ) {
    precondition(
      parents.count == children.count && parents.count == lambdas.count
        && parents.count == sizes.count, "the columns of a condensed tree have equal lengths")
    self.pointCount = pointCount
    self.parents = parents
    self.children = children
    self.lambdas = lambdas
    self.sizes = sizes
  }
}
