internal import Vectors

/// The radius of acceptance that a cluster's birth gives it.
enum ClusterEpsilon {
  /// The radius at birth, as a cosine distance within the clamps.
  ///
  /// 1/lambda is the Euclidean distance at which the cluster was born. A root (lambda 0, infinite radius) gets the upper clamp.
  static func epsilon(lambdaBirth: Double, settings: StageSettings) -> CosineDistance {
    let upper = max(settings.maxEpsilon, settings.minEpsilon)
    if lambdaBirth <= 0 { return upper }
    let radius = CosineDistance(EuclideanDistance(1 / lambdaBirth))
    return min(max(radius, settings.minEpsilon), upper)
  }
}
