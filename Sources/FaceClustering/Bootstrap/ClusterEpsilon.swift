internal import Vectors

/// The radius of acceptance that a cluster's birth gives it.
enum ClusterEpsilon {
  /// 1/lambda is the Euclidean distance at which the cluster was born; it is turned into a cosine
  /// distance and kept within the clamps. A root (lambda 0, infinite radius) gets the upper clamp.
  static func epsilon(lambdaBirth: Double, settings: StageSettings) -> CosineDistance {
    let upper = max(settings.maxEpsilon, settings.minEpsilon)
    if lambdaBirth <= 0 { return upper }
    let radius = CosineDistance(EuclideanDistance(1 / lambdaBirth))
    return min(max(radius, settings.minEpsilon), upper)
  }
}
