internal import FaceClustering
internal import Store
internal import Synchronization

/// Compares where the demo's faces ended with whose they are.
struct DemoOutcome {
  let peopleCount: Int
  let largest: [DemoReport.Person]
  let tiers: [DemoReport.Tier]

  /// Reads every assignment of the demo's collection.
  init(_ stage: FaceClustering, _ faces: DemoFaces) async throws {
    let rows = Mutex<[AssignmentRow]>([])
    try await stage.exportAssignments { row in rows.withLock { $0.append(row) } }
    let assignments = rows.withLock { $0 }
    // Whose a person is, is told by the library alone: the arrivals are judged by it.
    var members: [Int64: [Int: Int]] = [:]
    var all: [Int64: [Int: Int]] = [:]
    for row in assignments {
      guard let person = row.personID, let identity = faces.truth[ExactText(row.externalID)] else {
        continue
      }
      all[person, default: [:]][identity, default: 0] += 1
      if !faces.arrivalIDs.contains(row.externalID) {
        members[person, default: [:]][identity, default: 0] += 1
      }
    }
    let owners = members.compactMapValues(Self.majority)
    peopleCount = all.count
    largest = all.map { person, identities in
      let owner = Self.majority(identities) ?? -1
      return DemoReport.Person(
        personId: person, faces: identities.values.reduce(0, +), identity: owner,
        facesOfIdentity: identities[owner] ?? 0)
    }
    .sorted { ($1.faces, $0.personId) < ($0.faces, $1.personId) }
    .prefix(5).map { $0 }
    tiers = Self.tiers(assignments.filter { faces.arrivalIDs.contains($0.externalID) }) { row in
      row.personID.flatMap { owners[$0] }.map { $0 == faces.truth[ExactText(row.externalID)] }
    }
  }

  private static func majority(_ identities: [Int: Int]) -> Int? {
    identities.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
  }

  private static func tiers(
    _ arrivals: [AssignmentRow], isRight: (AssignmentRow) -> Bool?
  ) -> [DemoReport.Tier] {
    let names = [
      ("predict", "tier 1, the model"), ("epsilon_ball", "tier 2, an epsilon ball"),
      ("pool", "the pool, a new cluster"),
    ]
    var tiers = names.map { tier, title in
      let decided = arrivals.filter { $0.clusterID != nil && $0.tier == tier }
      let judged = decided.compactMap(isRight)
      return DemoReport.Tier(
        tier: title, faces: decided.count, right: judged.count { $0 },
        wrong: judged.count { !$0 })
    }
    for (status, title) in [("pending", "asked: several people are near")] {
      tiers.append(
        DemoReport.Tier(
          tier: title, faces: arrivals.count { $0.status == status }, right: nil, wrong: nil))
    }
    tiers.append(
      DemoReport.Tier(
        tier: "nobody: waits in the pool",
        faces: arrivals.count { $0.status == "unassigned" || $0.status == "constrained" },
        right: nil, wrong: nil))
    return tiers
  }
}
