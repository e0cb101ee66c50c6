internal import PostgresClient
internal import Store
internal import Vectors

/// Where a face is after a human put it there.
public struct HumanAssignment: Sendable, Codable, Equatable {
  /// Id that the detection stage gave.
  public var externalID: String
  /// Cluster in which the face was before, if any.
  @OrNull public var oldClusterID: Int64?
  /// Cluster in which it is now.
  public var clusterID: Int64
  /// Person of that cluster.
  public var personID: Int64

  enum CodingKeys: String, CodingKey {
    case externalID = "external_id"
    case oldClusterID = "old_cluster_id"
    case clusterID = "cluster_id"
    case personID = "person_id"
  }
}

extension HumanActions {
  /// Assigns faces: status `manual`, counts and centroids follow, no epsilon changes.
  func assign(
    externalIDs: [String], to target: HumanTarget, anyway: Bool,
    on connection: isolated PostgresConnection
  ) throws -> (report: HumanActionReport, assignments: [HumanAssignment]) {
    if case .newPerson(let name) = target { try PersonName.check(name) }
    try CollectionLocks(collection).ownMembership(on: connection)
    let found = try detections.find(externalIDs: externalIDs, on: connection)
    let ids = found.map(\.state.id)
    let faces = try FaceReader(collection).faces(ids: ids, on: connection)
    if let missing = found.first(where: { !faces.ids.contains($0.state.id) }) {
      throw HumanActionError.noEmbedding(externalID: missing.externalID)
    }
    let existing = try resolve(target, faces, on: connection)
    var scope = ActionScope(
      detections: Set(ids), clusters: Set(found.compactMap(\.state.clusterID) + existing))
    scope.say("cluster_id", of: .detection, ids)
    if case .person = target { scope.say("person_id", of: .cluster, Set(existing)) }
    let action = try begin("assign", scope, on: connection)
    let targets: [Int64]
    if case .newPerson(let name) = target {
      if let row = UnusableEmbeddings.reasons(in: faces.embeddings).keys.min() {
        throw HumanActionError.unusableEmbedding(externalID: found[row].externalID)
      }
      let clusterID = try bear(faces, on: connection)
      let personID = try persons.person(ofCluster: clusterID, on: connection)
      if let name { try persons.name(personID, name, on: connection) }
      scope.clusters.insert(clusterID)
      scope.persons.insert(personID)
      targets = ids.map { _ in clusterID }
    } else {
      targets = existing
    }
    try checkProhibitions(found, targets: targets, anyway: anyway, on: connection)
    try put(found.map(\.state), faces, into: targets, action: action, on: connection)
    let personOf = try persons.persons(ofClusters: targets, on: connection)
    let assignments = found.indices.map { index in
      HumanAssignment(
        externalID: found[index].externalID, oldClusterID: found[index].state.clusterID,
        clusterID: targets[index], personID: personOf[targets[index]] ?? 0)
    }
    let clusterIDs = Set(targets).sorted()
    let report = try finish(
      action, "assign", scope,
      summary: "put \(count(ids.count)) (\(found[0].externalID)"
        + "\(ids.count > 1 ? ", …" : "")) into cluster "
        + clusterIDs.map(String.init).joined(separator: ", "),
      moved: assignments.count { $0.oldClusterID != $0.clusterID }, clusterIDs: clusterIDs,
      personIDs: Set(personOf.values).sorted(), on: connection)
    if existing.isEmpty { try waiting.tryAgain(near: clusterIDs, on: connection) }
    return (report, assignments)
  }

  /// Moves faces by hand and closes the questions about them.
  func put(
    _ states: [DetectionState], _ faces: FaceSnapshot, into targets: [Int64], action: Int64,
    on connection: isolated PostgresConnection
  ) throws {
    var changes = MembershipChanges(dimension: collection.dimension)
    for index in states.indices {
      changes.move(
        faces.embeddings.row(index), from: states[index].clusterID, to: targets[index],
        wasCore: states[index].isCore)
    }
    try changes.apply(clusters, on: connection)
    for cluster in Set(targets).sorted() {
      try detections.placeByHand(
        states.indices.filter { targets[$0] == cluster }.map { states[$0].id },
        clusterID: cluster, actor: actor, actionID: action, on: connection)
    }
    try changes.settle(
      clusters, medoidThreshold: settings.medoidRecomputeThreshold, on: connection)
    let ids = states.map(\.id)
    try clusters.forgetRepresentatives(ids, on: connection)
    try review.expire(detections: ids, on: connection)
  }

  /// The cluster for each face, of those that exist; none for a new person.
  private func resolve(
    _ target: HumanTarget, _ faces: FaceSnapshot, on connection: isolated PostgresConnection
  ) throws -> [Int64] {
    switch target {
    case .cluster(let id):
      return [Int64](
        repeating: try liveCluster(id, on: connection).id, count: faces.count)
    case .person(let personID):
      _ = try livePerson(personID, on: connection)
      let own = try clusters.live(ofPerson: personID, on: connection)
      if own.count == 0 { throw HumanActionError.noCluster(person: personID) }
      return faces.ids.indices.map { row in
        let nearest = own.ids.indices.min {
          NearClusters.distance(faces.embeddings, row, own.references, $0)
            < NearClusters.distance(faces.embeddings, row, own.references, $1)
        }
        return own.ids[nearest ?? 0]
      }
    case .newPerson: return []
    }
  }

  /// A cluster without members yet, in the direction of these faces.
  private func bear(
    _ faces: FaceSnapshot, on connection: isolated PostgresConnection
  ) throws -> Int64 {
    var facts = MemberFacts.facts(
      of: faces.ids.enumerated().map {
        Member(detectionID: $1, embeddings: faces.embeddings, row: $0, isCore: false)
      }, dimension: collection.dimension, epsilon: CosineDistance(0), lambdaBirth: nil,
      persistence: nil, origin: "manual")
    facts.faceCount = 0
    facts.sum = [Double](repeating: 0, count: collection.dimension)
    // A human's word is no evidence of density.
    facts.epsilon = nil
    facts.distanceQuantiles = []
    return try clusters.create([facts], persons: [nil], runID: nil, on: connection)[0]
  }

  /// Refuses what people said is not so, or takes back that they said it.
  func checkProhibitions(
    _ found: [(externalID: String, state: DetectionState)], targets: [Int64], anyway: Bool,
    on connection: isolated PostgresConnection
  ) throws {
    let ids = found.map(\.state.id)
    let forbidden = try review.prohibitions(detections: ids, on: connection)
    let personOf = try persons.persons(ofClusters: targets, on: connection)
    var personOfFace = try review.persons(
      ofDetections: forbidden.detections.values.flatMap { $0 }.sorted(),
      except: UndecidedFaces(ids: [], reassignableAbove: nil), on: connection)
    for (index, id) in ids.enumerated() { personOfFace[id] = personOf[targets[index]] }
    var different: [(a: Int64, b: Int64)] = []
    for (index, face) in found.enumerated() {
      let (id, cluster) = (face.state.id, targets[index])
      let person = personOf[cluster] ?? 0
      if forbidden.clusters[id]?.contains(cluster) ?? false
        || forbidden.persons[id]?.contains(person) ?? false
      {
        guard anyway else {
          throw HumanActionError.forbidden(externalID: face.externalID, cluster: cluster)
        }
        try review.allow(
          detections: [id], clusters: [cluster], persons: [person], on: connection)
      }
      for other in (forbidden.detections[id] ?? []).sorted() where personOfFace[other] == person {
        guard anyway else {
          throw HumanActionError.differentFace(
            externalID: face.externalID,
            other: try detections.externalIDs(of: [other], on: connection)[other] ?? "\(other)",
            cluster: cluster)
        }
        different.append((id, other))
      }
    }
    try review.forgetPairs(different, on: connection)
  }
}
