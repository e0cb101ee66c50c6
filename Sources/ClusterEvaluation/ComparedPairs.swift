public import Vectors

/// Pairs of faces for many thresholds: compared once and kept, where that fits into memory.
///
/// What a method finds with them is what it finds without.
public struct ComparedPairs: Sendable {
  let vectors: Matrix<Float>
  let widest: CosineDistance
  let threads: Int
  /// nil where they are too many.
  let pairs: [SimilarPairs.Pair]?

  /// Whether the pairs are kept: if not, each threshold compares all faces anew.
  public var areKept: Bool { pairs != nil }

  /// Compares all faces.
  ///
  /// - Parameters:
  ///   - vectors: n × d unit vectors.
  ///   - widest: cosine distance up to which pairs are kept; a wider threshold compares anew.
  ///   - memoryLimit: bytes that the pairs may take; while they are found they may take three times as much.
  ///   - threads: most threads to use; the result does not depend on it.
  /// - Throws: ``EvaluationError`` where a row is not a unit vector or the distance not a number.
  /// - Complexity: O(n² · d) as matrix products; 12 bytes a pair.
  public init(
    _ vectors: Matrix<Float>, within widest: CosineDistance, memoryLimit: Int = 1 << 29,
    threads: Int = availableThreads
  ) throws(EvaluationError) {
    let most = memoryLimit / MemoryLayout<SimilarPairs.Pair>.stride
    var found: [SimilarPairs.Pair] = []
    var isTooMuch = false
    try SimilarPairs(vectors, within: widest, threads: threads).visit { pair in
      if isTooMuch { return }
      if found.count < most {
        found.append(pair)
      } else {
        isTooMuch = true
        found = []
      }
    }
    self.vectors = vectors
    self.widest = widest
    self.threads = threads
    pairs = isTooMuch ? nil : found
  }
}
