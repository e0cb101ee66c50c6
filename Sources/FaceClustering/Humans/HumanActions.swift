internal import PostgresClient
internal import Store
internal import Vectors

/// Where a human wants a face.
public enum HumanTarget: Sendable, Equatable {
  case cluster(Int64)
  /// The person's cluster that is nearest to the face.
  case person(Int64)
  /// A person that did not exist before, with a name or without.
  case newPerson(name: String?)
}

/// What a human does, each action in the caller's transaction and in the log.
///
/// Every action begins by taking the membership of the collection for itself: people act seldom and
/// shortly, and so nothing that they look at moves before they have changed it.
struct HumanActions {
  let collection: CollectionRecord
  let settings: StageSettings
  let actor: String?
  /// What this process remembers of the pool; nil reads it.
  var models: ModelCache?

  var log: HumanActionRepository { HumanActionRepository(collection) }
  var clusters: ClusterRepository { ClusterRepository(collection) }
  var persons: PersonRepository { PersonRepository(collection) }
  var detections: DetectionRepository { DetectionRepository(collection) }
  var review: ReviewRepository { ReviewRepository(collection) }
  var waiting: WaitingFaces {
    WaitingFaces(collection: collection, settings: settings, models: models)
  }

  /// Begins an action: locks, and keeps everything in the scope as it is.
  func begin(
    _ kind: String, undoes: Int64? = nil, _ scope: ActionScope,
    on connection: isolated PostgresConnection
  ) throws -> Int64 {
    let action = try log.begin(kind: kind, actor: actor, undoes: undoes, on: connection)
    // Faces before clusters, each in order of id, as everyone does.
    _ = try detections.lock(ids: scope.detections.sorted(), on: connection)
    _ = try clusters.lock(scope.clusters, on: connection)
    try log.remember(scope, of: action, on: connection)
    return action
  }

  /// Ends an action and tells what it did.
  func finish(
    _ action: Int64, _ kind: String, _ scope: ActionScope, summary: String, moved: Int = 0,
    setAside: [String] = [], lostNames: [String] = [], clusterIDs: [Int64] = [],
    personIDs: [Int64] = [], on connection: isolated PostgresConnection
  ) throws -> HumanActionReport {
    let report = HumanActionReport(
      actionID: action, kind: kind, summary: summary, moved: moved, setAside: setAside,
      lostNames: lostNames, clusterIDs: clusterIDs, personIDs: personIDs)
    try log.finish(
      action, scope, summary: summary, detailsJSON: try JSONText.encode(report), on: connection)
    // No part of the action: what comes of it is decided by the tiers.
    try waiting.tryAgainWhereTheCauseIsGone(on: connection)
    return report
  }

  /// A cluster that lives.
  func liveCluster(
    _ id: Int64, on connection: isolated PostgresConnection
  ) throws -> ClusterRecord {
    let record = try clusters.find(id, on: connection)
    if record.retiredAt != nil { throw HumanActionError.retired(cluster: id) }
    return record
  }

  /// A person with at least one cluster that lives.
  func livePerson(
    _ id: Int64, on connection: isolated PostgresConnection
  ) throws -> PersonRecord {
    let record = try persons.find(id, on: connection)
    if record.clusterCount > 0 { return record }
    if let heir = try persons.heir(of: id, on: connection) {
      throw HumanActionError.mergedAway(person: id, into: heir)
    }
    throw HumanActionError.noCluster(person: id)
  }

  /// Takes faces out of their clusters into the pool, or makes them new again.
  func setAside(
    _ ids: [Int64], asNew: Bool = false, action: Int64, on connection: isolated PostgresConnection
  ) throws {
    if ids.isEmpty { return }
    let states = try detections.lock(ids: ids, on: connection)
    let coreIDs = Set(states.filter(\.isCore).map(\.id))
    let faces = try FaceReader(collection).faces(ids: ids, on: connection)
    var changes = MembershipChanges(dimension: collection.dimension)
    changes.takeOut(faces, cores: coreIDs)
    try changes.apply(clusters, on: connection)
    if asNew {
      try log.free(ids, by: action, actor: actor, on: connection)
    } else {
      try detections.setAside(ids, actor: actor, actionID: action, on: connection)
    }
    try changes.settle(
      clusters, medoidThreshold: settings.medoidRecomputeThreshold, on: connection)
    try clusters.forgetRepresentatives(ids, on: connection)
    // Nobody waits for an answer about them.
    try review.expire(detections: ids, on: connection)
  }

  /// Writes counts, sums and centroids of clusters anew, from their members in order of id.
  func recount(
    _ ids: some Sequence<Int64>, on connection: isolated PostgresConnection
  ) throws {
    try MemberSums(collection: collection).recount(ids, on: connection)
  }

  /// `3 faces`, `1 face`.
  func count(_ number: Int, _ word: String = "face") -> String {
    "\(number) \(word)\(number == 1 ? "" : "s")"
  }
}

/// Counts, sums and centroids from the members themselves.
struct MemberSums {
  let collection: CollectionRecord

  /// Writes them for some clusters.
  ///
  /// - Complexity: O(members · d).
  func recount(
    _ ids: some Sequence<Int64>, on connection: isolated PostgresConnection
  ) throws {
    let ids = Set(ids).sorted()
    if ids.isEmpty { return }
    let clusters = ClusterRepository(collection)
    let before = try clusters.lock(ids, on: connection)
    let actual = try sums(of: ids, on: connection)
    try clusters.update(
      before.map { actual[$0.id] ?? empty($0.id) }, on: connection)
  }

  /// What the members of clusters come to; clusters without members are absent.
  func sums(
    of ids: [Int64], on connection: isolated PostgresConnection
  ) throws -> [Int64: ClusterSum] {
    var sums: [Int64: ClusterSum] = [:]
    for member in try DetectionRepository(collection).members(of: ids, on: connection) {
      guard let cluster = member.clusterID else { continue }
      sums[cluster, default: empty(cluster)].faceCount += 1
      if member.isCore { sums[cluster]?.coreCount += 1 }
    }
    let faces = try FaceReader(collection).members(ofClusters: ids, on: connection)
    for (row, cluster) in faces.clusterIDs.enumerated() {
      let vector = faces.embeddings.row(row)
      // What is no unit vector counts and adds nothing.
      guard let cluster, UnusableEmbeddings.isUsable(vector, count: collection.dimension) else {
        continue
      }
      for column in 0..<collection.dimension {
        sums[cluster]?.sum[column] += Double(vector[column])
      }
    }
    return sums
  }

  private func empty(_ id: Int64) -> ClusterSum {
    ClusterSum(
      id: id, faceCount: 0, sum: [Double](repeating: 0, count: collection.dimension))
  }
}
