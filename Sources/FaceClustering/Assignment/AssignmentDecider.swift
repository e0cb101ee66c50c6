internal import Store
internal import Vectors

/// Applies the tiers and the gates to faces, one after the other in order of id.
///
/// The outcome of a face depends on the clusters as they were fitted or formed, on what people said,
/// and on which faces of its own photo came before it; not on how the stream was cut.
struct AssignmentDecider {
  private var context: AssignmentContext
  private let rowOfCluster: [Int64: Int]
  private let gates: TwoGateRule

  private enum Gate {
    case open
    case far
    case forbidden
    case samePhoto
    case verified
  }

  init(_ context: AssignmentContext) {
    self.context = context
    rowOfCluster = Dictionary(
      uniqueKeysWithValues: context.clusters.ids.enumerated().map { ($1, $0) })
    gates = TwoGateRule(
      temperature: context.settings.gateTemperature, relative: context.settings.gateRelative,
      absolute: context.settings.gateAbsolute)
  }

  /// Decides one face and remembers it for later faces of the same photo.
  ///
  /// - Parameters:
  ///   - vote: what tier 1 says; nil where there is no model, or it said noise.
  ///   - near: clusters whose reference centroid lies within their radius, nearest first.
  mutating func decide(
    detectionID: Int64, photoID: Int64?, vote: TierOneVote?, near: [NearCluster]
  ) -> AssignmentOutcome {
    var questions: [CandidateQuestion] = []
    var constrained = false
    var gated: Set<Int> = []
    func question(_ cluster: Int, _ distance: CosineDistance, _ reason: String) {
      questions.append(
        CandidateQuestion(
          detectionID: detectionID, clusterID: context.clusters.ids[cluster],
          similarity: Float(1 - distance.value), reason: reason))
    }
    func pass(_ cluster: Int, _ distance: CosineDistance) -> Bool {
      switch gate(detectionID, photoID, cluster, distance) {
      case .open: return true
      case .far: break
      case .forbidden: constrained = true
      case .samePhoto: question(cluster, distance, "same_photo")
      case .verified: question(cluster, distance, "verified")
      }
      gated.insert(cluster)
      return false
    }
    if let vote, pass(vote.cluster, vote.distance) {
      settle(detectionID, photoID, vote.cluster)
      return .assigned(cluster: vote.cluster, tier: "predict", confidence: vote.probability)
    }
    let open = near.filter { !gated.contains($0.cluster) && pass($0.cluster, $0.distance) }
    // Several clusters of one person are one answer: the nearest of them.
    var persons: Set<Int64> = []
    let choices = open.filter { persons.insert(context.clusters.personIDs[$0.cluster]).inserted }
    let winner =
      choices.count == 1 ? 0 : gates.accept(choices.map { 1 - $0.distance.value })
    if let winner {
      let choice = choices[winner]
      settle(detectionID, photoID, choice.cluster)
      return .assigned(
        cluster: choice.cluster, tier: "epsilon_ball",
        confidence: min(max(1 - choice.distance.value, 0), 1))
    }
    for choice in choices { question(choice.cluster, choice.distance, "ambiguous") }
    return questions.isEmpty ? .pool(constrained: constrained) : .pending(questions)
  }

  private func gate(
    _ detectionID: Int64, _ photoID: Int64?, _ cluster: Int, _ distance: CosineDistance
  ) -> Gate {
    let id = context.clusters.ids[cluster]
    let prohibitions = context.prohibitions
    if prohibitions.clusters[detectionID]?.contains(id) ?? false
      || prohibitions.persons[detectionID]?.contains(context.clusters.personIDs[cluster]) ?? false
      || prohibitions.detections[detectionID]?
        .contains(where: { context.clusterOfLinked[$0] == id }) ?? false
    {
      return .forbidden
    }
    // A linkage distance is no radius around a centroid: what one of them lets in must also be
    // similar to the centroid in itself.
    if 1 - distance.value < context.settings.gateAbsolute { return .far }
    if context.settings.samePhotoExclusion, let photoID,
      let others = context.occupants[photoID]?[id], others.contains(where: { $0 != detectionID })
    {
      return .samePhoto
    }
    let radius = context.clusters.epsilons[cluster] ?? context.settings.clusteringThreshold
    if context.clusters.verified[cluster],
      distance.value >= context.settings.verifiedThresholdMultiplier * radius.value
    {
      return .verified
    }
    return .open
  }

  private mutating func settle(_ detectionID: Int64, _ photoID: Int64?, _ cluster: Int) {
    let id = context.clusters.ids[cluster]
    if let photoID {
      context.occupants[photoID, default: [:]][id, default: []].insert(detectionID)
    }
    if context.prohibitions.detections[detectionID] != nil {
      context.clusterOfLinked[detectionID] = id
    }
  }
}
