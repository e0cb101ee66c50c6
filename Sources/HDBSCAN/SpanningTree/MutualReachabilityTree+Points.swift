internal import Vectors

/// Core distances and an exact minimum spanning tree of the mutual-reachability graph.
///
/// - Parameters:
///   - points: finite; of metric cosine already normalised.
///   - minSamples: at least 1; capped at the number of other points.
///   - alpha: divides distances (not core distances); above 0.
///   - weights: points that each point stands for, at least 1; nil means 1 each.
///   - threads: most threads to use; on it depends at most which edges of one weight are taken.
///   - screening: the arithmetic that screens pairs; on it depends no more.
/// - Throws: ``HDBSCANError/cancelled``.
/// - Complexity: O(n² · d) time in matrix products, O(n · (d + minSamples)) memory; for a matrix
///   of distances O(n²) and O(n · minSamples).
func mutualReachabilityTree(
  of points: Points, minSamples: Int, alpha: Double, weights: [Int]?, threads: Int,
  screening: Screening, progress: ProgressReporter
) throws(HDBSCANError) -> MutualReachabilityTree {
  progress.report(.preparation, completed: 0, of: 1)
  try progress.throwIfCancelled()
  let others = (weights?.reduce(0, +) ?? points.count) - 1
  let samples = max(min(minSamples, others), 0)
  switch points {
  case .float32(let matrix):
    return try treeOfVectors(
      matrix, samples, alpha, weights, threads, screening, progress)
  case .float64(let matrix):
    return try treeOfVectors(
      matrix, samples, alpha, weights, threads, screening, progress)
  case .distances(let matrix):
    let cores = coreDistances(matrix, weights: weights, minSamples: samples, threads: threads)
    progress.report(.neighbours, completed: 1, of: 1)
    let edges = try primTree(matrix, coreDistances: cores, alpha: alpha, progress: progress)
    return MutualReachabilityTree(coreDistances: cores, edges: edges)
  }
}

/// Neighbours a list holds beyond those that core distances need: they make the first tree better.
private let spareNeighbours = 2

private func treeOfVectors<Scalar: ExactScalar>(
  _ matrix: Matrix<Scalar>, _ minSamples: Int, _ alpha: Double, _ weights: [Int]?, _ threads: Int,
  _ screening: Screening, _ progress: ProgressReporter
) throws(HDBSCANError) -> MutualReachabilityTree {
  let rows = DistinctRows(matrix, threads: threads)
  if rows.count < 2 {
    return withCopies(
      of: rows, coreDistances: [Double](repeating: 0, count: rows.count), tree: [], lists: nil)
  }
  let capacity = min(minSamples + spareNeighbours, rows.count - 1)
  let task = TreeTask(
    rows: rows, minSamples: minSamples, capacity: capacity, alpha: alpha,
    weights: rows.totalWeights(weights), mostPairs: screening.mostPairs, threads: threads,
    progress: progress)
  let found = try task.tree(screening)
  return withCopies(
    of: rows, coreDistances: found.coreDistances, tree: found.edges, lists: found.lists)
}

/// The tree over all points: copies of a row hang on its first point.
///
/// Between copies the distance is 0, so such an edge weighs as much as the core distance they
/// share. No edge at either of them is lighter, hence the tree stays minimum.
private func withCopies<Scalar: ExactScalar>(
  of rows: DistinctRows<Scalar>, coreDistances: [Double], tree: [CandidateEdge],
  lists: NeighbourLists?
) -> MutualReachabilityTree {
  let first = rows.firstPoints
  let neighbours = lists.map { NeighbourGraph($0, rows: rows) }
  var edges = tree.map { WeightedEdge(first[Int($0.a)], first[Int($0.b)], weight: $0.weight) }
  guard let rowOfPoint = rows.rowOfPoint else {
    return MutualReachabilityTree(
      coreDistances: coreDistances, edges: edges, neighbours: neighbours)
  }
  for (point, row) in rowOfPoint.enumerated() where first[row] != point {
    edges.append(WeightedEdge(first[row], point, weight: coreDistances[row]))
  }
  return MutualReachabilityTree(
    coreDistances: rowOfPoint.map { coreDistances[$0] }, edges: edges.sortedByWeight(),
    neighbours: neighbours)
}
