internal import PostgresClient
internal import Store

extension HumanActions {
  /// "Not this person": faces leave the cluster that they are in, or that is named, and nothing but a
  /// human puts them back there or to its person.
  func reject(
    externalIDs: [String], from target: RejectionTarget?, on connection: isolated PostgresConnection
  ) throws -> HumanActionReport {
    try CollectionLocks(collection).ownMembership(on: connection)
    let found = try detections.find(externalIDs: externalIDs, on: connection)
    let ids = found.map(\.state.id)
    var targets: [(detectionID: Int64, clusterID: Int64?, personID: Int64?)] = []
    switch target {
    case .cluster(let id):
      let cluster = try clusters.find(id, on: connection)
      targets = ids.map { ($0, id, cluster.personID) }
    case .person(let id):
      _ = try persons.find(id, on: connection)
      let own = try clusters.ids(ofPersons: [id], on: connection)
      targets = ids.flatMap { face in
        [(face, nil, id)] + own.map { (face, $0, id) }
      }
    case nil:
      if let loose = found.first(where: { $0.state.clusterID == nil }) {
        throw HumanActionError.notAssigned(externalID: loose.externalID)
      }
      let own = found.compactMap(\.state.clusterID)
      let personOf = try persons.persons(ofClusters: own, on: connection)
      targets = found.map {
        ($0.state.id, $0.state.clusterID, $0.state.clusterID.flatMap { personOf[$0] })
      }
    }
    var scope = ActionScope(
      detections: Set(ids), clusters: Set(found.compactMap(\.state.clusterID)))
    let action = try begin("reject", scope, on: connection)
    let leaving = try forbid(
      targets, states: found.map(\.state), &scope, action: action, on: connection)
    let clusterIDs = Set(targets.compactMap(\.clusterID)).sorted()
    return try finish(
      action, "reject", scope,
      summary: "said of \(count(ids.count)) (\(found[0].externalID)"
        + "\(ids.count > 1 ? ", …" : "")): not person "
        + Set(targets.compactMap(\.personID)).sorted().map(String.init).joined(separator: ", "),
      moved: leaving, clusterIDs: clusterIDs,
      personIDs: Set(targets.compactMap(\.personID)).sorted(), on: connection)
  }

  /// Records what is forbidden, and takes the faces out of where they now may not be.
  ///
  /// - Returns: how many faces left a cluster.
  func forbid(
    _ targets: [(detectionID: Int64, clusterID: Int64?, personID: Int64?)],
    states: [DetectionState], _ scope: inout ActionScope, action: Int64,
    on connection: isolated PostgresConnection
  ) throws -> Int {
    scope.say(
      "forbidden", of: .prohibition, try review.forbid(targets, actor: actor, on: connection))
    let personOf = try persons.persons(
      ofClusters: states.compactMap(\.clusterID), on: connection)
    var forbiddenClusters: [Int64: Set<Int64>] = [:]
    var forbiddenPersons: [Int64: Set<Int64>] = [:]
    for target in targets {
      if let id = target.clusterID { forbiddenClusters[target.detectionID, default: []].insert(id) }
      if let id = target.personID { forbiddenPersons[target.detectionID, default: []].insert(id) }
    }
    let leaving = states.filter { state in
      guard let cluster = state.clusterID else { return false }
      return forbiddenClusters[state.id]?.contains(cluster) ?? false
        || personOf[cluster].map { forbiddenPersons[state.id]?.contains($0) ?? false } ?? false
    }.map(\.id)
    // Open questions about the same person are answered with that, too.
    for state in states {
      let named = try clusters.ids(
        ofPersons: forbiddenPersons[state.id] ?? [], on: connection)
      try review.answer(
        detectionID: state.id,
        clusters: Set(named).union(forbiddenClusters[state.id] ?? []).sorted(), accepted: false,
        actor: actor, on: connection)
    }
    try setAside(leaving, action: action, on: connection)
    try detections.setAside(
      try review.waitingWithoutQuestion(states.map(\.id), on: connection), actor: actor,
      actionID: action, on: connection)
    return leaving.count
  }

  /// Answers a question with yes.
  ///
  /// The face goes there by hand, and what else was asked is closed. Where it was asked whether two
  /// persons are one, they are one from now on, and no face moves.
  func accept(
    candidate id: Int64, on connection: isolated PostgresConnection
  ) throws -> HumanActionReport {
    try CollectionLocks(collection).ownMembership(on: connection)
    let candidate = try openCandidate(id, on: connection)
    let cluster = try liveCluster(candidate.clusterID, on: connection)
    let faces = try FaceReader(collection).faces(ids: [candidate.detectionID], on: connection)
    guard faces.count == 1 else {
      throw HumanActionError.noEmbedding(externalID: candidate.externalID)
    }
    let state = try detections.find(externalID: candidate.externalID, on: connection)
    if candidate.reason == CandidateQuestion.association, let own = state.clusterID {
      return try associate(candidate, ofCluster: own, on: connection)
    }
    var scope = ActionScope(
      detections: [state.id], clusters: Set([state.clusterID, cluster.id].compactMap { $0 }))
    scope.say("cluster_id", of: .detection, [state.id])
    let action = try begin("accept_candidate", scope, on: connection)
    // What was asked now is newer than what was forbidden before.
    try checkProhibitions(
      [(candidate.externalID, state)], targets: [cluster.id], anyway: true, on: connection)
    try review.answer(
      detectionID: state.id, clusters: [cluster.id], accepted: true, actor: actor, on: connection)
    try put([state], faces, into: [cluster.id], action: action, on: connection)
    return try finish(
      action, "accept_candidate", scope,
      summary: "candidate \(id): “\(candidate.externalID)” belongs to cluster \(cluster.id)",
      moved: state.clusterID == cluster.id ? 0 : 1, clusterIDs: [cluster.id],
      personIDs: [cluster.personID], on: connection)
  }

  /// Makes one person of the two that a question is about.
  ///
  /// The named one goes on, or else the one that was asked about. Two names are for people to choose
  /// from, so that neither is lost silently.
  private func associate(
    _ candidate: CandidateRecord, ofCluster own: Int64, on connection: isolated PostgresConnection
  ) throws -> HumanActionReport {
    let asked = try persons.find(try persons.person(ofCluster: own, on: connection), on: connection)
    let other = try persons.find(candidate.personID, on: connection)
    if let name = asked.name, let otherName = other.name, name != otherName, asked.id != other.id {
      throw HumanActionError.differentNames(
        candidate: candidate.id, person: asked.id, name: name, other: other.id,
        otherName: otherName)
    }
    let heir = other.name == nil && asked.name != nil ? asked : other
    let source = heir.id == other.id ? asked : other
    return try merge(
      persons: [source.id], into: heir.id, anyway: false, kind: "accept_candidate",
      answering: candidate, on: connection)
  }

  /// Answers questions with no: each face is not of that person, in none of the person's clusters.
  ///
  /// Where it was asked whether two persons are one, they never are. A question about the person with whom the
  /// face is by now is none, and is closed: nobody moves.
  func reject(
    candidates ids: [Int64], on connection: isolated PostgresConnection
  ) throws -> HumanActionReport {
    try CollectionLocks(collection).ownMembership(on: connection)
    let open = try ids.map { try openCandidate($0, on: connection) }
    let found = try detections.find(
      externalIDs: Set(open.map { ExactText($0.externalID) }).map(\.text), on: connection)
    let homes = Dictionary(
      uniqueKeysWithValues: found.compactMap { face in
        face.state.clusterID.map { (face.state.id, $0) }
      })
    let personOf = try persons.persons(ofClusters: Array(homes.values), on: connection)
    let candidates = open.filter { question in
      homes[question.detectionID].flatMap { personOf[$0] } != question.personID
    }
    var scope = ActionScope(
      detections: Set(found.map(\.state.id)),
      clusters: Set(found.compactMap(\.state.clusterID)))
    let action = try begin("reject_candidate", scope, on: connection)
    try MaintenanceRepository(collection).expire(
      questions: Set(open.map(\.id)).subtracting(candidates.map(\.id)).sorted(), on: connection)
    let moved = try forbid(
      candidates.map { ($0.detectionID, $0.clusterID, $0.personID) },
      states: found.map(\.state), &scope, action: action, on: connection)
    scope.say("kind", of: .constraint, try keepApart(candidates, on: connection))
    return try finish(
      action, "reject_candidate", scope,
      summary: "candidate \(ids.map(String.init).joined(separator: ", ")): "
        + "\(count(found.count)) (\(open[0].externalID)\(found.count > 1 ? ", …" : "")) "
        + (candidates.isEmpty ? "with that person by now" : "not there"),
      moved: moved, clusterIDs: Set(candidates.map(\.clusterID)).sorted(),
      personIDs: Set(candidates.map(\.personID)).sorted(), on: connection)
  }

  /// Two persons that are not one: no later fit may join their most central faces either.
  ///
  /// - Returns: ids of the rows that say so.
  private func keepApart(
    _ candidates: [CandidateRecord], on connection: isolated PostgresConnection
  ) throws -> [Int64] {
    try candidates.filter { $0.reason == CandidateQuestion.association }.compactMap { candidate in
      let medoid = try clusters.medoid(of: candidate.clusterID, on: connection)
      guard let medoid, medoid != candidate.detectionID else { return nil }
      return try review.constrain(
        candidate.detectionID, medoid, mustLink: false, actor: actor, on: connection)
    }
  }

  private func openCandidate(
    _ id: Int64, on connection: isolated PostgresConnection
  ) throws -> CandidateRecord {
    let candidate = try review.find(id, on: connection)
    guard candidate.status == "pending" else {
      throw HumanActionError.answered(
        candidate: id, status: candidate.status, by: candidate.decidedBy)
    }
    return candidate
  }
}

/// What faces are not.
public enum RejectionTarget: Sendable, Equatable {
  case cluster(Int64)
  /// Any of the person's clusters, now and later.
  case person(Int64)
}
