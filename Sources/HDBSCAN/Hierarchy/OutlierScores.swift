extension CondensedTree {
  /// GLOSH outlier scores: how early a point leaves compared with the densest place below.
  ///
  /// (Λ − λ) / Λ with λ the lambda of the point and Λ the largest lambda at or below the cluster
  /// that it leaves (Campello et al. 2015, doi:10.1145/2733381). 0 where Λ = 0 or λ is infinite, 1
  /// where Λ is infinite and λ is not: always in 0…1, never NaN.
  ///
  /// - Returns: one score for each point.
  /// - Complexity: O(rows).
  public func outlierScores() -> [Double] {
    let peaks = clusterPeaks
    return zip(pointLambdas, pointParents).map { lambda, parent in
      outlierScore(lambda: lambda, peak: peaks[parent - pointCount])
    }
  }
}

/// (Λ − λ) / Λ with the limits for 0 and infinity; below 0 when the lambda exceeds the peak.
func outlierScore(lambda: Double, peak: Double) -> Double {
  if peak == 0 || lambda == .infinity { return 0 }
  if peak == .infinity { return 1 }
  return (peak - lambda) / peak
}
