internal import PersonGrouping
internal import Vectors

/// Tells a library of one person, which plain HDBSCAN would call noise or cut into pieces.
enum SinglePerson {
  /// Whether the mean cosine distance over all pairs of faces is within the clustering threshold.
  ///
  /// For unit vectors the mean similarity of all pairs follows from their sum S:
  /// (|S|² − n) / (n (n − 1)). Libraries of several people lie far below, for strangers' faces are
  /// nearly orthogonal, unless the model's vectors share a component; so faces that spread as strangers
  /// do are never one person.
  ///
  /// - Complexity: O(n · d), and half a million inner products where the mean is within the threshold.
  static func looksLikeOne(_ embeddings: Matrix<Float>, threshold: CosineDistance) -> Bool {
    let n = Double(embeddings.rows)
    if n < 2 { return false }
    var sum = [Double](repeating: 0, count: embeddings.columns)
    for row in 0..<embeddings.rows {
      let vector = embeddings.row(row)
      for column in 0..<embeddings.columns { sum[column] += Double(vector[column]) }
    }
    let meanSimilarity = (sum.reduce(0) { $0 + $1 * $1 } - n) / (n * (n - 1))
    return CosineDistance(1 - meanSimilarity) <= threshold
      && !areMostlyStrangers(embeddings)
  }
}
