internal import Store
internal import Vectors

/// Applies the tiers and the gates to faces, one after the other in order of id.
///
/// The outcome of a face depends on the clusters as they were fitted or formed, on what people said,
/// and on which faces of its own photo came before it; not on how the stream was cut.
struct AssignmentDecider {
  private var context: AssignmentContext
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
    gates = TwoGateRule(
      temperature: context.settings.gateTemperature, relative: context.settings.gateRelative,
      absolute: context.settings.gateAbsolute ?? StageSettings.fallbackGate)
  }

  /// Decides one face and remembers it for later faces of the same photo.
  ///
  /// - Parameters:
  ///   - vote: what tier 1 says; nil where there is no model, or it said noise.
  ///   - near: clusters whose reference centroid lies within their radius, nearest first.
  mutating func decide(
    detectionID: Int64, photoID: Int64?, vote: TierOneVote?, near: [NearCluster]
  ) -> AssignmentOutcome {
    var asked: [(person: Int64, question: CandidateQuestion)] = []
    var constrained = false
    var gated: Set<Int> = []
    // Questions about several clusters of one person are one: that about the first, the nearest.
    func ask(_ cluster: Int, _ distance: CosineDistance, _ reason: String) {
      let person = context.clusters.personIDs[cluster]
      if asked.contains(where: { $0.person == person }) { return }
      let question = CandidateQuestion(
        detectionID: detectionID, clusterID: context.clusters.ids[cluster],
        similarity: Float(1 - distance.value), reason: reason)
      asked.append((person, question))
    }
    func pass(_ cluster: Int, _ distance: CosineDistance) -> Bool {
      switch gate(detectionID, photoID, cluster, distance) {
      case .open: return true
      case .far: break
      case .forbidden: constrained = true
      case .samePhoto: ask(cluster, distance, "same_photo")
      case .verified: ask(cluster, distance, "verified")
      }
      gated.insert(cluster)
      return false
    }
    func assign(_ cluster: Int, _ tier: String, _ confidence: Double) -> AssignmentOutcome {
      let person = context.clusters.personIDs[cluster]
      settle(detectionID, photoID, person)
      return .assigned(
        cluster: cluster, tier: tier, confidence: confidence,
        asked: asked.filter { $0.person != person }.map(\.question))
    }
    if let vote, pass(vote.cluster, vote.distance),
      isClear(vote.cluster, vote.distance, detectionID, near)
    {
      return assign(vote.cluster, "predict", vote.probability)
    }
    var open = near.filter { !gated.contains($0.cluster) && pass($0.cluster, $0.distance) }
    if let evidence = context.evidence {
      // The most evident first: of two clusters at one distance, the one with more faces.
      let strengths = open.map {
        evidence.evidence($0.distance, cluster: $0.cluster, of: context.clusters)
      }
      open = open.indices.sorted { (strengths[$1], $0) < (strengths[$0], $1) }.map { open[$0] }
    }
    // Several clusters of one person are one answer: the nearest of them.
    var persons: Set<Int64> = []
    let choices = open.filter { persons.insert(context.clusters.personIDs[$0.cluster]).inserted }
    let winner =
      if context.evidence != nil {
        choices.first.flatMap { isClear($0.cluster, $0.distance, detectionID, near) ? 0 : nil }
      } else {
        choices.count == 1 ? 0 : gates.accept(choices.map { 1 - $0.distance.value })
      }
    if let winner {
      let choice = choices[winner]
      return assign(
        choice.cluster, "epsilon_ball", min(max(1 - choice.distance.value, 0), 1))
    }
    for choice in choices { ask(choice.cluster, choice.distance, "ambiguous") }
    return asked.isEmpty ? .pool(constrained: constrained) : .pending(asked.map(\.question))
  }

  private func gate(
    _ detectionID: Int64, _ photoID: Int64?, _ cluster: Int, _ distance: CosineDistance
  ) -> Gate {
    if isForbidden(detectionID, cluster) { return .forbidden }
    let person = context.clusters.personIDs[cluster]
    // A linkage distance is no radius around a centroid: what one of them lets in must also be
    // similar to the centroid in itself.
    if isFar(cluster, distance) { return .far }
    if context.settings.samePhotoExclusion, let photoID,
      let others = context.occupants[photoID]?[person],
      others.contains(where: { $0 != detectionID })
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

  private func isForbidden(_ detectionID: Int64, _ cluster: Int) -> Bool {
    // Every gate closes a person with all clusters, whichever of them is near.
    let person = context.clusters.personIDs[cluster]
    let prohibitions = context.prohibitions
    return prohibitions.clusters[detectionID]?.contains(context.clusters.ids[cluster]) ?? false
      || prohibitions.persons[detectionID]?.contains(person) ?? false
      || prohibitions.detections[detectionID]?
        .contains(where: { context.personOfLinked[$0] == person }) ?? false
  }

  private func isFar(_ cluster: Int, _ distance: CosineDistance) -> Bool {
    if let evidence = context.evidence {
      return evidence.evidence(distance, cluster: cluster, of: context.clusters)
        < evidence.rule.absolute
    }
    return 1 - distance.value < context.settings.gateAbsolute ?? StageSettings.fallbackGate
  }

  /// Whether no other person is about as evident; true where nothing is calibrated.
  ///
  /// Rivals count also where they are a little too far to be chosen themselves.
  private func isClear(
    _ cluster: Int, _ distance: CosineDistance, _ detectionID: Int64, _ near: [NearCluster]
  ) -> Bool {
    guard let evidence = context.evidence else { return true }
    let person = context.clusters.personIDs[cluster]
    var own = evidence.evidence(distance, cluster: cluster, of: context.clusters)
    var rivals: [Int64: Double] = [:]
    for other in near where !isForbidden(detectionID, other.cluster) {
      let strength = evidence.evidence(
        other.distance, cluster: other.cluster, of: context.clusters)
      let owner = context.clusters.personIDs[other.cluster]
      if owner == person {
        own = max(own, strength)
      } else {
        rivals[owner] = max(rivals[owner] ?? -.infinity, strength)
      }
    }
    return evidence.rule.accept([own] + rivals.sorted { $0.key < $1.key }.map(\.value)) == 0
  }

  private mutating func settle(_ detectionID: Int64, _ photoID: Int64?, _ person: Int64) {
    if let photoID {
      context.occupants[photoID, default: [:]][person, default: []].insert(detectionID)
    }
    if context.prohibitions.detections[detectionID] != nil {
      context.personOfLinked[detectionID] = person
    }
  }
}
