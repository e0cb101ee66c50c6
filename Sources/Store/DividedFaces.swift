public import PostgresClient

/// Faces in two parts of one matrix: those of a fit, and those beside it.
public struct DividedFaces: Sendable {
  /// The faces of the fit by id, and after them the others by id.
  public let all: FaceSnapshot
  /// How many of them were fitted, or will be.
  public let fittedCount: Int

  /// The faces of the fit; their vectors are not copied.
  public var fitted: FaceSnapshot { all.part(0..<fittedCount) }
  /// The others; their vectors are not copied.
  public var beside: FaceSnapshot { all.part(fittedCount..<all.count) }

  /// These faces without some of them.
  ///
  /// - Complexity: O(n · d); O(1) where none is left out.
  public func leavingOut(rows: Set<Int>) -> DividedFaces {
    if rows.isEmpty { return self }
    return DividedFaces(
      all: all.selecting(rows: all.ids.indices.filter { !rows.contains($0) }),
      fittedCount: fittedCount - rows.count { $0 < fittedCount })
  }
}

extension FaceReader {
  /// All faces that are not known to be unusable, in two parts.
  ///
  /// Call it inside a repeatable-read transaction.
  ///
  /// - Complexity: O(n · d), streamed: one copy of the vectors.
  public func divided(
    on connection: isolated PostgresConnection, isFitted: (Int64) -> Bool
  ) throws -> DividedFaces {
    let heads = try heads(where: Self.isUsable, on: connection)
    let fitted = heads.ids.indices.filter { isFitted(heads.ids[$0]) }
    let all = try adding(
      to: heads, inOrder: fitted + heads.ids.indices.filter { !isFitted(heads.ids[$0]) },
      on: connection)
    // A face whose vector is gone is in neither part.
    return DividedFaces(all: all, fittedCount: all.ids.count(where: isFitted))
  }

  /// The faces that take part in a bootstrap, and the others, as ``divided(on:isFitted:)``.
  public func divided(
    _ eligibility: Eligibility, on connection: isolated PostgresConnection
  ) throws -> DividedFaces {
    let others = Set(
      try connection.query(
        """
        SELECT d.id FROM person_detection d
        WHERE d.collection_id = $1 AND \(Self.isUsable) AND NOT \(eligibility.condition)
        """, [.int64(collection.id)]
      ).map { try $0.int64(0) })
    return try divided(on: connection) { !others.contains($0) }
  }
}
