internal import Vectors

extension FaceSnapshot {
  /// Some of the faces, in the order given; the vectors of `blank` ones become zero.
  ///
  /// - Complexity: O(rows · d).
  public func selecting(rows: [Int], blank: Set<Int> = []) -> FaceSnapshot {
    FaceSnapshot(
      ids: rows.map { ids[$0] }, photoIDs: rows.map { photoIDs[$0] },
      statuses: rows.map { statuses[$0] }, clusterIDs: rows.map { clusterIDs[$0] },
      embeddings: Matrix<Float>(rows: rows.count, columns: embeddings.columns) { base, stride in
        for (index, row) in rows.enumerated() {
          let target = base + index * stride
          if blank.contains(row) {
            target.update(repeating: 0, count: embeddings.columns)
          } else {
            target.update(from: embeddings.row(row), count: embeddings.columns)
          }
        }
      })
  }

  /// Consecutive faces; their vectors are not copied.
  public func part(_ range: Range<Int>) -> FaceSnapshot {
    FaceSnapshot(
      ids: Array(ids[range]), photoIDs: Array(photoIDs[range]), statuses: Array(statuses[range]),
      clusterIDs: Array(clusterIDs[range]), embeddings: embeddings.rows(range))
  }
}
