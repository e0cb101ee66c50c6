internal import Glibc
internal import Vectors

/// Davies–Bouldin index: how wide clusters are compared with how far apart; lower is better.
///
/// The mean over clusters of the worst (sᵢ + sⱼ)/mᵢⱼ, with s the mean distance of members to their
/// centroid and m the distance of centroids (Davies and Bouldin 1979,
/// doi:10.1109/TPAMI.1979.4766909). Noise is left out.
///
/// - Parameters:
///   - points: n × d vectors.
///   - labels: cluster of each; below 0 is noise.
///   - metric: Euclidean, or cosine, which normalises the vectors first.
/// - Returns: 0 or more; nil with fewer than two clusters, or where centroids coincide.
/// - Throws: ``HDBSCANError`` where the parts do not fit together or rows are unusable.
/// - Complexity: O((n + clusters²) · d).
public func daviesBouldinIndex(
  _ points: Points, labels: [Int], metric: Parameters.Metric = .euclidean
) throws(HDBSCANError) -> Double? {
  let data = try LabelledRows(points, labels: labels, metric: metric)
  let count = data.ranges.count
  if count < 2 { return nil }
  let centroids = data.means().ofClusters
  let spreads = data.ranges.enumerated().map { cluster, range in
    range.reduce(0) { $0 + data.rows.squaredDistance($1, cluster, of: centroids).squareRoot() }
      / Double(range.count)
  }
  var worst = [Double](repeating: 0, count: count)
  for a in 0..<count {
    for b in 0..<a {
      let ratio = (spreads[a] + spreads[b]) / centroids.squaredDistance(a, b).squareRoot()
      if !ratio.isFinite { return nil }
      worst[a] = max(worst[a], ratio)
      worst[b] = max(worst[b], ratio)
    }
  }
  return worst.reduce(0, +) / Double(count)
}

/// Calinski–Harabasz index: variance between clusters over variance within; higher is better.
///
/// (B/(k − 1)) / (W/(n − k)) over the n clustered points (Caliński and Harabasz 1974,
/// doi:10.1080/03610927408827101). Noise is left out.
///
/// - Parameters: as those of ``daviesBouldinIndex(_:labels:metric:)``.
/// - Returns: 0 or more; nil with fewer than two clusters, or where nothing varies within them.
/// - Throws: ``HDBSCANError`` where the parts do not fit together or rows are unusable.
/// - Complexity: O(n · d).
public func calinskiHarabaszIndex(
  _ points: Points, labels: [Int], metric: Parameters.Metric = .euclidean
) throws(HDBSCANError) -> Double? {
  let data = try LabelledRows(points, labels: labels, metric: metric)
  let count = data.ranges.count
  if count < 2 || data.rows.rows == count { return nil }
  let (centroids, mean) = data.means()
  let middle = Matrix([mean])
  var between = 0.0
  var within = 0.0
  for (cluster, range) in data.ranges.enumerated() {
    between += Double(range.count) * centroids.squaredDistance(cluster, 0, of: middle)
    for place in range { within += data.rows.squaredDistance(place, cluster, of: centroids) }
  }
  let ratio = between / within * (Double(data.rows.rows - count) / Double(count - 1))
  return ratio.isFinite ? ratio : nil
}
