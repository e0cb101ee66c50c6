public import PostgresClient

extension ReviewRepository {
  /// Every pair of faces that people linked or separated.
  public func pairs(
    on connection: isolated PostgresConnection
  ) throws -> [(a: Int64, b: Int64, mustLink: Bool)] {
    try connection.query(
      """
      SELECT detection_a_id, detection_b_id, kind = 'must_link' FROM detection_constraint
      WHERE collection_id = $1 ORDER BY id
      """, [.int64(collection.id)]
    ).map { (try $0.int64(0), try $0.int64(1), try $0.bool(2)) }
  }
}
