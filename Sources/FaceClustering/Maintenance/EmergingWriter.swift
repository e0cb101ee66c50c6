internal import PersonGrouping
internal import PostgresClient
internal import Store
internal import Vectors

/// Puts groups of the pool where they belong, in one transaction.
struct EmergingWriter: Sendable {
  let collection: CollectionRecord
  let settings: StageSettings
  /// Smallest cluster.
  let minimum: Int

  struct Result: Sendable {
    /// Faces that got a cluster.
    var moved = 0
    var lines: [String] = []
  }

  /// The changes of a transaction, gathered before anything is written.
  private struct Plan {
    var placements: [Placement] = []
    var changes: MembershipChanges
    var born: [(facts: ClusterFacts, placements: [Placement])] = []
    var lines: [String] = []
  }

  /// Decides about the faces that are still in the pool, and writes what was decided.
  func apply(
    _ groups: [EmergingGroup], of faces: FaceSnapshot, dryRun: Bool,
    on connection: isolated PostgresConnection
  ) throws -> Result {
    if groups.isEmpty { return Result() }
    try CollectionLocks(collection).shareMembership(on: connection)
    let detections = DetectionRepository(collection)
    let wanted = groups.flatMap { group in group.members.map { faces.ids[$0.row] } }
    let free = Set(try detections.lockPool(wanted, on: connection))
    let photos = Set(
      faces.ids.indices.filter { free.contains(faces.ids[$0]) }.compactMap { faces.photoIDs[$0] })
    let context = try AssignmentContext.read(
      deciding: free.sorted(), photos: photos,
      except: UndecidedFaces(ids: [], reassignableAbove: nil), of: collection, settings: settings,
      on: connection)
    let typical = try MaintenanceRepository(collection).medianDistances(on: connection)
    var decider = AssignmentDecider(context)
    var plan = Plan(changes: MembershipChanges(dimension: collection.dimension))
    for group in groups {
      let members = tighten(
        group.members.filter { free.contains(faces.ids[$0.row]) }, faces, context)
      if members.count < minimum { continue }
      if let cluster = home(of: members, faces, context, typical: typical, decider) {
        absorb(members, into: cluster, faces, context.clusters, &decider, &plan)
      } else {
        bear(members, group, faces, &plan)
      }
    }
    let moved = plan.placements.count + plan.born.reduce(0) { $0 + $1.placements.count }
    if dryRun || moved == 0 { return Result(moved: moved, lines: plan.lines) }
    return Result(moved: try write(plan, on: connection), lines: plan.lines)
  }

  /// Drops who is not surely one person with the others, twice in a photo, or said to be another person.
  private func tighten(
    _ members: [EmergingGroup.Member], _ faces: FaceSnapshot, _ context: AssignmentContext
  ) -> [EmergingGroup.Member] {
    let radius = settings.poolThresholdFactor * settings.clusteringThreshold.value
    var members = members
    for _ in 0..<2 where !members.isEmpty {
      let facts = facts(of: members, faces, birth: nil, persistence: nil)
      members = members.filter { member in
        let distance = faces.embeddings.cosineDistance(member.row, to: facts.reference).value
        // A radius means another thing under every model, and evidence the same.
        guard let gates = context.evidence else { return distance <= radius }
        guard facts.faceCount > 1, let length = facts.referenceLength else { return false }
        return gates.evidence(
          product: (1 - distance) * length * Double(facts.faceCount), count: facts.faceCount)
          >= gates.calibration.assignmentGate
      }
    }
    if members.isEmpty { return [] }
    let middle = middle(of: members, faces)
    let byDistance = members.map {
      (member: $0, distance: faces.embeddings.cosineDistance($0.row, to: middle))
    }.sorted { ($0.distance, $0.member.row) < ($1.distance, $1.member.row) }
    var kept: [EmergingGroup.Member] = []
    var photos: Set<Int64> = []
    for (member, _) in byDistance {
      let others = context.prohibitions.detections[faces.ids[member.row]] ?? []
      if kept.contains(where: { others.contains(faces.ids[$0.row]) }) { continue }
      if settings.samePhotoExclusion, let photo = faces.photoIDs[member.row],
        !photos.insert(photo).inserted
      {
        continue
      }
      kept.append(member)
    }
    return kept.sorted { $0.row < $1.row }
  }

  private func middle(of members: [EmergingGroup.Member], _ faces: FaceSnapshot) -> [Float] {
    facts(of: members, faces, birth: nil, persistence: nil).reference
  }

  private func facts(
    of members: [EmergingGroup.Member], _ faces: FaceSnapshot, birth: Double?, persistence: Double?
  ) -> ClusterFacts {
    MemberFacts.facts(
      of: members.map {
        Member(
          detectionID: faces.ids[$0.row], embeddings: faces.embeddings, row: $0.row,
          isCore: isCore($0))
      }, dimension: collection.dimension,
      epsilon: birth.map { ClusterEpsilon.epsilon(lambdaBirth: $0, settings: settings) }
        ?? settings.clusteringThreshold,
      lambdaBirth: birth, persistence: persistence, origin: "emerging")
  }

  private func isCore(_ member: EmergingGroup.Member) -> Bool {
    member.probability >= settings.coreProbabilityThreshold
  }

  /// The cluster that the group belongs to, if it passes the gates as one face in its middle would.
  ///
  /// The mean of several faces of one person is nearer to that person than single faces are. So it must
  /// also be nearer than half of the cluster's own faces: strangers' means pass the other gates.
  private func home(
    of members: [EmergingGroup.Member], _ faces: FaceSnapshot, _ context: AssignmentContext,
    typical: [Int64: CosineDistance], _ decider: AssignmentDecider
  ) -> NearCluster? {
    let clusters = context.clusters
    if clusters.count == 0 { return nil }
    let middle = Matrix<Float>([middle(of: members, faces)])
    let near = NearClusters.within(
      faces: middle, clusters: clusters, radii: context.radii, threads: 1)[0]
    var decider = decider
    // No detection has this id, so that only what is said about clusters counts.
    guard
      case .assigned(let cluster, _, _, _) = decider.decide(
        detectionID: -1, photoID: nil, vote: nil, near: near),
      let home = near.first(where: { $0.cluster == cluster }),
      let typical = typical[clusters.ids[cluster]], home.distance <= typical
    else { return nil }
    return home
  }

  private func absorb(
    _ members: [EmergingGroup.Member], into home: NearCluster, _ faces: FaceSnapshot,
    _ clusters: LiveClusters, _ decider: inout AssignmentDecider, _ plan: inout Plan
  ) {
    let id = clusters.ids[home.cluster]
    var count = 0
    for member in members {
      let detection = faces.ids[member.row]
      // What people said about this very face, and its photo, may still close the cluster.
      guard
        case .assigned = decider.decide(
          detectionID: detection, photoID: faces.photoIDs[member.row], vote: nil, near: [home])
      else { continue }
      let distance = NearClusters.distance(
        faces.embeddings, member.row, clusters.references, home.cluster)
      plan.changes.move(faces.embeddings.row(member.row), from: nil, to: id)
      plan.placements.append(
        Placement(
          detectionID: detection, status: .auto, clusterID: id,
          confidence: Float(min(max(1 - distance.value, 0), 1)), tier: "emerging"))
      count += 1
    }
    if count > 0 { plan.lines.append("\(count) faces of the pool join cluster \(id)") }
  }

  private func bear(
    _ members: [EmergingGroup.Member], _ group: EmergingGroup, _ faces: FaceSnapshot,
    _ plan: inout Plan
  ) {
    let placements = members.map { member in
      Placement(
        detectionID: faces.ids[member.row], status: isCore(member) ? .hdbscanCore : .hdbscan,
        confidence: Float(member.probability), isCore: isCore(member),
        lambda: Float(member.lambda), outlierScore: Float(member.outlierScore), tier: "emerging")
    }
    plan.born.append(
      (
        facts(of: members, faces, birth: group.lambdaBirth, persistence: group.persistence),
        placements
      ))
    plan.lines.append("\(members.count) faces of the pool are a new cluster")
  }

  private func write(_ plan: Plan, on connection: isolated PostgresConnection) throws -> Int {
    let clusters = ClusterRepository(collection)
    var changes = plan.changes
    try changes.apply(clusters, on: connection)
    let ids = try clusters.create(
      plan.born.map(\.facts), persons: plan.born.map { _ in nil }, runID: nil, on: connection)
    let born = zip(ids, plan.born).flatMap { id, born in
      born.placements.map { placement in
        var placement = placement
        placement.clusterID = id
        return placement
      }
    }
    let moved = try DetectionRepository(collection).place(
      plan.placements + born, runID: try RunRepository(collection).activeID(on: connection),
      only: [.unassigned, .constrained], on: connection)
    try changes.settle(
      clusters, medoidThreshold: settings.medoidRecomputeThreshold, on: connection)
    // Single faces that wait near the new clusters may belong there.
    try WaitingFaces(collection: collection, settings: settings).tryAgain(near: ids, on: connection)
    try JobQueue().enqueueIfFacesAreNew(collection, on: connection)
    return moved.count
  }
}
