internal import Vectors

/// The radius within which each row's neighbours number `minSamples`, in the unit of the lists.
///
/// Without weights, that of neighbour number `minSamples`. With weights, the smallest radius
/// within which the other points, and the row's own weight less the point itself, number
/// `minSamples`; 0 where the row's own copies are enough.
///
/// - Parameters:
///   - lists: sorted, each of at least min(minSamples, n − 1) entries.
///   - weights: points that each row stands for, at least 1; nil means 1 each.
///   - minSamples: at most the total weight less 1.
/// - Complexity: O(n · minSamples).
func coreRadii(_ lists: NeighbourLists, weights: [Int]?, minSamples: Int) -> [Double] {
  (0..<lists.count).map { row in
    var missing = minSamples - ((weights?[row] ?? 1) - 1)
    var radius = 0.0
    var rank = 0
    while missing > 0, rank < lists.length(row) {
      radius = lists.radius(row, rank)
      missing -= weights?[lists.neighbour(row, rank)] ?? 1
      rank += 1
    }
    return radius
  }
}

/// Core distances from an n × n matrix of distances.
///
/// - Complexity: O(n² + n · minSamples · log n) expected.
func coreDistances(
  _ distances: Matrix<Double>, weights: [Int]?, minSamples: Int, threads: Int
) -> [Double] {
  let count = distances.rows
  let lists = NeighbourLists(count: count, capacity: max(min(minSamples, count - 1), 1))
  parallelFor(count, threads: threads) { point in
    let row = distances.row(point)
    for other in 0..<count where other != point {
      lists.offer(point, neighbour: other, radius: row[other])
    }
    lists.sort(point)
  }
  return coreRadii(lists, weights: weights, minSamples: minSamples)
}
