public import Vectors

/// Clusters points by HDBSCAN*, exactly.
///
/// ```swift
/// var parameters = Parameters()
/// parameters.minClusterSize = 3
/// parameters.metric = .cosine
/// let clustering = try fit(.float32(embeddings), parameters: parameters)
/// clustering.labels  // one number a point; −1 is noise
/// ```
///
/// The result is the same for any number of threads, on any CPU, and (up to the numbering of
/// points) for any order of the input. Nothing is sampled or approximated. Only which of several
/// edges of one weight are in the spanning tree is not fixed; nothing else depends on it.
///
/// Campello, Moulavi, Sander: Density-Based Clustering Based on Hierarchical Density Estimates,
/// PAKDD 2013, doi:10.1007/978-3-642-37456-2_14; Campello et al., TKDD 2015, doi:10.1145/2733381.
///
/// - Parameters:
///   - points: n × d vectors, or n × n distances where the metric is precomputed.
///   - parameters: see ``Parameters``; `minSamples` above n − 1 counts as n − 1.
///   - weights: points that each point stands for, at least 1; nil means 1 each.
///   - constraints: pairs of points that belong together or apart. The clusters are those that
///     satisfy most of them, stability breaking ties; a pair given twice counts twice.
///   - threads: most threads to use, at least 1.
///   - progress: told how far the work is; returning false cancels it. See
///     <doc:ProgressAndCancellation>.
/// - Returns: labels, scores and the whole hierarchy. No points give an empty result, a lone point of
///   weight 1 is noise.
/// - Throws: ``HDBSCANError``: a parameter out of range, unusable rows with their indices, a
///   matrix that is no matrix of distances, or a cancellation.
/// - Complexity: O(n² · d) time in matrix products, O(n · (d + minSamples)) memory; see
///   ``estimatedFitMemory(points:dimensions:minSamples:)``.
public func fit(
  _ points: Points, parameters: Parameters, weights: [Int]? = nil,
  constraints: [PairConstraint] = [], threads: Int = availableThreads,
  progress: ProgressHandler? = nil
) throws(HDBSCANError) -> Clustering {
  try checkParameters(parameters, threads: threads)
  try checkWeights(weights, count: points.count)
  let screening = Screening(kernel: try ScreeningKernel.selected())
  try checkConstraints(constraints, count: points.count, parameters: parameters)
  let vectors = try preparedPoints(
    points, metric: parameters.metric, alpha: parameters.alpha)
  let reporter = ProgressReporter(progress)
  let tree = try mutualReachabilityTree(
    of: vectors, minSamples: parameters.minSamples ?? parameters.minClusterSize,
    alpha: parameters.alpha, weights: weights, threads: threads, screening: screening,
    progress: reporter)
  reporter.report(.hierarchy, completed: 0, of: 1)
  try reporter.throwIfCancelled()
  let clustering = extractClusters(
    from: tree, pointCount: points.count, parameters: parameters, weights: weights,
    constraints: constraints)
  reporter.report(.hierarchy, completed: 1, of: 1)
  return clustering
}

/// Bytes that a fit of float32 vectors needs beside its input, at its peak.
///
/// Two centred copies of the vectors, the neighbour lists, the edges found, and the hierarchy. Where
/// bytes screen the pairs (see ``ScreeningKernel``) it is less.
///
/// - Parameters:
///   - count: n.
///   - dimensions: d.
///   - minSamples: as in ``Parameters``.
/// - Returns: an estimate, in bytes. A matrix of distances needs little beside itself.
/// - Complexity: O(1).
public func estimatedFitMemory(points count: Int, dimensions: Int, minSamples: Int) -> Int {
  let stride = (max(dimensions, 1) + 15) / 16 * 16
  let neighbours = min(minSamples + 2, max(count - 1, 0))
  // Of each neighbour the entry in two lists, and an edge in four arrays while the tree is made.
  let perPoint = 2 * stride * 4 + neighbours * (2 * 12 + 4 * 16) + 1024
  let tiles = availableThreads * 4 << 20
  let edges = 16 * min(40 * count, 1 << 21)
  return count * perPoint + tiles + edges
}
