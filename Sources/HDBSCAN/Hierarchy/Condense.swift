extension CondensedTree {
  /// Condenses a single-linkage hierarchy: groups below the minimum size fall out as points.
  ///
  /// From the root down, a child of at least `minClusterSize` points is large. Two or more large
  /// children are new clusters; one large child goes on under its parent's id; everything else
  /// falls out of the parent, point by point, at the node's lambda = 1/distance.
  ///
  /// A point of weight w stands for w copies of itself. Copies are as far apart as their core
  /// distance says, so a heavy point is a group of its own that comes apart at its core distance.
  ///
  /// - Parameters:
  ///   - linkage: the hierarchy, whose sizes may be sums of weights.
  ///   - minClusterSize: smallest group (in weight) that is a cluster, at least 2.
  ///   - coreDistances: of every point; only read for points of weight above 1.
  /// - Complexity: O(n log n), the sorting of rows with equal lambda.
  public init(condensing linkage: SingleLinkage, minClusterSize: Int, coreDistances: [Double]) {
    precondition(minClusterSize >= 2, "a cluster has at least two points")
    var condenser = Condenser(
      linkage: linkage, minClusterSize: minClusterSize, coreDistances: coreDistances)
    condenser.run()
    self.init(
      pointCount: linkage.pointCount, parents: condenser.parents, children: condenser.children,
      lambdas: condenser.lambdas, sizes: condenser.sizes)
  }
}

/// Density at which things at a mutual-reachability distance come apart; infinite at 0.
func density(atDistance distance: Double) -> Double { distance > 0 ? 1 / distance : .infinity }

/// Walks the hierarchy once, cluster by cluster in breadth-first order, and writes the rows.
private struct Condenser {
  let linkage: SingleLinkage
  let minClusterSize: Int
  let coreDistances: [Double]
  var parents: [Int] = []
  var children: [Int] = []
  var lambdas: [Double] = []
  var sizes: [Int] = []
  /// Hierarchy node at which each cluster begins; cluster id minus n is the position.
  private var starts: [Int] = []

  init(linkage: SingleLinkage, minClusterSize: Int, coreDistances: [Double]) {
    self.linkage = linkage
    self.minClusterSize = minClusterSize
    self.coreDistances = coreDistances
  }

  mutating func run() {
    guard let root = linkage.root else { return }
    starts.append(root)
    var position = 0
    while position < starts.count {
      let first = parents.count
      follow(cluster: linkage.pointCount + position, from: starts[position])
      sortTies(from: first)
      position += 1
    }
  }

  /// Follows one cluster down until it splits or its last points fall out.
  private mutating func follow(cluster: Int, from start: Int) {
    var node = start
    while true {
      if node < linkage.pointCount {
        appendPoint(cluster, node, lambda: densityOfCopies(node))
        return
      }
      let lambda = density(atDistance: linkage.distances[node - linkage.pointCount])
      let large = linkage.children(of: node).filter { isLarge($0, below: node) }
      for child in linkage.children(of: node) where !isLarge(child, below: node) {
        for point in linkage.points(below: child) { appendPoint(cluster, point, lambda: lambda) }
      }
      if large.count == 1 {
        node = large[0]
        continue
      }
      for child in large {
        append(cluster, linkage.pointCount + starts.count, lambda, linkage.sizes[child])
        starts.append(child)
      }
      return
    }
  }

  /// Whether a child holds together as a group of the minimum size below its parent's distance.
  private func isLarge(_ child: Int, below node: Int) -> Bool {
    guard linkage.sizes[child] >= minClusterSize else { return false }
    // The copies of a heavy point merge at its core distance: at that very distance they are not
    // yet a group of their own but come apart together with the node.
    return child >= linkage.pointCount
      || coreDistances[child] < linkage.distances[node - linkage.pointCount]
  }

  /// Lambda at which a cluster that is one point ends; 0 for a lone point that has no copies.
  private func densityOfCopies(_ point: Int) -> Double {
    linkage.sizes[point] > 1 ? density(atDistance: coreDistances[point]) : 0
  }

  private mutating func appendPoint(_ cluster: Int, _ point: Int, lambda: Double) {
    append(cluster, point, lambda, linkage.sizes[point])
  }

  private mutating func append(_ parent: Int, _ child: Int, _ lambda: Double, _ size: Int) {
    parents.append(parent)
    children.append(child)
    lambdas.append(lambda)
    sizes.append(size)
  }

  /// Puts runs of equal lambda in order: clusters before points, each ascending.
  private mutating func sortTies(from first: Int) {
    var start = first
    while start < parents.count {
      var end = start + 1
      while end < parents.count && lambdas[end] == lambdas[start] { end += 1 }
      if end - start > 1 {
        let order = (start..<end).map { row in
          (
            isPoint: children[row] < linkage.pointCount ? 1 : 0, child: children[row],
            size: sizes[row]
          )
        }.sorted { ($0.isPoint, $0.child) < ($1.isPoint, $1.child) }
        for (offset, row) in order.enumerated() {
          children[start + offset] = row.child
          sizes[start + offset] = row.size
        }
      }
      start = end
    }
  }
}
