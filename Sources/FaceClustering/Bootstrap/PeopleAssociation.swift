internal import PersonGrouping
internal import Store
internal import Vectors

/// Puts the clusters of one person under one person.
///
/// Clusters are never melted. Whom a human knows (named, verified, with faces placed by hand, hidden, merged,
/// separated or split) takes further clusters only on evidence beyond a stricter gate; below it a question is asked.
/// Two such persons are never joined.
struct PeopleAssociation {
  private let input: BootstrapInput
  private let rowOfCluster: [Int64: Int]
  /// Persons whom a human knows.
  private let known: Set<Int64>

  init(_ input: BootstrapInput) {
    self.input = input
    rowOfCluster = Dictionary(
      uniqueKeysWithValues: input.live.ids.enumerated().map { ($1, $0) })
    let withManualFaces = Set(
      input.states.filter { $0.status == .manual }.compactMap(\.clusterID))
    known = input.promisedPersons.union(
      input.live.ids.indices
        .filter { input.live.verified[$0] || withManualFaces.contains(input.live.ids[$0]) }
        .map { input.live.personIDs[$0] })
  }

  func apply(to plan: inout BootstrapPlan) {
    var clustersOfPerson: [Int: [Int]] = [:]
    var places = Places(said: PlannedProhibitions(input, plan))
    for (index, cluster) in plan.clusters.enumerated() {
      if let label = cluster.label {
        clustersOfPerson[input.found.persons[label], default: []].append(index)
      }
      if let person = person(cluster) { places.clusters[person, default: []].append(index) }
    }
    for (_, clusters) in clustersOfPerson.sorted(by: { $0.key < $1.key }) where clusters.count > 1 {
      join(clusters, places: &places, in: &plan)
    }
  }

  /// Which planned clusters each person has by now, and what people said of their faces.
  private struct Places {
    let said: PlannedProhibitions
    var clusters: [Int64: [Int]] = [:]

    /// Whether a cluster may go to a person as far as people said anything.
    func mayBe(_ cluster: Int, of person: Int64) -> Bool {
      said.allows(cluster, with: clusters[person] ?? [], person: person)
    }
  }

  private func join(_ clusters: [Int], places: inout Places, in plan: inout BootstrapPlan) {
    let known = Set(clusters.compactMap { knownPerson(plan.clusters[$0]) })
    if let person = known.first, known.count == 1 {
      var apart: [Int] = []
      for cluster in clusters where knownPerson(plan.clusters[cluster]) == nil {
        if surplus(plan.clusters[cluster]) >= SimilarityCalibration.knownPersonMargin,
          places.mayBe(cluster, of: person)
        {
          give(cluster, to: person, places: &places, in: &plan)
        } else {
          apart.append(cluster)
          if places.mayBe(cluster, of: person) {
            ask(cluster, about: person, among: clusters, in: &plan)
          }
        }
      }
      joinUnknown(apart, places: &places, in: &plan)
    } else {
      joinUnknown(
        clusters.filter { knownPerson(plan.clusters[$0]) == nil }, places: &places, in: &plan)
    }
  }

  /// Clusters of nobody known: under the person of the largest that exists, or a new one.
  private func joinUnknown(_ clusters: [Int], places: inout Places, in plan: inout BootstrapPlan) {
    if clusters.count < 2 { return }
    let existing = clusters.filter { plan.clusters[$0].existingID != nil }.max {
      (plan.clusters[$0].facts.faceCount, $1) < (plan.clusters[$1].facts.faceCount, $0)
    }
    if let existing, let person = person(plan.clusters[existing]) {
      for cluster in clusters where cluster != existing && places.mayBe(cluster, of: person) {
        give(cluster, to: person, places: &places, in: &plan)
      }
    } else {
      var together = [clusters[0]]
      for cluster in clusters.dropFirst()
      where places.said.allows(cluster, with: together, person: nil) {
        together.append(cluster)
        plan.clusters[cluster].sharesPersonOf = clusters[0]
        plan.clusters[cluster].surplus = surplus(plan.clusters[cluster])
      }
    }
  }

  private func give(
    _ cluster: Int, to person: Int64, places: inout Places, in plan: inout BootstrapPlan
  ) {
    let before = self.person(plan.clusters[cluster])
    if before == person { return }
    if let before { places.clusters[before]?.removeAll { $0 == cluster } }
    places.clusters[person, default: []].append(cluster)
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
      let medoid = plan.clusters[cluster].facts.medoidDetectionID
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
    person(cluster).flatMap { known.contains($0) ? $0 : nil }
  }
}
