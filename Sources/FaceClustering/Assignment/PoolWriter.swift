internal import PostgresClient
internal import Store
internal import Vectors

/// Turns groups of the pool into clusters, in one transaction.
struct PoolWriter {
  let collection: CollectionRecord
  let settings: StageSettings
  let models: ModelCache
  let threads: Int

  /// What came of the pool.
  struct Outcome: Sendable {
    var clusters = 0
    /// Faces that are in one of the new clusters.
    var taken: Set<Int64> = []
    /// Faces that waited and whose embedding became unusable meanwhile.
    var invalid: [InvalidFace] = []
    var invalidCount = 0
  }

  /// Forms clusters among the faces that wait.
  ///
  /// Groups are looked for around the given faces and around those that joined the pool while nobody
  /// came to look, because a process ended between two transactions, say.
  ///
  /// - Parameters:
  ///   - decided: faces that joined or stayed in the pool just now.
  ///   - work: what else is to be done there; nil looks for it.
  /// - Throws: `CancellationError` where the task is cancelled meanwhile; the transaction is then to be undone.
  func form(
    around decided: Set<Int64>, _ work: PoolWork? = nil, on connection: isolated PostgresConnection
  ) throws -> Outcome {
    var outcome = Outcome()
    try CollectionLocks(collection).shareMembership(on: connection)
    let detections = DetectionRepository(collection)
    let work = try work ?? detections.poolWork(on: connection)
    // What is still new after all batches and has no embedding would wait for ever.
    let bare = work.hasBareFaces ? try detections.lockNewWithoutEmbedding(on: connection) : []
    if !bare.isEmpty {
      outcome.invalid = try detections.setAside(
        bare.map { ($0, "it has no embedding") },
        runID: try RunRepository(collection).activeID(on: connection), on: connection)
      outcome.invalidCount = bare.count
    }
    let seeds = work.seeds
    let newIDs = decided.union(seeds)
    if newIDs.isEmpty { return outcome }
    // A face alone is no group, whatever a caller of the library asks for.
    let minimum = max(settings.unassignedClusterThreshold, 2)
    let radius =
      try EvidenceGates.inForce(collection, settings, on: connection)?.poolRadius
      ?? CosineDistance(settings.poolThresholdFactor * settings.clusteringThreshold.value)
    let groups = PoolGroups(
      radius: radius, minimum: minimum, samePhotoExclusion: settings.samePhotoExclusion,
      threads: threads)
    let known = try models.pool(of: collection, on: connection)
    // What is remembered tells who may be in a group; who is, is read anew.
    let candidates = try groups.candidates(
      in: known.faces, screen: known.screen.screen, newIDs: newIDs
    ).union(known.unusable)
    var pool = try FaceReader(collection).pool(
      settings.eligibility, among: candidates.sorted(), on: connection)
    let unusable = UnusableEmbeddings.reasons(in: pool.embeddings)
    let damaged = unusable.map { (id: pool.ids[$0.key], reason: $0.value) }
    if !unusable.isEmpty {
      pool = pool.selecting(rows: pool.ids.indices.filter { unusable[$0] == nil })
    }
    let prohibitions = try ReviewRepository(collection).prohibitions(
      detections: pool.ids, on: connection)
    let found = try groups.find(in: pool, newIDs: newIDs, prohibitions: prohibitions)
    if found.isEmpty && damaged.isEmpty {
      try detections.clearPoolSeeds(seeds.sorted(), alone: bare.isEmpty, on: connection)
      return outcome
    }
    // Another worker may have taken members meanwhile, or a human said that two are not one: lock
    // what is still free, look at what is forbidden again, then count.
    let wanted = found.flatMap { group in group.map { pool.ids[$0] } }
    let free = Set(
      try detections.lockPool(
        Set(wanted).union(seeds).union(damaged.map(\.id)).sorted(), on: connection))
    try detections.clearPoolSeeds(
      seeds.intersection(free).sorted(), alone: false, on: connection)
    let forbidden = try ReviewRepository(collection).prohibitions(
      detections: free.sorted(), on: connection
    ).detections
    let formed = found.map { group in
      group.reduce(into: [Int]()) { members, row in
        guard free.contains(pool.ids[row]) else { return }
        // Asked of few: of a burst every member would be compared with every other.
        if let others = forbidden[pool.ids[row]],
          members.contains(where: { others.contains(pool.ids[$0]) })
        {
          return
        }
        members.append(row)
      }
    }.filter { $0.count >= minimum }
    let facts = try formed.map { group in
      try Task.checkCancellation()
      return MemberFacts.facts(
        of: group.map {
          Member(
            detectionID: pool.ids[$0], embeddings: pool.embeddings, row: $0, isCore: false)
        }, dimension: collection.dimension, epsilon: radius, lambdaBirth: nil, persistence: nil,
        origin: "pool")
    }
    let ids = try ClusterRepository(collection).create(
      facts, persons: facts.map { _ in nil }, runID: nil, on: connection)
    var placements: [Placement] = []
    for (index, group) in formed.enumerated() {
      for row in group {
        let distance = pool.embeddings.cosineDistance(row, to: facts[index].reference)
        placements.append(
          Placement(
            detectionID: pool.ids[row], status: .auto, clusterID: ids[index],
            confidence: Float(min(max(1 - distance.value, 0), 1)), tier: "pool"))
      }
    }
    let runID = try RunRepository(collection).activeID(on: connection)
    let moved = try detections.place(placements, runID: runID, on: connection)
    outcome.clusters = formed.count
    outcome.taken = Set(moved)
    let invalid = damaged.filter { free.contains($0.id) }
    outcome.invalid += try detections.setAside(invalid, runID: runID, on: connection)
    outcome.invalidCount += invalid.count
    return outcome
  }
}

extension Matrix where Scalar == Float {
  func cosineDistance(_ row: Int, to reference: [Float]) -> CosineDistance {
    var product = 0.0
    let vector = self.row(row)
    for column in 0..<columns { product += Double(vector[column]) * Double(reference[column]) }
    return CosineDistance(max(1 - product, 0))
  }
}
