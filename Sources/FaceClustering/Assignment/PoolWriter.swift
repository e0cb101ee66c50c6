internal import PostgresClient
internal import Store
internal import Vectors

/// Turns groups of the pool into clusters, in one transaction.
struct PoolWriter {
  let collection: CollectionRecord
  let settings: StageSettings

  /// Forms clusters among the faces that wait.
  ///
  /// - Parameter newIDs: faces that joined the pool since groups were last looked for.
  /// - Returns: how many clusters were born and which faces they took.
  func form(
    around newIDs: Set<Int64>, on connection: isolated PostgresConnection
  ) throws -> (clusters: Int, taken: Set<Int64>) {
    if newIDs.isEmpty { return (0, []) }
    try CollectionLocks(collection).shareMembership(on: connection)
    let pool = try FaceReader(collection).pool(settings.eligibility, on: connection)
    let prohibitions = try ReviewRepository(collection).prohibitions(
      detections: pool.ids, on: connection)
    // A face alone is no group, whatever a caller of the library asks for.
    let minimum = max(settings.unassignedClusterThreshold, 2)
    let radius = CosineDistance(
      settings.poolThresholdFactor * settings.clusteringThreshold.value)
    let found = PoolGroups(
      radius: radius, minimum: minimum,
      samePhotoExclusion: settings.samePhotoExclusion
    ).find(in: pool, newIDs: newIDs, prohibitions: prohibitions)
    // Another worker may have taken members meanwhile, or a human said that two are not one: lock
    // what is still free, look at what is forbidden again, then count.
    let free = Set(
      try DetectionRepository(collection).lockPool(
        found.flatMap { group in group.map { pool.ids[$0] } }, on: connection))
    let forbidden = try ReviewRepository(collection).prohibitions(
      detections: free.sorted(), on: connection
    ).detections
    let groups = found.map { group in
      group.reduce(into: [Int]()) { members, row in
        let others = forbidden[pool.ids[row]] ?? []
        if free.contains(pool.ids[row]), !members.contains(where: { others.contains(pool.ids[$0]) })
        {
          members.append(row)
        }
      }
    }.filter { $0.count >= minimum }
    let facts = groups.map { group in
      MemberFacts.facts(
        of: group.map {
          Member(
            detectionID: pool.ids[$0], embeddings: pool.embeddings, row: $0, isCore: false)
        }, dimension: collection.dimension, epsilon: radius, lambdaBirth: nil, persistence: nil,
        origin: "pool")
    }
    let ids = try ClusterRepository(collection).create(
      facts, persons: facts.map { _ in nil }, runID: nil, on: connection)
    var placements: [Placement] = []
    for (index, group) in groups.enumerated() {
      for row in group {
        let distance = pool.embeddings.cosineDistance(row, to: facts[index].reference)
        placements.append(
          Placement(
            detectionID: pool.ids[row], status: .auto, clusterID: ids[index],
            confidence: Float(min(max(1 - distance.value, 0), 1)), tier: "pool"))
      }
    }
    let runID = try RunRepository(collection).activeID(on: connection)
    let moved = try DetectionRepository(collection).place(
      placements, runID: runID, on: connection)
    return (groups.count, Set(moved))
  }
}

extension Matrix where Scalar == Float {
  func cosineDistance(_ row: Int, to reference: [Float]) -> CosineDistance {
    var product = 0.0
    let vector = self.row(row)
    for column in 0..<columns { product += Double(vector[column]) * Double(reference[column]) }
    return CosineDistance(max(0, 1 - product))
  }
}
