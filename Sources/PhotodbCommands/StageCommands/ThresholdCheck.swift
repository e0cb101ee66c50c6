internal import FaceClustering
internal import PersonGrouping
internal import Vectors

/// Finds thresholds that cannot do what they are for, because they are of another scale than the
/// similarities of a collection.
///
/// A Euclidean distance where a cosine distance belongs, or a similarity where a distance does, lies
/// mostly outside of what faces of the collection have to each other.
struct ThresholdCheck {
  private let histogram: SimilarityHistogram
  private let isCalibrated: Bool

  /// A check against the similarities of one collection.
  ///
  /// - Parameter isCalibrated: whether the run in charge has a calibration.
  init(_ histogram: SimilarityHistogram, isCalibrated: Bool) {
    self.histogram = histogram
    self.isCalibrated = isCalibrated
  }

  /// One line for every setting that takes nobody, or more than half of all pairs of different people.
  ///
  /// Where a calibration decides, no default does harm on any scale: only what the operator set to something
  /// else is looked at. A set `GATE_ABSOLUTE` puts the thresholds in charge again.
  func warnings(about settings: StageSettings) -> [String] {
    let decides = !isCalibrated || settings.gateAbsolute != nil
    let defaults = StageSettings()
    let pool = settings.poolThresholdFactor * settings.clusteringThreshold.value
    var thresholds: [Threshold] = []
    if decides || settings.minEpsilon != defaults.minEpsilon {
      // The least radius may be as small as one likes: clusters have larger ones of their own.
      thresholds.append(distance("MIN_EPSILON", settings.minEpsilon.value, mayTakeNobody: true))
    }
    if decides || settings.clusteringThreshold != defaults.clusteringThreshold {
      thresholds.append(distance("CLUSTERING_THRESHOLD", settings.clusteringThreshold.value))
    }
    if decides || settings.poolThresholdFactor != defaults.poolThresholdFactor {
      thresholds.append(distance("POOL_THRESHOLD_FACTOR × CLUSTERING_THRESHOLD", pool))
    }
    if decides || settings.personAssociationThreshold != defaults.personAssociationThreshold {
      thresholds.append(
        distance("PERSON_ASSOCIATION_THRESHOLD", settings.personAssociationThreshold.value))
    }
    if let gate = settings.gateAbsolute {
      thresholds.append(Threshold(name: "GATE_ABSOLUTE", value: "\(gate)", similarity: gate))
    }
    return thresholds.compactMap { threshold in
      let text =
        "\(threshold.name) = \(threshold.value) (similarity "
        + "\(Formatting.decimal(threshold.similarity, places: 3))) "
      if share(histogram.different, from: threshold.similarity) > 0.5 {
        return text
          + "takes more than half of all pairs of different people; is it on another scale?"
      }
      // Few pairs tell nothing about how near faces of one person can be.
      let isJudged = histogram.same.contains { $0 > 0 } && !threshold.mayTakeNobody
      if isJudged, share(histogram.same, from: threshold.similarity) < 0.001 {
        return text
          + "has no effect: no faces of one person are that similar; is it on another scale?"
      }
      return nil
    }
  }

  private struct Threshold {
    let name: String
    let value: String
    let similarity: Double
    var mayTakeNobody = false
  }

  private func distance(_ name: String, _ value: Double, mayTakeNobody: Bool = false) -> Threshold {
    Threshold(name: name, value: "\(value)", similarity: 1 - value, mayTakeNobody: mayTakeNobody)
  }

  /// Share of the pairs in bins that reach above a similarity.
  private func share(_ bins: [Double], from similarity: Double) -> Double {
    let edges = histogram.edges
    let width = edges.count > 1 ? edges[1] - edges[0] : 0
    return zip(edges, bins).reduce(0) { $0 + ($1.0 + width > similarity ? $1.1 : 0) }
  }
}
