internal import PersonGrouping
internal import Store
internal import Vectors

/// Puts the clusters of one person under one person.
///
/// Clusters are never melted. Whom a human knows (named, verified, with faces placed by hand, merged,
/// separated or split) takes further clusters only on evidence beyond a stricter gate; below it a question is asked.
/// Two such persons are never joined.
struct PeopleAssociation {
  private let input: BootstrapInput
  private let rowOfCluster: [Int64: Int]
  private let clustersWithManualFaces: Set<Int64>

  init(_ input: BootstrapInput) {
    self.input = input
    rowOfCluster = Dictionary(
      uniqueKeysWithValues: input.live.ids.enumerated().map { ($1, $0) })
    clustersWithManualFaces = Set(
      input.states.filter { $0.status == .manual }.compactMap(\.clusterID))
  }

  func apply(to plan: inout BootstrapPlan) {
    var clustersOfPerson: [Int: [Int]] = [:]
    for (index, cluster) in plan.clusters.enumerated() {
      if let label = cluster.label {
        clustersOfPerson[input.found.persons[label], default: []].append(index)
      }
    }
    // Also those that stay where they were: what was said of them holds wherever their cluster goes.
    let faces = plan.clusters.map(\.faces)
    for (_, clusters) in clustersOfPerson.sorted(by: { $0.key < $1.key }) where clusters.count > 1 {
      join(clusters, faces: faces, in: &plan)
    }
  }

  private func join(_ clusters: [Int], faces: [[Int64]], in plan: inout BootstrapPlan) {
    let known = Set(clusters.compactMap { knownPerson(plan.clusters[$0]) })
    if let person = known.first, known.count == 1 {
      var apart: [Int] = []
      for cluster in clusters where knownPerson(plan.clusters[cluster]) == nil {
        if surplus(plan.clusters[cluster]) >= SimilarityCalibration.knownPersonMargin,
          mayBe(person, faces[cluster])
        {
          give(cluster, to: person, in: &plan)
        } else {
          apart.append(cluster)
          ask(cluster, about: person, among: clusters, in: &plan)
        }
      }
      joinUnknown(apart, faces: faces, in: &plan)
    } else {
      joinUnknown(
        clusters.filter { knownPerson(plan.clusters[$0]) == nil }, faces: faces, in: &plan)
    }
  }

  /// Clusters of nobody known: under the person of the largest that exists, or a new one.
  private func joinUnknown(_ clusters: [Int], faces: [[Int64]], in plan: inout BootstrapPlan) {
    if clusters.count < 2 { return }
    let existing = clusters.filter { plan.clusters[$0].existingID != nil }.max {
      (plan.clusters[$0].facts.faceCount, $1) < (plan.clusters[$1].facts.faceCount, $0)
    }
    if let existing, let person = person(plan.clusters[existing]) {
      for cluster in clusters where cluster != existing && mayBe(person, faces[cluster]) {
        give(cluster, to: person, in: &plan)
      }
    } else {
      for cluster in clusters.dropFirst() {
        plan.clusters[cluster].sharesPersonOf = clusters[0]
        plan.clusters[cluster].surplus = surplus(plan.clusters[cluster])
      }
    }
  }

  private func give(_ cluster: Int, to person: Int64, in plan: inout BootstrapPlan) {
    if self.person(plan.clusters[cluster]) == person { return }
    plan.clusters[cluster].surplus = surplus(plan.clusters[cluster])
    if plan.clusters[cluster].existingID == nil {
      plan.clusters[cluster].inheritedPersonID = person
    } else {
      plan.clusters[cluster].movesToPersonID = person
    }
  }

  private func ask(
    _ cluster: Int, about person: Int64, among clusters: [Int], in plan: inout BootstrapPlan
  ) {
    guard let known = clusters.first(where: { knownPerson(plan.clusters[$0]) == person }),
      let medoid = plan.clusters[cluster].facts.medoidDetectionID, mayBe(person, [medoid])
    else { return }
    let (a, b) = (plan.clusters[cluster].facts, plan.clusters[known].facts)
    let similarity = zip(a.reference, b.reference).reduce(Float(0)) { $0 + $1.0 * $1.1 }
    plan.questions.append(
      PlannedQuestion(
        detectionID: medoid, cluster: known, similarity: similarity,
        reason: CandidateQuestion.association))
  }

  private func surplus(_ cluster: PlannedCluster) -> Double {
    cluster.label.flatMap { input.found.surplus[$0] } ?? 0
  }

  private func person(_ cluster: PlannedCluster) -> Int64? {
    cluster.existingID.flatMap { rowOfCluster[$0] }.map { input.live.personIDs[$0] }
      ?? cluster.inheritedPersonID
  }

  /// The cluster's person where a human knows it.
  private func knownPerson(_ cluster: PlannedCluster) -> Int64? {
    guard let id = cluster.existingID, let row = rowOfCluster[id] else {
      // Only parts of a named cluster are born with a person.
      return cluster.inheritedPersonID
    }
    let isKnown =
      input.live.personNames[row] != nil || input.live.verified[row]
      || clustersWithManualFaces.contains(id)
      || input.drawnPersons.contains(input.live.personIDs[row])
    return isKnown ? input.live.personIDs[row] : nil
  }

  private func mayBe(_ person: Int64, _ faces: [Int64]) -> Bool {
    !faces.contains { input.prohibitions.persons[$0]?.contains(person) ?? false }
  }
}
