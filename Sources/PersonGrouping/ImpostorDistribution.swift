internal import Vectors

/// Mean and deviation of the similarity of different people.
struct ImpostorDistribution: Equatable {
  var mean: Double
  var deviation: Double
  /// Pairs that they were computed from; 0 for a prior.
  var pairs: Int
}

/// Similarities of all pairs of a sample of faces, the source of calibration.
///
/// The sample are the faces with the least hashes of their vectors, so it does not depend on the order of
/// the faces.
struct SimilaritySample {
  /// Rows of the sample.
  let rows: [Int]
  /// Similarity of rows i < j of the sample, at i · (2m − i − 1) / 2 + j − i − 1.
  let similarities: [Float]

  static let size = 1_024

  /// - Complexity: O(n · d) and half a million inner products.
  init(_ faces: Matrix<Float>, threads: Int) {
    self.init(rows: Self.rows(faces, threads: threads), of: faces, threads: threads)
  }

  /// The same faces seen from the middle.
  func again(in faces: CentredFaces) -> SimilaritySample {
    var centred: [Float] = []
    centred.reserveCapacity(similarities.count)
    forEachPair { centred.append(Float(faces.centred($2, $0, $1))) }
    return SimilaritySample(rows: rows, similarities: centred)
  }

  private init(rows: [Int], similarities: [Float]) {
    self.rows = rows
    self.similarities = similarities
  }

  private static func rows(_ faces: Matrix<Float>, threads: Int) -> [Int] {
    let count = faces.rows
    if count <= size { return Array(0..<count) }
    let hashes = hashes(of: Array(0..<count), in: faces, threads: threads)
    let sorted = hashes.indices.map { (hash: hashes[$0], row: $0) }.sorted { $0 < $1 }
    // Copies of a photo lie beside each other, and one stands for all.
    let distinct = sorted.indices.lazy.filter { $0 == 0 || sorted[$0].hash != sorted[$0 - 1].hash }
    return distinct.prefix(size).map { sorted[$0].row }
  }

  private init(rows chosen: [Int], of faces: Matrix<Float>, threads: Int) {
    rows = chosen
    let count = chosen.count
    similarities = [Float](unsafeUninitializedCapacity: count * max(count - 1, 0) / 2) {
      buffer, written in
      // Each index is written by one thread.
      nonisolated(unsafe) let target = buffer
      parallelFor(count, threads: threads) { first in
        let start = first * (2 * count - first - 1) / 2
        for second in first + 1..<max(count, first + 1) {
          target[start + second - first - 1] = Float(
            faces.dotProduct(chosen[first], chosen[second]))
        }
      }
      written = count * max(count - 1, 0) / 2
    }
  }

  /// Rows by the hashes of their vectors: an order in which those of the caller does not matter.
  static func inOrder(_ rows: [Int], of faces: Matrix<Float>) -> [Int] {
    order(of: rows, in: faces, threads: 1).map { rows[$0] }
  }

  /// Where the rows are in the list that come first, second and so on by the hashes of their vectors.
  static func order(of rows: [Int], in faces: Matrix<Float>, threads: Int) -> [Int] {
    let hashes = hashes(of: rows, in: faces, threads: threads)
    return rows.indices.sorted { (hashes[$0], rows[$0]) < (hashes[$1], rows[$1]) }
  }

  /// Numbers that depend on the bits of the rows' vectors alone.
  static func hashes(of rows: [Int], in faces: Matrix<Float>, threads: Int) -> [UInt64] {
    [UInt64](unsafeUninitializedCapacity: rows.count) { buffer, written in
      // Each index is written by one thread.
      nonisolated(unsafe) let target = buffer
      parallelForChunks(rows.count, chunk: 1_024, threads: threads) { chunk in
        for index in chunk {
          target[index] = hash(faces.row(rows[index]), count: faces.columns)
        }
      }
      written = rows.count
    }
  }

  /// A number that depends on the bits of a vector alone.
  static func hash(_ row: UnsafePointer<Float>, count: Int) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for column in 0..<count {
      hash = (hash ^ UInt64(row[column].bitPattern)) &* 0x100_0000_01b3
    }
    return hash ^ (hash >> 29)
  }

  /// Calls `body` with every pair of rows and its similarity.
  func forEachPair(_ body: (_ first: Int, _ second: Int, _ similarity: Double) -> Void) {
    var index = 0
    for first in rows.indices {
      for second in rows.indices.dropFirst(first + 1) {
        body(rows[first], rows[second], Double(similarities[index]))
        index += 1
      }
    }
  }

  /// Mean and deviation over the pairs that lie in different groups; nil where they are too few.
  func betweenGroups(_ groupOfRow: [Int]) -> ImpostorDistribution? {
    var (count, sum, squares) = (0, 0.0, 0.0)
    forEachPair { first, second, similarity in
      if groupOfRow[first] == groupOfRow[second] { return }
      count += 1
      sum += similarity
      squares += similarity * similarity
    }
    if count < 10 { return nil }
    let mean = sum / Double(count)
    return ImpostorDistribution(
      mean: mean, deviation: max(squares / Double(count) - mean * mean, 0).squareRoot(),
      pairs: count)
  }
}
