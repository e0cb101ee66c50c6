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
    // A face that was spoilt since the fit is as good as deleted.
    let (positions, embeddings) = try vectors(
      ofSorted: ids, rows: Array(ids.indices), isDamagedKept: false, on: connection)
    return (positions, embeddings)
  }

  /// Vectors of faces, read as they lie on disk; they come out in the order asked for.
  ///
  /// - Parameters:
  ///   - ids: ascending.
  ///   - rows: the row for each of them.
  ///   - isDamagedKept: whether a vector of another length becomes a row of NaN, or is left out.
  /// - Returns: the rows that were found, and their vectors.
  func vectors(
    ofSorted ids: [Int64], rows: [Int], isDamagedKept: Bool,
    on connection: isolated PostgresConnection
  ) throws -> (found: [Int], embeddings: Matrix<Float>) {
    let dimension = collection.dimension
    var isFilled = [Bool](repeating: false, count: ids.count)
    let all = try Matrix<Float>(rows: ids.count, columns: dimension) { base, stride in
      var next = 0
      _ = try connection.copyOut(
        """
        COPY (SELECT detection_id, embedding FROM face_embedding
              WHERE collection_id = \(collection.id))
        TO STDOUT (FORMAT binary)
        """
      ) { row in
        let id = try row.int64(0)
        if next >= ids.count || ids[next] != id { next = ids.firstPosition(notBelow: id) }
        guard next < ids.count, ids[next] == id else { return }
        let place = rows[next]
        next += 1
        let bytes = try row.bytes(1)
        let target = base + place * stride
        if bytes.count == 4 * dimension {
          UnsafeMutableRawBufferPointer(start: target, count: 4 * dimension)
            .copyMemory(from: bytes)
        } else if isDamagedKept {
          target.update(repeating: .nan, count: dimension)
        } else {
          return
        }
        isFilled[place] = true
      }
    }
    let found = isFilled.indices.filter { isFilled[$0] }
    return (found, found.count == ids.count ? all : all.selecting(rows: found))
  }
}

extension [Int64] {
  /// First position whose value is not below another, of ascending values.
  func firstPosition(notBelow value: Int64) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < value { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
