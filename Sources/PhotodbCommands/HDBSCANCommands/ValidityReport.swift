internal import FaceClustering
internal import HDBSCAN

/// How well clusters hold together, by four measures; null where a measure is not defined.
struct ValidityReport: Encodable, Sendable {
  /// Density-based validity, −1…1, higher is better.
  @OrNull var dbcv: Double?
  /// Mean silhouette, −1…1, higher is better; over 20,000 sampled rows where there are more.
  @OrNull var silhouette: Double?
  /// Davies–Bouldin index, from 0, lower is better.
  @OrNull var daviesBouldin: Double?
  /// Calinski–Harabasz index, from 0, higher is better.
  @OrNull var calinskiHarabasz: Double?

  /// Measures the labels of a fit.
  ///
  /// - Complexity: O(n² · d).
  init(_ points: Points, _ clustering: Clustering, threads: Int) throws(HDBSCANError) {
    let (labels, metric) = (clustering.labels, clustering.parameters.metric)
    dbcv = try densityValidity(points, labels: labels, metric: metric, threads: threads)?.index
    silhouette = try HDBSCAN.silhouette(points, labels: labels, metric: metric, threads: threads)
    daviesBouldin = try daviesBouldinIndex(points, labels: labels, metric: metric)
    calinskiHarabasz = try calinskiHarabaszIndex(points, labels: labels, metric: metric)
  }

  /// The same for people.
  var text: String {
    let values = [
      ("DBCV", dbcv), ("silhouette", silhouette), ("Davies–Bouldin", daviesBouldin),
      ("Calinski–Harabasz", calinskiHarabasz),
    ].map { name, value in
      "\(name) \(value.map { Formatting.decimal($0, places: 3) } ?? "undefined")"
    }
    return values.joined(separator: ", ")
  }
}
