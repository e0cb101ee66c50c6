internal import PostgresClient
internal import Store
internal import Synchronization

extension ModelCache {
  /// The pool of a collection between batches, with its vectors.
  struct Pool: Sendable {
    var faces: KnownPool
    /// Of the first part of these faces.
    var screen: KeptScreen
    /// Faces whose vector was unusable when it was read.
    var unusable: Set<Int64>
    var checked: RememberedSince
  }

  /// The pool, kept between batches: a face that arrives alone changes little of it.
  ///
  /// Faces that left may still be among them. Who joined is always there; that a vector was changed in
  /// place, which photodb itself never does, is noticed some seconds after the server counted it. Call it
  /// before the transaction changes a face of the pool: what it does may be rolled back, but not what is
  /// remembered.
  func pool(
    of collection: CollectionRecord, on connection: isolated PostgresConnection
  ) throws -> Pool {
    let source = try source(of: collection, on: connection)
    let reader = FaceReader(collection)
    let known = pools.withLock { $0[source] }
    var checked = try known?.checked ?? .now(on: connection)
    var (faces, read) = try reader.pool(since: known?.faces, on: connection)
    var unusable = known?.unusable ?? []
    unusable.note(read)
    if try faces.hasGrown || checked.isOld(pause: pause, limit: recountAfter, on: connection) {
      checked = try .now(on: connection)
      (faces, read) = try reader.checked(faces, on: connection)
      unusable.note(read)
    }
    let pool = Pool(
      faces: faces,
      screen: try KeptScreen(of: faces.parts[0].embeddings, before: known?.screen),
      unusable: unusable, checked: checked)
    pools.withLock { $0[source] = pool }
    return pool
  }

  /// The pool as a transaction sees it that may have changed it: nothing of that is remembered.
  func passingPool(
    of collection: CollectionRecord, on connection: isolated PostgresConnection
  ) throws -> KnownPool {
    let source = try source(of: collection, on: connection)
    let known = pools.withLock { $0[source] }
    return try FaceReader(collection).pool(since: known?.faces, on: connection).pool
  }
}

extension Set<Int64> {
  /// Keeps in mind which of the faces that were read have unusable vectors.
  fileprivate mutating func note(_ read: FaceSnapshot) {
    subtract(read.ids)
    formUnion(UnusableEmbeddings.reasons(in: read.embeddings).keys.map { read.ids[$0] })
  }
}
