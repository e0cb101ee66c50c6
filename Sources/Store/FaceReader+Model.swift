public import PostgresClient
public import Vectors

extension FaceReader {
  /// Embeddings of the faces of a model that still exist.
  ///
  /// - Parameter ids: detection ids, ascending.
  /// - Returns: unit vectors, and for each its position in `ids`.
  /// - Complexity: O(collection · d), streamed; one copy of the vectors that are kept.
  public func embeddings(
    ofSorted ids: [Int64], on connection: isolated PostgresConnection
  ) throws -> (positions: [Int], embeddings: Matrix<Float>) {
    let dimension = collection.dimension
    var positions: [Int] = []
    positions.reserveCapacity(ids.count)
    let all = try Matrix<Float>(rows: ids.count, columns: dimension) { base, stride in
      var next = 0
      _ = try connection.copyOut(
        """
        COPY (SELECT detection_id, embedding FROM face_embedding
              WHERE collection_id = \(collection.id) ORDER BY detection_id)
        TO STDOUT (FORMAT binary)
        """
      ) { row in
        let id = try row.int64(0)
        while next < ids.count, ids[next] < id { next += 1 }
        guard next < ids.count, ids[next] == id else { return }
        let bytes = try row.bytes(1)
        // A face that was spoilt since the fit is as good as deleted.
        guard bytes.count == 4 * dimension else { return }
        UnsafeMutableRawBufferPointer(
          start: base + positions.count * stride, count: 4 * dimension
        ).copyMemory(from: bytes)
        positions.append(next)
      }
    }
    if positions.count == ids.count { return (positions, all) }
    return (positions, all.selecting(rows: Array(positions.indices)))
  }
}
