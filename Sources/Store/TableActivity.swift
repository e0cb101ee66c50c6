public import PostgresClient

/// What the server counted of changes that leave no trace for who remembers rows: rows that were deleted
/// or overwritten.
///
/// The server counts all collections together and up to some seconds late. It starts anew after a crash,
/// and does not count a TRUNCATE, nor anything where it was told not to; so who goes by this looks from
/// time to time all the same.
public struct TableActivity: Sendable, Equatable {
  private let deletedFaces: Int64
  private let overwrittenEmbeddings: Int64
  private let deletedEmbeddings: Int64

  /// The counts as of now.
  public static func now(on connection: isolated PostgresConnection) throws -> TableActivity {
    let row = try connection.queryPrepared(
      """
      SELECT pg_stat_get_tuples_deleted('person_detection'::regclass),
        pg_stat_get_tuples_updated('face_embedding'::regclass),
        pg_stat_get_tuples_deleted('face_embedding'::regclass)
      """
    ).single()
    return TableActivity(
      deletedFaces: try row.int64(0), overwrittenEmbeddings: try row.int64(1),
      deletedEmbeddings: try row.int64(2))
  }
}
