public import PostgresClient
public import Store

extension FaceFile {
  /// Reads a pgvector column of the same database, in one snapshot, as it would be read from a file.
  ///
  /// - Throws: `VectorColumnError` where it is no such column; `PostgresError`.
  /// - Complexity: O(n · d); one copy of the vectors.
  public static func read(_ column: VectorColumn, pool: PostgresPool) async throws -> FaceFile {
    let stored = try await pool.withTransaction(.snapshot) { try column.read(on: $0) }
    return FaceFile(
      faces: zip(stored.ids, stored.photos).map { IncomingFace(externalID: $0, photo: $1) },
      rows: stored.rows, embeddings: stored.embeddings,
      rejected: stored.rejected.map { RejectedRow(row: $0.row, reason: $0.reason) })
  }
}
