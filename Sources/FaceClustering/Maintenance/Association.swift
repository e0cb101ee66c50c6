internal import PersonGrouping
internal import PostgresClient
internal import Store
internal import Vectors

/// Suggests which persons are one, by complete linkage over the centroids of their clusters.
///
/// Every two clusters must be within the operator's threshold, and the evidence that they are one person, in
/// the terms of the run's calibration, must reach what an arrival needs: under a model whose vectors share a constant
/// all centroids are near each other, and the bootstrap left apart what had less.
struct Association: Sendable {
  let pool: PostgresPool
  let collection: CollectionRecord
  let settings: StageSettings
  let threads: Int
  let dryRun: Bool
  let apply: Bool

  /// Persons that may be one.
  struct Suggestion: Sendable, Equatable {
    /// The named one, or else the one with the most faces.
    var heir: Int64
    var others: [Int64]
    /// Largest cosine distance between the clusters of two of them.
    var distance: CosineDistance
    /// Whether a program may join them: the evidence is as strong as a person asks for whom people know.
    var isSure: Bool
  }

  func run(_ outcome: inout MaintenanceOutcome) async throws {
    let association = self
    let result = try await pool.withTransaction { connection in
      try association.decide(on: connection)
    }
    outcome.examined = result.examined
    outcome.changed = result.changed
    outcome.find(result.lines)
  }

  private func decide(
    on connection: isolated PostgresConnection
  ) throws -> (examined: Int, changed: Int, lines: [String]) {
    let locks = CollectionLocks(collection)
    if apply && !dryRun {
      // Whoever decides by persons meanwhile must come before or after.
      try locks.ownMembership(on: connection)
    } else {
      try locks.shareMembership(on: connection)
    }
    let repository = MaintenanceRepository(collection)
    let clusters = try repository.centroids(on: connection)
    let apart = try repository.seenTogether(on: connection) + repository.keptApart(on: connection)
    let gates = try EvidenceGates.inForce(collection, settings, on: connection)
    let suggestions = suggest(clusters, apart: apart, gates: gates)
    let lines = suggestions.map { suggestion in
      "person \(suggestion.heir) and \(suggestion.others.map(String.init).joined(separator: ", ")) "
        + "may be one: no two of their clusters are further apart than "
        + "\((suggestion.distance.value * 1000).rounded() / 1000)"
    }
    if dryRun { return (clusters.count, suggestions.reduce(0) { $0 + $1.others.count }, lines) }
    let joined = apply ? try join(suggestions.filter(\.isSure), on: connection) : 0
    let open = suggestions.filter { !apply || !$0.isSure }
    return (
      clusters.count, joined + (try ask(questions(open, clusters), on: connection)), lines
    )
  }

  /// Joins persons, each suggestion as one action of the log, so that each can be taken back.
  ///
  /// - Returns: how many persons went up in another.
  private func join(
    _ suggestions: [Suggestion], on connection: isolated PostgresConnection
  ) throws -> Int {
    let actions = HumanActions(
      collection: collection, settings: settings, actor: Self.actor)
    if suggestions.isEmpty { return 0 }
    for suggestion in suggestions {
      _ = try actions.merge(
        persons: suggestion.others, into: suggestion.heir, anyway: false,
        kind: HumanActionRepository.association, on: connection)
    }
    try JobQueue().enqueueIfFacesAreNew(collection, on: connection)
    return suggestions.reduce(0) { $0 + $1.others.count }
  }

  /// Who joins persons, in the log of actions.
  private static let actor = "photodb maintain"

  /// Joins the nearest persons first, as long as all of their clusters are within the threshold.
  ///
  /// Two names are never one person; nor are two that were seen in one photo, or kept apart by people.
  ///
  /// - Complexity: O(m² · d) in matrix products for m clusters.
  func suggest(
    _ clusters: LiveClusters, apart: [(Int64, Int64)], gates: EvidenceGates?
  ) -> [Suggestion] {
    let threshold = settings.personAssociationThreshold
    let near = NearClusters.within(
      faces: clusters.references, clusters: clusters,
      radii: clusters.ids.map { _ in threshold.value }, threads: threads)
    var distances: [Pair: CosineDistance] = [:]
    var surpluses: [Pair: Double] = [:]
    for (cluster, others) in near.enumerated() {
      for other in others where other.cluster > cluster {
        let surplus = gates.map {
          $0.evidence(between: cluster, and: other.cluster, at: other.distance, of: clusters)
            - $0.calibration.threshold
        }
        if let surplus, surplus < SimilarityCalibration.assignmentMargin { continue }
        let pair = Pair(Int64(cluster), Int64(other.cluster))
        distances[pair] = other.distance
        surpluses[pair] = surplus ?? .infinity
      }
    }
    let forbidden = Set(apart.map { Pair($0.0, $0.1) })
    var groups: [Int64: Group] = [:]
    for (row, person) in clusters.personIDs.enumerated() {
      groups[person, default: Group(persons: [person])].rows.append(row)
      groups[person]?.name = clusters.personNames[row]
    }
    var groupOf = Dictionary(uniqueKeysWithValues: groups.keys.map { ($0, $0) })
    for (pair, _) in distances.sorted(by: { ($0.value, $0.key) < ($1.value, $1.key) }) {
      let persons = [pair.a, pair.b].map { clusters.personIDs[Int($0)] }
      guard let a = groupOf[persons[0]], let b = groupOf[persons[1]], a != b,
        let left = groups[a], let right = groups[b], left.name == nil || right.name == nil,
        !left.persons.contains(where: { person in
          right.persons.contains { forbidden.contains(Pair(person, $0)) }
        })
      else { continue }
      var widest = max(left.widest, right.widest)
      var least = min(left.leastSurplus, right.leastSurplus)
      var isComplete = true
      for one in left.rows {
        for other in right.rows {
          let pair = Pair(Int64(one), Int64(other))
          guard let distance = distances[pair] else {
            isComplete = false
            break
          }
          widest = max(widest, distance)
          least = min(least, surpluses[pair] ?? 0)
        }
      }
      if !isComplete { continue }
      groups[a] = Group(
        persons: left.persons + right.persons, rows: left.rows + right.rows,
        name: left.name ?? right.name, widest: widest, leastSurplus: least)
      groups[b] = nil
      for person in right.persons { groupOf[person] = a }
    }
    return groups.values.filter { $0.persons.count > 1 }
      .map { suggestion($0, clusters) }.sorted { $0.heir < $1.heir }
  }

  private struct Group {
    var persons: [Int64]
    var rows: [Int] = []
    var name: String?
    var widest = CosineDistance(0)
    /// Least evidence beyond the threshold between two clusters of different persons.
    var leastSurplus = Double.infinity
  }

  /// Two ids, the smaller one first.
  private struct Pair: Hashable, Comparable {
    let a: Int64
    let b: Int64
    init(_ one: Int64, _ other: Int64) { (a, b) = (min(one, other), max(one, other)) }
    static func < (left: Pair, right: Pair) -> Bool { (left.a, left.b) < (right.a, right.b) }
  }

  private func suggestion(_ group: Group, _ clusters: LiveClusters) -> Suggestion {
    var faces: [Int64: Int] = [:]
    var named: Set<Int64> = []
    for row in group.rows {
      faces[clusters.personIDs[row], default: 0] += clusters.faceCounts[row]
      if clusters.personNames[row] != nil { named.insert(clusters.personIDs[row]) }
    }
    let heir =
      group.persons.max {
        (named.contains($0) ? 1 : 0, faces[$0] ?? 0, -$0)
          < (named.contains($1) ? 1 : 0, faces[$1] ?? 0, -$1)
      } ?? 0
    return Suggestion(
      heir: heir, others: group.persons.filter { $0 != heir }.sorted(), distance: group.widest,
      isSure: group.leastSurplus >= SimilarityCalibration.knownPersonMargin)
  }

  /// One question a person: whether its most central face belongs to the heir's nearest cluster.
  private func questions(
    _ suggestions: [Suggestion], _ clusters: LiveClusters
  ) -> [(cluster: Int64, question: CandidateQuestion)] {
    let rows = Dictionary(grouping: clusters.ids.indices) { clusters.personIDs[$0] }
    return suggestions.flatMap { suggestion in
      suggestion.others.compactMap { other in
        guard
          let largest = rows[other]?.max(by: {
            (clusters.faceCounts[$0], -$0) < (clusters.faceCounts[$1], -$1)
          }),
          let home = rows[suggestion.heir]?.min(by: {
            NearClusters.distance(clusters.references, largest, clusters.references, $0)
              < NearClusters.distance(clusters.references, largest, clusters.references, $1)
          })
        else { return nil }
        let distance = NearClusters.distance(
          clusters.references, largest, clusters.references, home)
        return (
          clusters.ids[largest],
          CandidateQuestion(
            detectionID: 0, clusterID: clusters.ids[home], similarity: Float(1 - distance.value),
            reason: CandidateQuestion.association)
        )
      }
    }
  }

  private func ask(
    _ questions: [(cluster: Int64, question: CandidateQuestion)],
    on connection: isolated PostgresConnection
  ) throws -> Int {
    let stored = try MaintenanceRepository(collection).stored(
      clusters: questions.map(\.cluster).sorted(), on: connection)
    // Whoever deletes a face comes before or after.
    let there = Set(
      try DetectionRepository(collection).lock(
        ids: stored.compactMap(\.medoidDetectionID).sorted(), on: connection
      ).map(\.id))
    let medoids = Dictionary(
      uniqueKeysWithValues: stored.map { cluster in
        (cluster.id, cluster.medoidDetectionID.flatMap { there.contains($0) ? $0 : nil })
      })
    let clusters = ClusterRepository(collection)
    return try ReviewRepository(collection).ask(
      questions.compactMap { cluster, question in
        guard let medoid = medoids[cluster] ?? nil,
          try clusters.isLive(question.clusterID, on: connection)
        else { return nil }
        var question = question
        question.detectionID = medoid
        return question
      }, on: connection)
  }
}
