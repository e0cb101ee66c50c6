/// The flat clustering DBSCAN* gives at one distance, from a stored fit.
///
/// Points whose core distance is below the cut are core objects; those connected by edges of the
/// spanning tree strictly below it are one cluster. Groups smaller than the minimum, and all other
/// points, are noise (Campello, Moulavi and Sander 2013, §3, doi:10.1007/978-3-642-37456-2_14).
///
/// - Parameters:
///   - clustering: a fit, with its spanning tree.
///   - distance: mutual-reachability distance of the cut, not NaN; lambdas are 1/distance.
///   - minClusterSize: smallest group (in weight) that is a cluster; at least 1.
/// - Returns: a label for each point, numbered by the smallest point of each cluster; −1 is noise.
/// - Throws: ``HDBSCANError`` where an argument is out of range or the stored tree is damaged.
/// - Complexity: O(n α(n)).
public func cut(
  _ clustering: Clustering, atDistance distance: Double, minClusterSize: Int
) throws(HDBSCANError) -> [Int] {
  if distance.isNaN {
    throw .invalidParameter(name: "cut distance", value: "nan", expected: "a number")
  }
  if minClusterSize < 1 {
    throw .invalidParameter(
      name: "min_cluster_size", value: "\(minClusterSize)", expected: "at least 1")
  }
  try checkStoredTree(clustering)
  let count = clustering.coreDistances.count
  let weights = clustering.tree.pointWeights
  var components = DisjointSets(count: count)
  for edge in clustering.spanningTree where edge.weight < distance {
    components.unite(edge.a, edge.b)
  }
  var sizes = [Int](repeating: 0, count: count)
  for point in 0..<count where clustering.coreDistances[point] < distance {
    sizes[components.find(point)] += weights[point]
  }
  var labelOfComponent = [Int](repeating: -1, count: count)
  var next = 0
  return (0..<count).map { point in
    let component = components.find(point)
    if clustering.coreDistances[point] >= distance || sizes[component] < minClusterSize {
      return -1
    }
    if labelOfComponent[component] < 0 {
      labelOfComponent[component] = next
      next += 1
    }
    return labelOfComponent[component]
  }
}
