public import PostgresClient

/// What the server counted of changes that leave no trace for who remembers rows: a number that is the
/// same twice tells that nothing was deleted or overwritten in between.
///
/// The server counts all collections together and up to some seconds late; it starts anew after a crash,
/// and where it was told not to count, it counts nothing.
public struct TableActivity: Sendable, Equatable {
  private let deletedFaces: Int64
  private let overwrittenEmbeddings: Int64

  /// The counts as of now.
  public static func now(on connection: isolated PostgresConnection) throws -> TableActivity {
    let row = try connection.queryPrepared(
      """
      SELECT pg_stat_get_tuples_deleted('person_detection'::regclass),
        pg_stat_get_tuples_updated('face_embedding'::regclass)
      """
    ).single()
    return TableActivity(
      deletedFaces: try row.int64(0), overwrittenEmbeddings: try row.int64(1))
  }
}
