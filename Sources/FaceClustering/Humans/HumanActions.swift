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

/// Why something that a human asked for was refused.
public enum HumanActionError: Error, Sendable, CustomStringConvertible {
  case forbidden(externalID: String, cluster: Int64)
  case retired(cluster: Int64)
  case noCluster(person: Int64)
  case noEmbedding(externalID: String)
  case unusableEmbedding(externalID: String)

  /// One line that says what is wrong and what to do.
  public var description: String {
    switch self {
    case .forbidden(let externalID, let cluster):
      "detection “\(externalID)” was said not to belong to cluster \(cluster) or its person; "
        + "repeat with --anyway to take that back"
    case .retired(let cluster):
      "cluster \(cluster) was retired by a later run; choose one that lives"
    case .noCluster(let person): "person \(person) has no cluster that lives"
    case .noEmbedding(let externalID):
      "detection “\(externalID)” has no embedding, so it cannot join a cluster"
    case .unusableEmbedding(let externalID):
      "the embedding of detection “\(externalID)” is unusable, so it cannot be the first face of a "
        + "person; put it into a cluster that exists"
    }
  }
}

/// Where a face is after a human put it there.
public struct HumanAssignment: Sendable, Codable, Equatable {
  /// Id that the detection stage gave.
  public var externalID: String
  /// Cluster in which the face was before, if any.
  public var oldClusterID: Int64?
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

/// Puts a face by hand, in the caller's transaction.
struct HumanActions {
  let collection: CollectionRecord
  var settings = StageSettings()

  /// Assigns a face: status `manual`, counts and centroids follow, no epsilon changes.
  func assign(
    externalID: String, to target: HumanTarget, anyway: Bool, actor: String?,
    on connection: isolated PostgresConnection
  ) throws -> HumanAssignment {
    try CollectionLocks(collection).shareMembership(on: connection)
    let detections = DetectionRepository(collection)
    // The face, then those who decide with it, then clusters: the order that everyone keeps.
    let face = try detections.lock(externalID: externalID, on: connection)
    let snapshot = try FaceReader(collection).faces(ids: [face.id], on: connection)
    let vectors = snapshot.embeddings
    guard vectors.rows == 1 else { throw HumanActionError.noEmbedding(externalID: externalID) }
    let forbidden = try ReviewRepository(collection).prohibitions(
      detections: [face.id], on: connection)
    if !forbidden.detections.isEmpty { try CollectionLocks(collection).ownLinks(on: connection) }
    try detections.lockPhotos(snapshot.photoIDs.compactMap { $0 }, on: connection)
    let clusterID = try resolve(
      target, face.id, externalID: externalID, vectors, on: connection)
    try checkProhibitions(
      forbidden, face.id, externalID: externalID, clusterID: clusterID, anyway: anyway,
      on: connection)
    let clusters = ClusterRepository(collection)
    var changes = MembershipChanges(dimension: collection.dimension)
    changes.move(vectors.row(0), from: face.clusterID, to: clusterID, wasCore: face.isCore)
    try changes.apply(clusters, on: connection)
    try detections.placeByHand(face.id, clusterID: clusterID, actor: actor, on: connection)
    try changes.settle(
      clusters, medoidThreshold: settings.medoidRecomputeThreshold, on: connection)
    try ReviewRepository(collection).expire(detections: [face.id], on: connection)
    return HumanAssignment(
      externalID: externalID, oldClusterID: face.clusterID, clusterID: clusterID,
      personID: try PersonRepository(collection).person(ofCluster: clusterID, on: connection))
  }

  private func resolve(
    _ target: HumanTarget, _ id: Int64, externalID: String, _ face: Matrix<Float>,
    on connection: isolated PostgresConnection
  ) throws -> Int64 {
    let clusters = ClusterRepository(collection)
    switch target {
    case .cluster(let clusterID):
      _ = try PersonRepository(collection).person(ofCluster: clusterID, on: connection)
      guard try clusters.isLive(clusterID, on: connection) else {
        throw HumanActionError.retired(cluster: clusterID)
      }
      return clusterID
    case .person(let personID):
      _ = try PersonRepository(collection).find(personID, on: connection)
      let live = try clusters.live(on: connection)
      let own = live.ids.indices.filter { live.personIDs[$0] == personID }
      let nearest = own.min {
        NearClusters.distance(face, 0, live.references, $0)
          < NearClusters.distance(face, 0, live.references, $1)
      }
      guard let nearest else { throw HumanActionError.noCluster(person: personID) }
      return live.ids[nearest]
    case .newPerson(let name):
      guard UnusableEmbeddings.reasons(in: face).isEmpty else {
        throw HumanActionError.unusableEmbedding(externalID: externalID)
      }
      // Born with its first face, which the caller adds in the same transaction.
      let facts = ClusterFacts(
        faceCount: 0, coreCount: 0, sum: [Double](repeating: 0, count: collection.dimension),
        reference: face.values(ofRow: 0), medoidDetectionID: id, epsilon: nil,
        distanceQuantiles: [], origin: "manual")
      let clusterID = try clusters.create([facts], persons: [nil], runID: nil, on: connection)[0]
      let persons = PersonRepository(collection)
      if let name {
        try persons.name(
          try persons.person(ofCluster: clusterID, on: connection), name, on: connection)
      }
      return clusterID
    }
  }

  private func checkProhibitions(
    _ forbidden: Prohibitions, _ id: Int64, externalID: String, clusterID: Int64, anyway: Bool,
    on connection: isolated PostgresConnection
  ) throws {
    let review = ReviewRepository(collection)
    let personID = try PersonRepository(collection).person(ofCluster: clusterID, on: connection)
    let others = forbidden.detections[id] ?? []
    let present = try review.persons(
      ofDetections: others.sorted(), except: UndecidedFaces(ids: [], reassignableAbove: nil),
      on: connection
    ).filter { $0.value == personID }.keys.sorted()
    guard
      forbidden.clusters[id]?.contains(clusterID) ?? false
        || forbidden.persons[id]?.contains(personID) ?? false || !present.isEmpty
    else { return }
    guard anyway else {
      throw HumanActionError.forbidden(externalID: externalID, cluster: clusterID)
    }
    try review.allow(
      detectionID: id, clusterID: clusterID, personID: personID, on: connection)
    try review.unlink(id, from: present, on: connection)
  }
}
