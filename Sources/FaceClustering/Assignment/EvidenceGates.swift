internal import PersonGrouping
internal import PostgresClient
internal import Store
internal import Vectors

/// The two gates of assignment in the terms of a calibration.
///
/// The evidence that a face is of a cluster is that of grouping: its mean similarity to the members,
/// in impostor units, less what a single face needs. The absolute gate is the collection's own
/// threshold and a margin; the relative one is a softmax whose temperature makes a lead of the
/// relative margin over one rival pass exactly.
struct EvidenceGates: Sendable {
  let calibration: SimilarityCalibration
  let rule: TwoGateRule

  init(_ found: SimilarityCalibration, relative: Double) {
    calibration = found.forArrivals
    // 1 / (1 + exp(−margin / T)) = 0.8.
    rule = TwoGateRule(
      temperature: calibration.assignmentMargin / 1.386_294_361_119_891, relative: relative,
      absolute: calibration.assignmentGate)
  }

  /// The gates of the run in charge.
  ///
  /// - Returns: nil where it has no calibration, or where the operator set a gate.
  static func inForce(
    _ collection: CollectionRecord, _ settings: StageSettings,
    on connection: isolated PostgresConnection
  ) throws -> EvidenceGates? {
    guard settings.gateAbsolute == nil,
      let text = try RunRepository(collection).activeCalibrationJSON(on: connection)
    else { return nil }
    return EvidenceGates(
      try JSONText.decode(SimilarityCalibration.self, from: text),
      relative: settings.gateRelative)
  }

  /// Evidence that a face at this distance from a cluster's reference is of it.
  func evidence(_ distance: CosineDistance, cluster: Int, of clusters: LiveClusters) -> Double {
    let (length, count) = shape(cluster, of: clusters)
    return calibration.evidence(
      meanSimilarity: (1 - distance.value) * length, weight: 1, otherWeight: count)
  }

  /// Evidence that two clusters, whose references are at this distance, are one person.
  func evidence(
    between one: Int, and other: Int, at distance: CosineDistance, of clusters: LiveClusters
  ) -> Double {
    let (a, b) = (shape(one, of: clusters), shape(other, of: clusters))
    return calibration.evidence(
      meanSimilarity: (1 - distance.value) * a.length * b.length, weight: a.count,
      otherWeight: b.count)
  }

  /// Evidence that a face is one person with others, among which it is counted.
  ///
  /// - Parameters:
  ///   - product: inner product of the face and the sum of all.
  ///   - count: of all, at least 2.
  func evidence(product: Double, count: Int) -> Double {
    let others = Double(count - 1)
    return calibration.evidence(
      meanSimilarity: (product - 1) / others, weight: 1, otherWeight: others)
  }

  /// How far from each reference a face may lie that is still a rival for another cluster's face.
  func radii(_ clusters: LiveClusters) -> [Double] {
    distances(
      clusters, evidence: calibration.assignmentGate - 2 * calibration.assignmentMargin)
  }

  /// How far from each reference a face may lie that the absolute gate lets in.
  func reach(_ clusters: LiveClusters) -> [Double] {
    distances(clusters, evidence: calibration.assignmentGate)
  }

  /// How far from each reference this much evidence ends.
  private func distances(_ clusters: LiveClusters, evidence: Double) -> [Double] {
    (0..<clusters.count).map { cluster in
      let (length, count) = shape(cluster, of: clusters)
      let least = calibration.similarity(
        evidence + SimilarityCalibration.penalty(weight: count))
      return min(max(1 - least / max(length, 1e-6), 0), 2)
    }
  }

  /// The distance within which two single faces are one person.
  var poolRadius: CosineDistance {
    let least = calibration.similarity(
      calibration.threshold + SimilarityCalibration.penalty(weight: 1))
    return CosineDistance(min(max(1 - least, 0.01), 1))
  }

  /// Length of the mean of a cluster's vectors and their number.
  ///
  /// Of a cluster of which neither is known, one face at the reference is known.
  private func shape(_ cluster: Int, of clusters: LiveClusters) -> (length: Double, count: Double) {
    guard clusters.referenceLengths.indices.contains(cluster),
      let length = clusters.referenceLengths[cluster]
    else { return (1, 1) }
    return (length, Double(max(clusters.referenceCounts[cluster], 1)))
  }
}
