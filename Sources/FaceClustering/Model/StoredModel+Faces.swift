internal import PostgresClient
internal import Store

extension StoredModel {
  /// The faces that can be used, those that this model was fitted to in the order of the fit.
  ///
  /// Call it inside a repeatable-read transaction.
  ///
  /// - Returns: faces, and how many of the fit's are gone or cannot be used any more.
  /// - Complexity: O(n · d), one copy of the vectors where all can be used.
  func faces(
    of collection: CollectionRecord, on connection: isolated PostgresConnection
  ) throws -> (faces: DividedFaces, missing: Int) {
    let fitted = Set(detectionIDs)
    let stored = try FaceReader(collection).divided(on: connection) { fitted.contains($0) }
    let faces = stored.leavingOut(
      rows: Set(UnusableEmbeddings.reasons(in: stored.all.embeddings).keys))
    return (faces, fitted.count - faces.fittedCount)
  }
}
