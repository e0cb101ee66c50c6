internal import Vectors

/// Finds all pairs of unit vectors within a cosine distance, block by block of products.
///
/// The products screen; a pair so near the threshold that rounding could decide it is settled by
/// the float64 kernel, so the result is the same on every CPU.
struct SimilarPairs {
  /// Two rows, the smaller one first, and their product as floats give it.
  struct Pair: Sendable {
    private let rows: (Int32, Int32)
    let similarity: Float

    var first: Int { Int(rows.0) }
    var second: Int { Int(rows.1) }

    init(first: Int, second: Int, similarity: Float) {
      rows = (Int32(first), Int32(second))
      self.similarity = similarity
    }
  }

  private static var block: Int { 256 }

  private let vectors: Matrix<Float>
  private let threshold: Double
  private let threads: Int
  /// Pairs of a wider threshold; nil where all faces are compared at every visit.
  private let kept: [Pair]?

  /// - Throws: ``EvaluationError`` where a row is not a unit vector or the threshold not a number.
  init(
    _ vectors: Matrix<Float>, within distance: CosineDistance, threads: Int
  ) throws(EvaluationError) {
    try requireUnitRows(vectors)
    try self.init(unitVectors: vectors, within: distance, threads: threads, kept: nil)
  }

  /// Takes pairs that were compared before: they, their order and their products are the same.
  ///
  /// Where none are kept, or the threshold is wider than theirs, the faces are compared anew.
  ///
  /// - Throws: ``EvaluationError`` where the threshold is not a number.
  init(_ compared: ComparedPairs, within distance: CosineDistance) throws(EvaluationError) {
    try self.init(
      unitVectors: compared.vectors, within: distance, threads: compared.threads,
      kept: distance.value <= compared.widest.value ? compared.pairs : nil)
  }

  private init(
    unitVectors: Matrix<Float>, within distance: CosineDistance, threads: Int, kept: [Pair]?
  ) throws(EvaluationError) {
    if distance.value.isNaN {
      throw .invalidParameter(name: "cosine distance", value: "nan", expected: "0…2")
    }
    vectors = unitVectors
    self.threads = max(threads, 1)
    self.kept = kept
    threshold = 1 - distance.value
  }

  /// Products below the first are of pairs beyond the threshold, those above the second are of pairs within.
  private var limits: (low: Float, high: Float) {
    // Unit vectors to within the tolerance of `requireUnitRows`.
    let margin = BlockProducts.floatErrorBound(columns: vectors.columns) * 1.01 + 1e-6
    return (Float(threshold - margin), Float(threshold + margin))
  }

  /// Calls `body` once for each pair (first < second), in one fixed order, on the calling thread.
  ///
  /// - Complexity: O(n² · d) as matrix products; O(kept pairs) where they were compared before.
  func visit(_ body: (Pair) -> Void) {
    if let kept {
      let (low, high) = limits
      for pair in kept {
        if pair.similarity < low { continue }
        if pair.similarity <= high && vectors.dotProduct(pair.first, pair.second) < threshold {
          continue
        }
        body(pair)
      }
      return
    }
    let blocks = (vectors.rows + Self.block - 1) / Self.block
    // As many rows of blocks as there are threads are searched at once, then reported in order.
    for wave in stride(from: 0, to: blocks, by: threads) {
      let count = min(threads, blocks - wave)
      var found = [[Pair]](repeating: [], count: count)
      found.withUnsafeMutableBufferPointer { buffer in
        // Each index is written by one thread.
        nonisolated(unsafe) let results = buffer
        parallelFor(count, threads: threads) { index in
          results[index] = pairs(ofBlock: wave + index)
        }
      }
      for pair in found.joined() { body(pair) }
    }
  }

  private func pairs(ofBlock block: Int) -> [Pair] {
    let size = Self.block
    let rows = block * size..<min((block + 1) * size, vectors.rows)
    let (low, high) = limits
    var result: [Pair] = []
    withUnsafeTemporaryAllocation(of: Float.self, capacity: size * size) { products in
      guard let base = products.baseAddress else { return }
      for first in stride(from: rows.lowerBound, to: vectors.rows, by: size) {
        let columns = first..<min(first + size, vectors.rows)
        BlockProducts.multiply(
          vectors, rows: rows, by: vectors, columns: columns, into: base, stride: size)
        for row in rows {
          let values = base + (row - rows.lowerBound) * size
          for column in max(first, row + 1)..<max(columns.upperBound, row + 1) {
            let product = values[column - first]
            if product < low { continue }
            if product <= high && vectors.dotProduct(row, column) < threshold { continue }
            result.append(Pair(first: row, second: column, similarity: product))
          }
        }
      }
    }
    return result
  }
}

/// Refuses vectors that are not of unit length.
func requireUnitRows(_ vectors: Matrix<Float>) throws(EvaluationError) {
  for row in 0..<vectors.rows {
    let square = vectors.dotProduct(row, row)
    if !(abs(square - 1) < 2e-3) {
      throw .notUnitLength(row: row, length: square.squareRoot())
    }
  }
}
