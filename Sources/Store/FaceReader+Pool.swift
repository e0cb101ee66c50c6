public import PostgresClient

extension FaceReader {
  /// The pool, of which only faces that joined are read.
  ///
  /// Call it before the transaction changes a face of the pool: what it did itself must not be
  /// remembered before it commits.
  ///
  /// - Parameter known: what was returned before, by any transaction; nil reads everything.
  /// - Returns: the pool, and the faces that were read just now.
  /// - Complexity: O(joined · d).
  public func pool(
    since known: KnownPool?, on connection: isolated PostgresConnection
  ) throws -> (pool: KnownPool, read: FaceSnapshot) {
    // Looked at first: what commits between this and the faces is read again the next time.
    let horizon = try TransactionHorizon.now(on: connection)
    guard var known else {
      let faces = try pool(on: connection)
      return (KnownPool(faces, horizon: horizon), faces)
    }
    let read = try collect(
      connection.queryPrepared(
        """
        SELECT \(Self.columns) FROM \(Self.source)
        WHERE d.collection_id = $1 AND d.in_pool
          AND \(TransactionHorizon.isSince("d.pooled_in", parameter: 2))
        ORDER BY d.id
        """, [.int64(collection.id), known.horizon.parameter]))
    known.add(read)
    known.horizon = horizon
    return (known, read)
  }

  /// The pool as it is now, for who looks at it once.
  public func wholePool(on connection: isolated PostgresConnection) throws -> KnownPool.Part {
    let faces = try pool(on: connection)
    return KnownPool.Part(ids: faces.ids, embeddings: faces.embeddings)
  }

  /// Looks whether somebody changed vectors of the pool, and forgets faces that left if they are many.
  ///
  /// - Returns: the pool, and the faces that were read just now.
  /// - Complexity: one pass over the rows of the pool, and O(changed · d).
  public func checked(
    _ known: KnownPool, on connection: isolated PostgresConnection
  ) throws -> (pool: KnownPool, read: FaceSnapshot) {
    let horizon = try TransactionHorizon.now(on: connection)
    let row = try connection.query(
      """
      SELECT count(*), coalesce(
        array_agg(d.id) FILTER (WHERE \(TransactionHorizon.isNotOlder("e.xmin", parameter: 2))), '{}')
      FROM \(Self.source)
      WHERE d.collection_id = $1 AND d.in_pool
      """, [.int64(collection.id), known.vectorHorizon.parameter]
    ).single()
    let (count, changed) = (Int(try row.int64(0)), try row.int64Array(1))
    if known.isMany(known.count, than: count) || changed.count > count / 4 {
      return try pool(since: nil, on: connection)
    }
    var known = known
    let read = try faces(ids: changed, on: connection)
    known.add(read)
    known.vectorHorizon = horizon
    known.countWhenChecked = known.count
    return (known, read)
  }
}
