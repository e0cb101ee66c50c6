internal import PostgresClient
internal import Store
internal import Vectors

/// Deletes faces and takes them out of the counts and centroids of their clusters.
struct FaceRemoval {
  let collection: CollectionRecord
  let settings: StageSettings

  /// Deletes what exists of these faces, in the caller's transaction.
  ///
  /// - Returns: how many were deleted.
  func delete(
    externalIDs: [String], on connection: isolated PostgresConnection
  ) throws -> Int {
    try CollectionLocks(collection).shareMembership(on: connection)
    let detections = DetectionRepository(collection)
    let clusters = ClusterRepository(collection)
    let locked = try detections.lock(externalIDs: externalIDs, on: connection)
    let ids = locked.map(\.id)
    let faces = try FaceReader(collection).faces(ids: ids, on: connection)
    let coreIDs = Set(locked.filter(\.isCore).map(\.id))
    var changes = MembershipChanges(dimension: collection.dimension)
    changes.takeOut(faces, cores: coreIDs)
    try changes.apply(clusters, on: connection)
    let deleted = try detections.delete(ids, on: connection)
    try changes.settle(
      clusters, medoidThreshold: settings.medoidRecomputeThreshold, on: connection)
    try WaitingFaces(collection: collection, settings: settings)
      .tryAgainWhereTheCauseIsGone(on: connection)
    return deleted
  }
}
