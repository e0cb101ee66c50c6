internal import Glibc
internal import Vectors

/// All-points core distance of each clustered row: a mean of the distances to its whole cluster.
///
/// (Σ d⁻ᴰ / (n − 1))^(−1/D) over the other rows of the cluster, by its logarithm; 0 for a row that
/// has a copy, which is the limit.
///
/// - Complexity: O(Σ size² · d).
func allPointsCoreDistances(_ data: LabelledRows, threads: Int) -> [Double] {
  let dimensions = Double(max(data.rows.columns, 1))
  return concurrently(data.rows.rows, threads: threads) { place in
    let cluster = data.ranges[data.ranges.partitioningIndex { $0.upperBound > place }]
    // The distances over the least one: powers of these ratios are at most 1.
    let distances = cluster.map { $0 == place ? .infinity : data.distance(place, $0) }
    let least = distances.min() ?? 0
    if least == 0 { return 0 }
    let sum = distances.reduce(0) { $0 + exp(dimensions * (log(least) - log($1))) }
    return exp(log(least) - log(sum / Double(cluster.count - 1)) / dimensions)
  }
}

/// What DBCV needs of one cluster: inner nodes of its spanning tree, and its heaviest inner edge.
struct InnerTree: Sendable {
  /// Places of more than one edge; all nodes where there is none such.
  let innerNodes: [Int]
  /// Weight of the heaviest edge between inner nodes; of all edges where none is.
  let sparseness: Double

  /// Prim's algorithm over mutual reachability; ties by distance, then by place.
  ///
  /// - Complexity: O(size² · d) time, O(size) memory.
  init(_ data: LabelledRows, _ range: Range<Int>, coreDistances: [Double]) {
    struct Link {
      var reach = Double.infinity
      var distance = Double.infinity
      var source = 0
    }
    var outside = Array(range.dropFirst())
    var links = [Link](repeating: Link(), count: outside.count)
    var degrees = [Int](repeating: 0, count: range.count)
    var edges: [(a: Int, b: Int, weight: Double)] = []
    var current = range.lowerBound
    while !outside.isEmpty {
      var best = 0
      for index in outside.indices {
        let place = outside[index]
        let floor = max(coreDistances[current], coreDistances[place])
        if floor <= links[index].reach {
          let distance = data.distance(current, place)
          let reach = max(floor, distance)
          let link = links[index]
          if (reach, distance, current) < (link.reach, link.distance, link.source) {
            links[index] = Link(reach: reach, distance: distance, source: current)
          }
        }
        let (link, least) = (links[index], links[best])
        if (link.reach, link.distance, place) < (least.reach, least.distance, outside[best]) {
          best = index
        }
      }
      current = outside[best]
      edges.append((links[best].source, current, links[best].reach))
      degrees[links[best].source - range.lowerBound] += 1
      degrees[current - range.lowerBound] += 1
      outside.swapAt(best, outside.count - 1)
      links.swapAt(best, links.count - 1)
      outside.removeLast()
      links.removeLast()
    }
    let isInner = { (place: Int) in degrees[place - range.lowerBound] > 1 }
    let inner = range.filter(isInner)
    let heaviest = edges.filter { isInner($0.a) && isInner($0.b) }.map(\.weight).max()
    innerNodes = inner.isEmpty ? Array(range) : inner
    sparseness = heaviest ?? edges.map(\.weight).max() ?? 0
  }
}
