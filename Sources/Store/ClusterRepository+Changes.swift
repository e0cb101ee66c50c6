public import PostgresClient
public import Vectors

/// Clusters as they were read at a moment, and what is needed to read only what changed since.
public struct KnownClusters: Sendable {
  /// The live clusters, by id; those born since everything was read come without a person's name.
  public internal(set) var live: LiveClusters
  /// References of the first of them, or of all: the same matrix for as long as these stay what they are.
  public private(set) var firstReferences: Matrix<Float>
  /// Every transaction before this one had ended at that moment.
  private var horizon: TransactionHorizon
  /// The same of the last time when every row was looked at.
  private var wholeHorizon: TransactionHorizon
  /// How many clusters had been removed from the collection by then.
  fileprivate var removed: Int64

  /// As many clusters that were born one by one stand apart from the first ones.
  private static let mostRecent = 512

  fileprivate init(_ live: LiveClusters, horizon: TransactionHorizon, removed: Int64) {
    self.live = live
    self.horizon = horizon
    wholeHorizon = horizon
    self.removed = removed
    firstReferences = live.references
  }

  fileprivate func horizon(ofWhole: Bool) -> TransactionHorizon {
    ofWhole ? wholeHorizon : horizon
  }

  fileprivate mutating func add(
    _ born: LiveClusters, horizon: TransactionHorizon, ofWhole: Bool
  ) {
    self.horizon = horizon
    if ofWhole { wholeHorizon = horizon }
    if born.count == 0 { return }
    live.append(born)
    if live.count - firstReferences.rows > Self.mostRecent { firstReferences = live.references }
  }
}

extension ClusterRepository {
  /// The live clusters, of which only those that changed are read again.
  ///
  /// Names of persons may be older: nothing that places faces looks at them. What the transaction at
  /// hand changed itself must not be remembered before it commits; so call it before.
  ///
  /// - Parameters:
  ///   - known: what was returned before, by any transaction; nil reads everything.
  ///   - looksAtAll: whether every row is looked at, too, which shows what SQL of others changed or deleted.
  /// - Complexity: O(changed · d), and where all are looked at one pass without their vectors.
  public func live(
    since known: KnownClusters?, looksAtAll: Bool, on connection: isolated PostgresConnection
  ) throws -> KnownClusters {
    if var known, try refresh(&known, looksAtAll: looksAtAll, on: connection),
      try !looksAtAll || count(on: connection) == known.live.count
    {
      return known
    }
    // Looked at first: what commits between this and the clusters is read again the next time.
    let moment = try connection.queryPrepared(
      "SELECT \(TransactionHorizon.moment), clusters_removed FROM collection WHERE id = $1",
      [.int64(collection.id)]
    ).single()
    return KnownClusters(
      try live(on: connection), horizon: try TransactionHorizon(moment, 0),
      removed: try moment.int64(1))
  }

  private func count(on connection: isolated PostgresConnection) throws -> Int {
    Int(
      try connection.queryPrepared(
        "SELECT count(*) FROM cluster WHERE collection_id = $1 AND retired_at IS NULL",
        [.int64(collection.id)]
      ).single().int64(0))
  }

  /// - Returns: false where a cluster was retired or has another reference, so that all must be read.
  private func refresh(
    _ known: inout KnownClusters, looksAtAll: Bool, on connection: isolated PostgresConnection
  ) throws -> Bool {
    let isChanged =
      looksAtAll
      ? TransactionHorizon.isNotOlder("xmin", parameter: 2)
      : TransactionHorizon.isSince("changed_in", parameter: 2)
    let scan = try connection.queryPrepared(
      """
      SELECT \(TransactionHorizon.moment), clusters_removed,
        ARRAY(SELECT id FROM cluster WHERE collection_id = $1 AND \(isChanged))
      FROM collection WHERE id = $1
      """, [.int64(collection.id), known.horizon(ofWhole: looksAtAll).parameter]
    ).single()
    let changed = try scan.int64Array(2)
    // A row that was deleted tells nothing of itself. Where most changed, reading all is no dearer.
    guard try scan.int64(1) == known.removed, changed.count <= known.live.count / 4 else {
      return false
    }
    var born = LiveClusters()
    if !changed.isEmpty {
      let rows = try connection.queryPrepared(
        """
        SELECT id, person_id, face_count, verified, anchored, epsilon, hdbscan_run_id,
          reference_count, reference_length, reference_centroid, retired_at IS NOT NULL
        FROM cluster WHERE collection_id = $1 AND id = ANY($2) ORDER BY id
        """, [.int64(collection.id), .int64Array(changed)])
      var references: [[Float]] = []
      for row in rows {
        let id = try row.int64(0)
        let isRetired = try row.bool(10)
        let reference = VectorBytes.floats(try row.bytes(9), count: collection.dimension)
        if let index = known.live.row(of: id) {
          guard !isRetired, let reference, known.live.references.values(ofRow: index) == reference
          else { return false }
          try known.live.read(row, into: index)
        } else if !isRetired {
          // One that lived before and was retired, or that was committed late, has its place among others.
          guard let reference, id > known.live.ids.last ?? .min else { return false }
          references.append(reference)
          born.appendEmpty(id)
          try born.read(row, into: born.count - 1)
        }
      }
      born.references = Matrix(references)
    }
    known.add(born, horizon: try TransactionHorizon(scan, 0), ofWhole: looksAtAll)
    return true
  }
}

extension LiveClusters {
  /// Takes over what changes without a new reference.
  fileprivate mutating func read(_ row: PostgresRow, into index: Int) throws {
    personIDs[index] = try row.int64(1)
    faceCounts[index] = Int(try row.int32(2))
    verified[index] = try row.bool(3)
    anchored[index] = try row.bool(4)
    epsilons[index] = try row.optionalFloat(5).map { CosineDistance(Double($0)) }
    runIDs[index] = try row.optionalInt64(6)
    referenceCounts[index] = Int(try row.int32(7))
    referenceLengths[index] = try row.optionalFloat(8).map(Double.init)
  }

  /// A cluster of which nothing but the id is known yet; its reference is not among these.
  fileprivate mutating func appendEmpty(_ id: Int64) {
    ids.append(id)
    personIDs.append(0)
    personNames.append(nil)
    faceCounts.append(0)
    verified.append(false)
    anchored.append(false)
    epsilons.append(nil)
    runIDs.append(nil)
    referenceCounts.append(0)
    referenceLengths.append(nil)
  }

  /// - Complexity: O((m + others) · d), one copy.
  fileprivate mutating func append(_ others: LiveClusters) {
    let (first, second) = (references, others.references)
    references = Matrix<Float>(rows: first.rows + second.rows, columns: second.columns) {
      storage, stride in
      for row in 0..<first.rows {
        (storage + row * stride).update(from: first.row(row), count: second.columns)
      }
      for row in 0..<second.rows {
        (storage + (first.rows + row) * stride).update(
          from: second.row(row), count: second.columns)
      }
    }
    ids += others.ids
    personIDs += others.personIDs
    personNames += others.personNames
    faceCounts += others.faceCounts
    verified += others.verified
    anchored += others.anchored
    epsilons += others.epsilons
    runIDs += others.runIDs
    referenceCounts += others.referenceCounts
    referenceLengths += others.referenceLengths
  }

  /// Row of a cluster, by bisection.
  public func row(of id: Int64) -> Int? {
    let row = ids.firstPosition(notBelow: id)
    return row < ids.count && ids[row] == id ? row : nil
  }
}
