internal import Vectors

/// The radius within which each row's neighbours number `minSamples`, in the unit of the lists.
///
/// Without weights, that of neighbour number `minSamples`. With weights, the smallest radius
/// within which the other points, and the row's own weight less the point itself, number
/// `minSamples`; 0 where the row's own copies are enough.
///
/// Lists that hold some neighbours only, not all of them the nearest, give upper bounds: infinity
/// where they hold too few.
///
/// - Parameters:
///   - lists: sorted or not.
///   - weights: points that each row stands for, at least 1; nil means 1 each.
///   - minSamples: at most the total weight less 1.
/// - Complexity: O(n · k log k) for lists of k.
func coreRadii(_ lists: NeighbourLists, weights: [Int]?, minSamples: Int) -> [Double] {
  var nearest: [(radius: Double, neighbour: Int)] = []
  return (0..<lists.count).map { row in
    var missing = minSamples - ((weights?[row] ?? 1) - 1)
    var radius = 0.0
    var rank = 0
    lists.copyAscending(row, to: &nearest)
    while missing > 0, rank < nearest.count {
      radius = nearest[rank].radius
      missing -= weights?[nearest[rank].neighbour] ?? 1
      rank += 1
    }
    return missing > 0 ? .infinity : radius
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
