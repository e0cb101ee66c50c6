/// Where a new point belongs among the clusters of a fit.
public struct Prediction: Sendable, Hashable {
  /// Label of the cluster; −1 is noise.
  public var label: Int
  /// Strength of membership, 0…1; 0 for noise.
  public var probability: Double
  /// 1 / mutual reachability to the neighbour: the density at which the point would join.
  public var lambda: Double
  /// GLOSH outlier score with the peak density of the neighbour's cluster, clipped to 0…1.
  public var outlierScore: Double
  /// The score before clipping: negative where the point is denser than that peak.
  public var rawOutlierScore: Double
  /// Training point of least mutual reachability; −1 where the model holds no points.
  public var neighbour: Int

  /// Makes a prediction from its parts; the score given is the raw one.
  public init(
    label: Int, probability: Double, lambda: Double, rawOutlierScore: Double, neighbour: Int
  ) {
    self.label = label
    self.probability = probability
    self.lambda = lambda
    self.outlierScore = min(max(rawOutlierScore, 0), 1)
    self.rawOutlierScore = rawOutlierScore
    self.neighbour = neighbour
  }
}
