public import Vectors

/// Mean silhouette: how much nearer points are to their own cluster than to the next; −1…1.
///
/// (b − a)/max(a, b) with a the mean distance to the other members of the point's cluster and b the
/// least mean distance to another cluster; 0 for a cluster's only member (Rousseeuw 1987,
/// doi:10.1016/0377-0427(87)90125-7). Noise is left out. Distances come from blocked products in
/// double precision of centred rows: the last digits may differ between CPUs, not between threads.
///
/// - Parameters:
///   - points: n × d vectors.
///   - labels: cluster of each; below 0 is noise.
///   - metric: Euclidean, or cosine, which normalises the vectors first.
///   - sample: most points to average over, at least 1; nil for all. Each is measured against all
///     points, so the mean is unbiased.
///   - seed: decides which points are drawn.
///   - threads: most threads to use; the result does not depend on it.
/// - Returns: the mean; nil with fewer than two clusters, or where each point is its own cluster.
/// - Throws: ``HDBSCANError`` where the parts do not fit together or rows are unusable.
/// - Complexity: O(sample · n · d) as matrix products; O(n · d) memory.
public func silhouette(
  _ points: Points, labels: [Int], metric: Parameters.Metric = .euclidean, sample: Int? = 20_000,
  seed: UInt64 = 0, threads: Int = availableThreads
) throws(HDBSCANError) -> Double? {
  if let sample, sample < 1 {
    throw .invalidParameter(
      name: "sample", value: "\(sample)", expected: "at least 1, or absent for all points")
  }
  let data = try LabelledRows(points, labels: labels, metric: metric)
  let count = data.rows.rows
  if data.ranges.count < 2 || count == data.ranges.count { return nil }
  let places = sampledPlaces(min(sample ?? count, count), of: count, seed: seed)
  let values = SilhouetteValues(data).values(at: places, threads: threads)
  return values.reduce(0, +) / Double(values.count)
}

/// Draws distinct places, ascending (Fisher and Yates; SplitMix64).
private func sampledPlaces(_ wanted: Int, of count: Int, seed: UInt64) -> [Int] {
  var places = Array(0..<count)
  if wanted == count { return places }
  var random = SplitMix64(state: seed)
  for index in 0..<wanted {
    places.swapAt(index, Int.random(in: index..<count, using: &random))
  }
  return places.prefix(wanted).sorted()
}
