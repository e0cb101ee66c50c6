internal import Store

/// What people said that keeps planned clusters from being one person.
///
/// Of a planned cluster the faces count that are in it now, and the clusters and persons of which its faces were:
/// what was said of those holds wherever they go on.
struct PlannedProhibitions {
  private let prohibitions: Prohibitions
  /// Faces of whom something was said, by planned cluster.
  private var spokenOf: [Int: [Int64]] = [:]
  private var clusterOfFace: [Int64: Int] = [:]
  /// Old clusters that go on in each planned one.
  private var origins: [Set<Int64>]
  /// Their persons.
  private var persons: [Set<Int64>]
  private var apart: [Int64: Set<Int64>] = [:]

  /// - Complexity: O(n).
  init(_ input: BootstrapInput, _ plan: BootstrapPlan) {
    prohibitions = input.prohibitions
    origins = plan.clusters.map { Set([$0.existingID].compactMap { $0 }) }
    for planned in plan.lineage where planned.record.kind == "merged" {
      guard let cluster = planned.newCluster, let old = planned.record.oldClusterID else {
        continue
      }
      origins[cluster].insert(old)
    }
    for (old, cluster) in plan.heirs { origins[cluster].insert(old) }
    let personOf = Dictionary(uniqueKeysWithValues: zip(input.live.ids, input.live.personIDs))
    persons = zip(plan.clusters, origins).map { cluster, origins in
      Set(origins.compactMap { personOf[$0] } + [cluster.inheritedPersonID].compactMap { $0 })
    }
    for (a, b) in input.keptApart {
      apart[a, default: []].insert(b)
      apart[b, default: []].insert(a)
    }
    let spoken = Set(prohibitions.clusters.keys).union(prohibitions.persons.keys)
      .union(prohibitions.detections.keys)
    if spoken.isEmpty { return }
    for (index, cluster) in plan.clusters.enumerated() {
      for face in cluster.faces where spoken.contains(face) {
        spokenOf[index, default: []].append(face)
        clusterOfFace[face] = index
      }
    }
  }

  /// Whether nothing that people said keeps a cluster from those of a person.
  ///
  /// - Parameter person: nil for one that is born.
  func allows(_ cluster: Int, with others: [Int], person: Int64?) -> Bool {
    if let person {
      if persons[cluster].contains(where: { apart[$0]?.contains(person) ?? false }) { return false }
      if faces(of: cluster, speakAgainst: [], [person]) { return false }
    }
    return others.allSatisfy { other in
      !persons[cluster].contains { !(apart[$0]?.isDisjoint(with: persons[other]) ?? true) }
        && !faces(of: cluster, speakAgainst: origins[other], persons[other])
        && !faces(of: other, speakAgainst: origins[cluster], persons[cluster])
        && !(spokenOf[cluster] ?? []).contains { face in
          prohibitions.detections[face]?.contains { clusterOfFace[$0] == other } ?? false
        }
    }
  }

  /// Whether people said that a face is not of a person.
  ///
  /// - Parameters:
  ///   - clusters: the planned clusters of the person.
  ///   - person: nil for one that is born.
  func forbid(_ face: Int64, _ clusters: [Int], person: Int64?) -> Bool {
    isSaid(of: face, against: [], Set([person].compactMap { $0 }))
      || clusters.contains { isSaid(of: face, against: origins[$0], persons[$0]) }
  }

  private func faces(
    of cluster: Int, speakAgainst clusters: Set<Int64>, _ persons: Set<Int64>
  ) -> Bool {
    (spokenOf[cluster] ?? []).contains { isSaid(of: $0, against: clusters, persons) }
  }

  private func isSaid(
    of face: Int64, against clusters: Set<Int64>, _ persons: Set<Int64>
  ) -> Bool {
    !(prohibitions.clusters[face]?.isDisjoint(with: clusters) ?? true)
      || !(prohibitions.persons[face]?.isDisjoint(with: persons) ?? true)
  }
}
