internal import PostgresClient
internal import Store
internal import Vectors

/// Compares what is stored about clusters with their members, some clusters a transaction.
struct ClusterUpkeep: Sendable {
  let pool: PostgresPool
  let collection: CollectionRecord
  let settings: StageSettings
  let dryRun: Bool

  /// Vectors that are read at once, unless one cluster has more.
  private static let facesAtOnce = 20_000

  /// What only looks reads one snapshot and locks nothing, as also a server that cannot write allows.
  private var mode: TransactionMode { dryRun ? .snapshot : .readCommitted }

  /// The clusters that live, cut into parts that can be read at once.
  func parts() async throws -> [[Int64]] {
    let repository = MaintenanceRepository(collection)
    var parts: [[Int64]] = []
    var faces = 0
    let sizes = try await pool.withTransaction { try repository.liveSizes(on: $0) }
    for cluster in sizes {
      if parts.isEmpty || faces + cluster.faceCount > Self.facesAtOnce || parts.last?.count == 500 {
        parts.append([])
        faces = 0
      }
      parts[parts.count - 1].append(cluster.id)
      faces += cluster.faceCount
    }
    return parts
  }

  /// Makes counts, sums and centroids anew where they differ from their members'.
  func recount(_ outcome: inout MaintenanceOutcome) async throws {
    for part in try await parts() {
      let (upkeep, collection) = (self, collection)
      let lines = try await pool.withTransaction(mode) { connection in
        // While this is held nobody changes the counts, or the members that they count.
        if !upkeep.dryRun { try CollectionLocks(collection).shareMembership(on: connection) }
        return try upkeep.recount(part, on: connection)
      }
      outcome.examined += part.count
      outcome.changed += lines.count
      outcome.find(lines)
    }
  }

  private func recount(
    _ ids: [Int64], on connection: isolated PostgresConnection
  ) throws -> [String] {
    let clusters = ClusterRepository(collection)
    let repository = MaintenanceRepository(collection)
    let sums =
      dryRun ? try clusters.sums(of: ids, on: connection) : try clusters.lock(ids, on: connection)
    let stored = try repository.stored(clusters: ids, on: connection)
    let core = try repository.coreMembers(ofClusters: ids, on: connection)
    let faces = try FaceReader(collection).members(ofClusters: ids, on: connection)
    var rows: [Int64: [Int]] = [:]
    for (row, cluster) in faces.clusterIDs.enumerated() {
      if let cluster { rows[cluster, default: []].append(row) }
    }
    var lines: [String] = []
    var wrong: [ClusterSum] = []
    for (old, stored) in zip(sums, stored) {
      let members = rows[old.id] ?? []
      let fresh = ClusterSum(
        id: old.id, faceCount: members.count,
        coreCount: members.count { core.contains(faces.ids[$0]) },
        sum: MemberFacts.sum(usable(members, of: faces), dimension: collection.dimension))
      guard let fault = fault(of: old, centroid: stored.centroid, against: fresh) else { continue }
      lines.append("cluster \(old.id): \(fault)")
      wrong.append(fresh)
    }
    if !dryRun { try clusters.update(wrong, on: connection) }
    return lines
  }

  /// What is wrong with a stored sum, if more than the rounding of adding one by one.
  private func fault(
    of old: ClusterSum, centroid: [Float], against fresh: ClusterSum
  ) -> String? {
    if old.faceCount != fresh.faceCount {
      return "\(old.faceCount) faces where there are \(fresh.faceCount)"
    }
    if old.coreCount != fresh.coreCount {
      return "\(old.coreCount) core faces where there are \(fresh.coreCount)"
    }
    let tolerance = 1e-10 * Double(1 + fresh.faceCount)
    guard zip(old.sum, fresh.sum).allSatisfy({ abs($0 - $1) <= tolerance }) else {
      return "a sum that is not that of its members"
    }
    // An empty cluster keeps its last direction.
    if fresh.faceCount == 0
      || centroid.count == collection.dimension
        && zip(centroid, fresh.centroid).allSatisfy({ abs($0 - $1) <= 1e-6 })
    {
      return nil
    }
    return "a centroid that is not the direction of its sum"
  }

  /// Makes medoids anew where they differ.
  func renewMedoids(_ outcome: inout MaintenanceOutcome) async throws {
    for part in try await parts() {
      let (upkeep, collection) = (self, collection)
      let changed = try await pool.withTransaction(mode) { connection in
        if !upkeep.dryRun { try CollectionLocks(collection).shareMembership(on: connection) }
        return try upkeep.renewMedoids(part, on: connection)
      }
      outcome.examined += part.count
      outcome.changed += changed
    }
  }

  private func renewMedoids(
    _ ids: [Int64], on connection: isolated PostgresConnection
  ) throws -> Int {
    let clusters = ClusterRepository(collection)
    if !dryRun { _ = try clusters.lock(ids, on: connection) }
    let stored = try MaintenanceRepository(collection).stored(clusters: ids, on: connection)
    let faces = try FaceReader(collection).members(ofClusters: ids, on: connection)
    var rows: [Int64: [Int]] = [:]
    for (row, cluster) in faces.clusterIDs.enumerated() {
      if let cluster { rows[cluster, default: []].append(row) }
    }
    var medoids: [Int64: Int64] = [:]
    for cluster in stored {
      let medoid = MemberFacts.medoid(
        of: usable(rows[cluster.id] ?? [], of: faces), dimension: collection.dimension)
      if let medoid, medoid != cluster.medoidDetectionID || cluster.changedSinceMedoid > 0 {
        medoids[cluster.id] = medoid
      }
    }
    if !dryRun { try clusters.setMedoids(medoids, on: connection) }
    return medoids.count
  }

  private func usable(_ rows: [Int], of faces: FaceSnapshot) -> [Member] {
    rows.filter {
      UnusableEmbeddings.isUsable(faces.embeddings.row($0), count: collection.dimension)
    }.map {
      Member(detectionID: faces.ids[$0], embeddings: faces.embeddings, row: $0, isCore: false)
    }
  }

  /// Says how far the faces since the fit are from what their clusters were, cluster by cluster.
  ///
  /// Relative drift is (mean distance of the new faces − that of the fit's) / that of the fit's, all
  /// to the reference centroid.
  func measureDrift(_ outcome: inout MaintenanceOutcome) async throws {
    let collection = collection
    let active = try await pool.withTransaction {
      try RunRepository(collection).activeID(on: $0)
    }
    guard let active else {
      outcome.find(["no run is active, so there is nothing to compare with"])
      return
    }
    var drifts: [(drift: Double, line: String)] = []
    var tooFew = 0
    for part in try await parts() {
      let (faces, origins, live) = try await pool.withTransaction(.snapshot) { connection in
        (
          try FaceReader(collection).members(ofClusters: part, on: connection),
          try MaintenanceRepository(collection).origins(
            ofClusters: part, runID: active, on: connection),
          try ClusterRepository(collection).live(on: connection)
        )
      }
      var sums: [Int64: (fitted: Mean, arrived: Mean)] = [:]
      let row = Dictionary(uniqueKeysWithValues: live.ids.enumerated().map { ($1, $0) })
      for (face, id) in faces.ids.enumerated() {
        guard let cluster = faces.clusterIDs[face], let reference = row[cluster] else { continue }
        let distance = NearClusters.distance(faces.embeddings, face, live.references, reference)
        // Spoilt vectors tell nothing about drift.
        if !distance.value.isFinite { continue }
        if origins.fitted.contains(id) {
          sums[cluster, default: (Mean(), Mean())].fitted.add(distance.value)
        } else if origins.arrived.contains(id) {
          sums[cluster, default: (Mean(), Mean())].arrived.add(distance.value)
        }
      }
      outcome.examined += part.count
      for (cluster, (fitted, arrived)) in sums {
        guard arrived.count >= Self.fewestArrivals, fitted.count > 0, fitted.value > 0 else {
          if arrived.count > 0 { tooFew += 1 }
          continue
        }
        let drift = (arrived.value - fitted.value) / fitted.value
        drifts.append(
          (
            drift,
            "cluster \(cluster): \(percent(drift)) (\(arrived.count) new faces at "
              + "\(rounded(arrived.value)), \(fitted.count) of the fit at \(rounded(fitted.value)))"
          ))
      }
    }
    outcome.find(
      drifts.sorted { ($0.drift, $1.line) > ($1.drift, $0.line) }.map(\.line))
    if tooFew > 0 {
      outcome.find(["\(tooFew) clusters have fewer than \(Self.fewestArrivals) new faces"])
    }
  }

  /// New faces from which the drift of a cluster means something.
  private static let fewestArrivals = 5

  private struct Mean {
    var count = 0
    private var sum = 0.0
    var value: Double { sum / Double(max(count, 1)) }
    mutating func add(_ value: Double) {
      count += 1
      sum += value
    }
  }

  private func percent(_ share: Double) -> String {
    "\(share < 0 ? "−" : "+")\(Int((abs(share) * 100).rounded())) %"
  }

  private func rounded(_ value: Double) -> String { "\((value * 1000).rounded() / 1000)" }
}
