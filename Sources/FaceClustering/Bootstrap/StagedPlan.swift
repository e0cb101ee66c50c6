internal import PostgresClient
internal import Store

/// What of a plan is on the server already, so that a later plan brings only what differs.
///
/// A bootstrap plans once before it takes the membership of the collection for itself, and again when
/// nobody else changes anything. The second plan is what happens; most of it is that of the first.
struct StagedPlan {
  /// A cluster of the same label and the same id is the same in every plan of a bootstrap.
  private struct Key: Hashable {
    var label: Int?
    var existingID: Int64?
  }

  private typealias Placed = (placement: Placement, number: Int?)

  private let staging: BootstrapStaging
  private var numbers: [Key: Int] = [:]
  /// Of the clusters that exist, what was brought last; a new cluster is written when it is made.
  private var shapes: [BootstrapStaging.Shape?] = []
  /// By detection id.
  private var placed: [Placed] = []

  init(_ staging: BootstrapStaging, on connection: isolated PostgresConnection) throws {
    self.staging = staging
    try staging.begin(on: connection)
  }

  /// Brings what differs from what is there.
  ///
  /// - Returns: the number of each cluster of the plan.
  mutating func bring(
    _ planned: PlannedBootstrap, on connection: isolated PostgresConnection
  ) throws -> [Int] {
    let plan = planned.plan
    let isFirst = shapes.isEmpty
    let numbers = plan.clusters.map { number(of: $0) }
    let overtaken = isFirst ? [] : try staging.changedSince(on: connection)
    var brought: [(number: Int, shape: BootstrapStaging.Shape)] = []
    for (number, cluster) in zip(numbers, plan.clusters) {
      guard let id = cluster.existingID else { continue }
      let shape = BootstrapStaging.Shape(
        id: id, facts: cluster.facts, hasNewReference: planned.hasNewReference(cluster))
      if shapes[number] == shape, !overtaken.contains(number) { continue }
      shapes[number] = shape
      brought.append((number, shape))
    }
    try staging.put(brought, on: connection)
    let wanted = plan.placements.map { planned in
      (placement: planned.placement, number: planned.cluster.map { numbers[$0] })
    }.sorted { $0.placement.detectionID < $1.placement.detectionID }
    let (added, gone) = difference(wanted)
    try staging.removePlacements(gone, on: connection)
    try staging.put(added, on: connection)
    if isFirst { try staging.count(on: connection) }
    placed = wanted
    return numbers
  }

  private mutating func number(of cluster: PlannedCluster) -> Int {
    let key = Key(label: cluster.label, existingID: cluster.existingID)
    if let known = numbers[key] { return known }
    numbers[key] = shapes.count
    shapes.append(nil)
    return shapes.count - 1
  }

  /// Placements that are not there as they are wanted, and faces whose placement is not wanted.
  private func difference(_ wanted: [Placed]) -> (added: [Placed], gone: [Int64]) {
    var (added, gone): ([Placed], [Int64]) = ([], [])
    var next = 0
    for place in wanted {
      let id = place.placement.detectionID
      while next < placed.count, placed[next].placement.detectionID < id {
        gone.append(placed[next].placement.detectionID)
        next += 1
      }
      if next < placed.count, placed[next].placement.detectionID == id {
        let isSame = placed[next] == place
        next += 1
        if isSame { continue }
        gone.append(id)
      }
      added.append(place)
    }
    return (added, gone + placed[next...].map(\.placement.detectionID))
  }
}
