public import PostgresClient

extension FaceReader {
  /// When the photo of each face was taken, in seconds since 1970; nil where that is unknown.
  ///
  /// - Complexity: O(n + photos).
  public func times(
    of faces: FaceSnapshot, on connection: isolated PostgresConnection
  ) throws -> [Double?] {
    var times: [Int64: Double] = [:]
    for row in try connection.query(
      """
      SELECT id, extract(epoch FROM taken_at)::double precision FROM photo
      WHERE collection_id = $1 AND taken_at IS NOT NULL
      """, [.int64(collection.id)])
    {
      times[try row.int64(0)] = try row.double(1)
    }
    return faces.photoIDs.map { photo in photo.flatMap { times[$0] } }
  }
}
