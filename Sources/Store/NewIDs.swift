internal import PostgresClient

extension PostgresConnection {
  /// Takes ids for new rows of a table, ascending, with one look at its sequence.
  func newIDs(_ count: Int, of table: String) throws -> [Int64] {
    try queryPrepared(
      """
      SELECT nextval(own.sequence)
      FROM (SELECT pg_get_serial_sequence($1, 'id')::regclass AS sequence OFFSET 0) own,
        generate_series(1, $2::integer)
      """, [.text(table), .int32(Int32(count))]
    ).map { try $0.int64(0) }
  }
}
