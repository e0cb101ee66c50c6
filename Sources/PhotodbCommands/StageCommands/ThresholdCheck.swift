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

  /// A check against the similarities of one collection.
  init(_ histogram: SimilarityHistogram) { self.histogram = histogram }

  /// One line for every setting that takes nobody, or more than half of all pairs of different people.
  func warnings(about settings: StageSettings) -> [String] {
    let pool = settings.poolThresholdFactor * settings.clusteringThreshold.value
    var thresholds: [(name: String, value: String, similarity: Double, mayTakeNobody: Bool)] = [
      // The least radius may be as small as one likes: clusters have larger ones of their own.
      distance("MIN_EPSILON", settings.minEpsilon.value, mayTakeNobody: true),
      distance("CLUSTERING_THRESHOLD", settings.clusteringThreshold.value),
      distance("POOL_THRESHOLD_FACTOR × CLUSTERING_THRESHOLD", pool),
      distance("PERSON_ASSOCIATION_THRESHOLD", settings.personAssociationThreshold.value),
    ]
    if let gate = settings.gateAbsolute {
      thresholds.append(("GATE_ABSOLUTE", "\(gate)", gate, false))
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

  private func distance(
    _ name: String, _ value: Double, mayTakeNobody: Bool = false
  ) -> (name: String, value: String, similarity: Double, mayTakeNobody: Bool) {
    (name, "\(value)", 1 - value, mayTakeNobody)
  }

  /// Share of the pairs in bins that reach above a similarity.
  private func share(_ bins: [Double], from similarity: Double) -> Double {
    let edges = histogram.edges
    let width = edges.count > 1 ? edges[1] - edges[0] : 0
    return zip(edges, bins).reduce(0) { $0 + ($1.0 + width > similarity ? $1.1 : 0) }
  }
}
