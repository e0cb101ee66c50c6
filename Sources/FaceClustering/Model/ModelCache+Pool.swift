internal import PostgresClient
internal import Store
internal import Synchronization

extension ModelCache {
  /// The pool of a collection between batches, with its vectors.
  struct Pool: Sendable {
    var faces: KnownPool
    /// Faces whose vector was unusable when it was read.
    var unusable: Set<Int64>
    var checkedAt: ContinuousClock.Instant
  }

  /// The pool, kept between batches: a face that arrives alone changes little of it.
  ///
  /// Faces that left may still be among them. Who joined is always there; that a vector was changed in
  /// place, which photodb itself never does, is noticed after some seconds. Call it before the
  /// transaction changes a face of the pool.
  func pool(
    of collection: CollectionRecord, on connection: isolated PostgresConnection
  ) throws -> Pool {
    let reader = FaceReader(collection)
    let known = pools.withLock { $0[collection.id] }
    var (faces, read) = try reader.pool(since: known?.faces, on: connection)
    var pool = Pool(
      faces: faces, unusable: known?.unusable ?? [], checkedAt: known?.checkedAt ?? .now)
    pool.note(read)
    if pool.checkedAt + recountAfter <= .now {
      (faces, read) = try reader.checked(faces, on: connection)
      pool = Pool(faces: faces, unusable: pool.unusable, checkedAt: .now)
      pool.note(read)
    }
    pools.withLock { $0[collection.id] = pool }
    return pool
  }
}

extension ModelCache.Pool {
  fileprivate mutating func note(_ read: FaceSnapshot) {
    unusable.subtract(read.ids)
    unusable.formUnion(UnusableEmbeddings.reasons(in: read.embeddings).keys.map { read.ids[$0] })
  }
}
