@testable import HDBSCAN

/// Core distances and spanning tree by the book, O(n²): Prim's algorithm on the full matrix.
func directTree(distances: [[Double]], minSamples: Int, alpha: Double = 1) -> MutualReachabilityTree
{
  let count = distances.count
  let nearest = max(1, min(minSamples, count - 1))
  let core = (0..<count).map { row in
    let others = (0..<count).filter { $0 != row }.map { distances[row][$0] }.sorted()
    return others.isEmpty ? 0 : others[nearest - 1]
  }
  return directTree(distances: distances, core: core, alpha: alpha)
}

/// The spanning tree for given core distances.
func directTree(distances: [[Double]], core: [Double], alpha: Double) -> MutualReachabilityTree {
  let count = distances.count
  var edges: [WeightedEdge] = []
  var best = [(weight: Double, from: Int)](repeating: (.infinity, 0), count: count)
  var inside = [Bool](repeating: false, count: count)
  var current = 0
  for _ in 0..<max(count - 1, 0) {
    inside[current] = true
    for other in 0..<count where !inside[other] {
      let weight = max(core[current], core[other], distances[current][other] / alpha)
      if weight < best[other].weight { best[other] = (weight, current) }
    }
    guard
      let next = (0..<count).filter({ !inside[$0] }).min(by: { best[$0].weight < best[$1].weight })
    else { break }
    edges.append(WeightedEdge(next, best[next].from, weight: best[next].weight))
    current = next
  }
  edges.sort { ($0.weight, $0.a, $0.b) < ($1.weight, $1.a, $1.b) }
  return MutualReachabilityTree(coreDistances: core, edges: edges)
}

/// Clusters of rows through ``directTree(distances:minSamples:alpha:)`` and the real extraction.
func extract(_ rows: [[Double]], _ parameters: Parameters, weights: [Int]? = nil) -> Clustering {
  let tree = directTree(
    distances: distanceMatrix(rows), minSamples: parameters.minSamples ?? parameters.minClusterSize,
    alpha: parameters.alpha)
  return extractClusters(
    from: tree, pointCount: rows.count, parameters: parameters, weights: weights)
}
