internal import HDBSCAN
internal import Store
internal import Vectors

/// Finds the clusters within reach of many faces by matrix products.
enum NearClusters {
  /// Per face the clusters whose reference lies within their radius, nearest first.
  ///
  /// - Parameters:
  ///   - screen: of the references of the first clusters, or of all; nil where nobody made one.
  ///   - radii: of each cluster, a cosine distance.
  /// - Complexity: O(faces · clusters · d).
  static func within(
    faces: Matrix<Float>, clusters: LiveClusters, screen: RadiusScreen? = nil, radii: [Double],
    threads: Int
  ) -> [[NearCluster]] {
    NearRows.within(
      faces, of: clusters.references, screen: screen, radii: radii, threads: threads
    ).map { $0.map { NearCluster(cluster: $0.row, distance: $0.distance) } }
  }

  /// Cosine distance of unit rows of two matrices, in float64; NaN stays NaN and is near nothing.
  static func distance(
    _ a: Matrix<Float>, _ row: Int, _ b: Matrix<Float>, _ other: Int
  ) -> CosineDistance {
    CosineDistance(max(1 - a.dotProduct(row, other, of: b), 0))
  }
}
