internal import Vectors

/// Minimum spanning tree of mutual reachability over an n × n matrix of distances (Prim 1957).
///
/// - Returns: n − 1 edges, ascending by (weight, a, b).
/// - Complexity: O(n²) time, O(n) memory.
func primTree(
  _ distances: Matrix<Double>, coreDistances: [Double], alpha: Double, progress: ProgressReporter
) throws(HDBSCANError) -> [WeightedEdge] {
  let count = distances.rows
  var edges: [WeightedEdge] = []
  var outside = Array(stride(from: 1, to: count, by: 1))
  var nearest = [Int](repeating: 0, count: count)
  var weight = [Double](repeating: .infinity, count: count)
  var current = 0
  while !outside.isEmpty {
    let row = distances.row(current)
    var best = 0
    for place in outside.indices {
      let point = outside[place]
      let candidate = max(coreDistances[current], coreDistances[point], row[point] / alpha)
      if candidate < weight[point] { (weight[point], nearest[point]) = (candidate, current) }
      if weight[point] < weight[outside[best]] { best = place }
    }
    current = outside[best]
    outside.swapAt(best, outside.count - 1)
    outside.removeLast()
    edges.append(WeightedEdge(current, nearest[current], weight: weight[current]))
    if edges.count % 256 == 0 {
      progress.report(.spanningTree, completed: edges.count, of: count)
      try progress.throwIfCancelled()
    }
  }
  return edges.sortedByWeight()
}

extension [WeightedEdge] {
  /// Ascending by (weight, a, b).
  func sortedByWeight() -> [WeightedEdge] {
    sorted {
      $0.weight != $1.weight ? $0.weight < $1.weight : ($0.a, $0.b) < ($1.a, $1.b)
    }
  }
}
