/// The clusters inside one cluster: the way to split it along the stored hierarchy.
///
/// The cluster is taken for a root of its own that may not be selected itself; selection below it
/// follows the parameters (method, limits, epsilon).
///
/// - Parameters:
///   - node: id of a cluster of `tree`.
///   - tree: the condensed tree of a fit.
///   - parameters: settings of the selection; `allowSingleCluster` is ignored.
/// - Returns: the selection below `node`, and a label for each point: an index into its nodes, −1
///   for points of the cluster outside all of them, nil for points outside the cluster.
/// - Throws: ``HDBSCANError/invalidParameter(name:value:expected:)`` where `node` is no cluster or a
///   setting is out of range.
/// - Complexity: O(rows log rows).
public func subclusters(
  of node: Int, in tree: CondensedTree, parameters: Parameters
) throws(HDBSCANError) -> (selection: Selection, labels: [Int?]) {
  guard node >= tree.pointCount, node < tree.pointCount + tree.clusterCount else {
    throw .invalidParameter(
      name: "cluster node", value: "\(node)",
      expected: "a cluster of the tree, \(tree.pointCount)..<\(tree.pointCount + tree.clusterCount)"
    )
  }
  try checkExtraction(parameters)
  var settings = parameters
  settings.allowSingleCluster = false
  let (branch, nodes, points) = tree.branch(below: node)
  var selection = branch.selectClusters(settings)
  let labelling = ClusterLabelling(tree: branch, nodes: selection.nodes, parameters: settings)
  var labels = [Int?](repeating: nil, count: tree.pointCount)
  for (point, place) in zip(points, zip(branch.pointParents, branch.pointLambdas)) {
    labels[point] = labelling.label(cluster: place.0, lambda: place.1)
  }
  selection.nodes = selection.nodes.map { nodes[$0 - branch.pointCount] }
  return (selection, labels)
}

extension CondensedTree {
  /// The part of the tree at and below a cluster, renumbered as a tree of its own.
  ///
  /// Lambdas stay what they are. In the result, point i is `points[i]` (ascending) and cluster
  /// `points.count + i` is `nodes[i]` of this tree.
  ///
  /// - Complexity: O(rows).
  func branch(below node: Int) -> (tree: CondensedTree, nodes: [Int], points: [Int]) {
    var newPosition = [Int](repeating: -1, count: clusterCount)
    newPosition[node - pointCount] = 0
    var nodes = [node]
    var isPoint = [Bool](repeating: false, count: pointCount)
    var rows: [Int] = []
    // Rows are ordered by parent, so a cluster is known before its own rows come; breadth-first
    // order of the whole tree is that of a part of it.
    for row in 0..<rowCount where newPosition[parents[row] - pointCount] >= 0 {
      rows.append(row)
      if children[row] < pointCount {
        isPoint[children[row]] = true
      } else {
        newPosition[children[row] - pointCount] = nodes.count
        nodes.append(children[row])
      }
    }
    let points = (0..<pointCount).filter { isPoint[$0] }
    var newPoint = [Int](repeating: -1, count: pointCount)
    for (index, point) in points.enumerated() { newPoint[point] = index }
    let tree = CondensedTree(
      pointCount: points.count,
      parents: rows.map { points.count + newPosition[parents[$0] - pointCount] },
      children: rows.map { row in
        children[row] < pointCount
          ? newPoint[children[row]] : points.count + newPosition[children[row] - pointCount]
      },
      lambdas: rows.map { lambdas[$0] }, sizes: rows.map { sizes[$0] })
    return (tree, nodes, points)
  }
}
