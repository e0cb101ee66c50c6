/// Precision, recall and their harmonic mean, each 0…1.
public struct PrecisionRecall: Sendable, Hashable, Codable {
  /// How much of what is together belongs together.
  public var precision: Double
  /// How much of what belongs together is together.
  public var recall: Double
  /// Harmonic mean 2PR/(P + R); 0 when both are 0.
  public var f: Double

  /// Makes the value from precision and recall.
  public init(precision: Double, recall: Double) {
    self.precision = precision
    self.recall = recall
    let sum = precision + recall
    f = sum > 0 ? 2 * precision * recall / sum : 0
  }
}

/// How well clusters agree with known identities.
///
/// Only faces of known identity count. A face in no cluster (label −1) is a cluster of its own for
/// every score, but neither for ``clusters`` nor for the counts of a user's work.
public struct ClusterScores: Sendable, Hashable, Codable {
  /// Faces of known identity.
  public var faces: Int
  /// Clusters that hold such faces.
  public var clusters: Int
  /// Such faces in no cluster.
  public var noise: Int
  /// Identities among them.
  public var identities: Int
  /// Over pairs of faces: is a pair in one cluster one person, and the other way round.
  public var pairwise: PrecisionRecall
  /// BCubed (Bagga and Baldwin 1998): the same for the average face and its cluster.
  public var bcubed: PrecisionRecall
  /// Adjusted Rand index (Hubert and Arabie 1985, doi:10.1007/BF01908075).
  ///
  /// 1 is agreement, about 0 is chance, and it can be negative.
  public var adjustedRand: Double
  /// Mutual information over the mean of the two entropies, 0…1.
  public var normalisedMutualInformation: Double
  /// Merges that a user must make: per identity, the clusters in which it is the majority, less 1.
  ///
  /// A tie for the majority goes to the smaller identity.
  public var mergesNeeded: Int
  /// Faces that a user must take out: those that are not of their cluster's majority identity.
  public var facesToRemove: Int
  /// Faces that a user must put somewhere: those in no cluster whose identity has another face.
  public var facesToPlace: Int
}

extension ClusterScores {
  /// Compares labels with identities.
  ///
  /// Where there is no pair to be wrong about, precision or recall is 1.
  ///
  /// - Parameters:
  ///   - labels: cluster of each face; any negative label is noise.
  ///   - truth: identity of each face; a negative identity is unknown, and the face is left out.
  /// - Throws: ``EvaluationError/lengthMismatch(labels:truth:)``.
  /// - Complexity: O(n).
  public init(labels: [Int], truth: [Int]) throws(EvaluationError) {
    if labels.count != truth.count {
      throw .lengthMismatch(labels: labels.count, truth: truth.count)
    }
    let table = ContingencyTable(labels: labels, truth: truth)
    faces = table.faces
    noise = table.noise
    clusters = table.clusterSizes.count
    identities = table.identitySizes.count
    pairwise = table.pairwise
    bcubed = table.bcubed
    adjustedRand = table.adjustedRand
    normalisedMutualInformation = table.normalisedMutualInformation
    (mergesNeeded, facesToRemove) = table.work
    facesToPlace = table.facesToPlace
  }
}
