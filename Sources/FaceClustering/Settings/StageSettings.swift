public import HDBSCAN
public import Vectors

/// What an operator can set about the stage.
///
/// Values are checked against ``StageSetting`` when they come from outside; the defaults were
/// measured on labelled faces.
public struct StageSettings: Sendable, Equatable {
  /// Smallest cluster of a bootstrap, in faces.
  public var minClusterSize = 3
  /// Core distances reach to this many-th nearest other face.
  public var minSamples = 2
  /// How clusters are taken from the hierarchy.
  public var selectionMethod = Parameters.SelectionMethod.eom
  /// What the clusters of a bootstrap are.
  public enum ClusterExtraction: String, Sendable, CaseIterable {
    /// People: pair evidence over the hierarchy, association and adoption.
    case evidence
    /// The labels of the fit, by the selection method.
    case density
  }

  /// What the clusters of a bootstrap are.
  public var clusterExtraction = ClusterExtraction.evidence
  /// Whether a collection may be one single person; nil lets the stage decide from the data.
  public var allowSingleCluster: Bool?
  /// Radius of a cluster that has no epsilon of its own.
  public var clusteringThreshold = CosineDistance(0.45)
  /// Smallest epsilon that a cluster gets.
  public var minEpsilon = CosineDistance(0.1)
  /// Membership probability from which a face is core, 0…1.
  public var coreProbabilityThreshold = 0.8
  /// A verified cluster takes a face only within this share of its epsilon.
  public var verifiedThresholdMultiplier = 0.8
  /// Pool members must lie within this share of the clustering threshold of each other.
  public var poolThresholdFactor = 0.7
  /// Pool members needed to form a cluster.
  public var unassignedClusterThreshold = 5
  /// Share of a cluster's members that may come or go before its medoid is computed again.
  public var medoidRecomputeThreshold = 0.25
  /// Two clusters of one person may be proposed where all their centroids lie within this of each
  /// other (complete linkage).
  public var personAssociationThreshold = CosineDistance(0.3)
  /// Growth of the collection since the fit at which the model counts as stale.
  public var stalenessThreshold = 1.25
  /// Shorter side of the face box below which a face is not eligible for a bootstrap, in pixels.
  public var minFaceSizePixels = 50.0
  /// Detector confidence below which a face is not eligible for a bootstrap, 0…1.
  public var minFaceConfidence = 0.9
  /// Whether a face is kept out of a cluster that already holds a face of the same photo.
  public var samePhotoExclusion = true
  /// Softmax temperature of the two-gate rule, in cosine similarity.
  public var gateTemperature = 0.05
  /// Share of the softmax that the best cluster must have.
  public var gateRelative = 0.8
  /// Cosine similarity to a cluster's centroid that every assignment by a tier must reach; nil lets
  /// the run's calibration decide, and is ``fallbackGate`` where there is none.
  public var gateAbsolute: Double?
  /// For runs without calibration.
  ///
  /// Measured on 1,282 LFW arrivals (SFace 128-d): at 0.55 the nearest
  /// centroid is the right person for 98.3 % of the faces of known people, and 1.7 % of what is
  /// accepted is wrong; at 0.4 it is 23 %.
  static let fallbackGate = 0.55
  /// Share of the fitted faces deleted since, from which the model counts as stale.
  public var stalenessDeletedShare = 0.2
  /// Share of arrivals left in the pool from which the model counts as stale.
  public var stalenessPoolShare = 0.3
  /// Share of recent arrivals that tier 1 could not place from which a warning is given.
  public var stalenessNoiseRate = 0.5
  /// Relative growth of the mean distance to the centroid since the fit that counts as drift.
  public var stalenessDrift = 0.25
  /// Age of the active run from which a warning is given, in days.
  public var stalenessAgeDays = 90.0
  /// Lineage score from which a cluster continues an old one, 0…1.
  public var continuationThreshold = 0.5
  /// Lineage score from which a cluster counts as a part of an old one, 0…1.
  public var secondaryThreshold = 0.2

  /// The defaults.
  public init() {}

  /// The parameters of the fit that a bootstrap makes.
  ///
  /// `allowSingleCluster` is decided by the bootstrap where the operator left it open.
  public var fitParameters: Parameters {
    var parameters = Parameters()
    parameters.minClusterSize = minClusterSize
    parameters.minSamples = minSamples
    parameters.selectionMethod = selectionMethod
    parameters.allowSingleCluster = allowSingleCluster ?? false
    return parameters
  }

  /// The largest epsilon that a cluster gets: 1.5 × the clustering threshold.
  public var maxEpsilon: CosineDistance { CosineDistance(1.5 * clusteringThreshold.value) }
}
