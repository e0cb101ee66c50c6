public import Vectors

/// DBSCAN on cosine distance, the method of several photo managers.
///
/// After Ester, Kriegel, Sander and Xu 1996. A face with at least `minFaces` faces within `radius`, itself included, is a core face. Core
/// faces within the radius of each other are one cluster. Another face near a core face joins
/// the first such cluster (as in scikit-learn); the rest is noise.
///
/// - Parameters:
///   - vectors: n × d unit vectors.
///   - radius: cosine distance, inclusive.
///   - minFaces: at least 1.
///   - threads: most threads to use; the result does not depend on it.
/// - Returns: a label for each face, numbered by the first core face; −1 is noise.
/// - Throws: ``EvaluationError`` where a row is not a unit vector or a setting out of range.
/// - Complexity: O(n² · d) as matrix products, three times; memory O(n).
public func densityBaseline(
  _ vectors: Matrix<Float>, radius: CosineDistance, minFaces: Int, threads: Int = availableThreads
) throws(EvaluationError) -> [Int] {
  try densityBaseline(
    try SimilarPairs(vectors, within: radius, threads: threads), count: vectors.rows,
    minFaces: minFaces)
}

/// DBSCAN on cosine distance over faces that were compared before: for one radius after the other.
///
/// - Parameters:
///   - pairs: of all faces.
///   - radius: cosine distance, inclusive.
///   - minFaces: at least 1.
/// - Returns: what ``densityBaseline(_:radius:minFaces:threads:)`` returns for the same faces.
/// - Throws: ``EvaluationError`` where a setting is out of range.
/// - Complexity: O(n + kept pairs).
public func densityBaseline(
  _ pairs: ComparedPairs, radius: CosineDistance, minFaces: Int
) throws(EvaluationError) -> [Int] {
  try densityBaseline(
    try SimilarPairs(pairs, within: radius), count: pairs.vectors.rows, minFaces: minFaces)
}

private func densityBaseline(
  _ pairs: SimilarPairs, count: Int, minFaces: Int
) throws(EvaluationError) -> [Int] {
  if minFaces < 1 {
    throw .invalidParameter(name: "min_faces", value: "\(minFaces)", expected: "at least 1")
  }
  var neighbours = [Int](repeating: 1, count: count)
  pairs.visit { pair in
    neighbours[pair.first] += 1
    neighbours[pair.second] += 1
  }
  let isCore = neighbours.map { $0 >= minFaces }

  var groups = Groups(count: count)
  pairs.visit { pair in
    if isCore[pair.first] && isCore[pair.second] { groups.unite(pair.first, pair.second) }
  }
  var labelOfGroup = [Int](repeating: -1, count: count)
  var labels = [Int](repeating: -1, count: count)
  var next = 0
  for face in 0..<count where isCore[face] {
    let group = groups.find(face)
    if labelOfGroup[group] < 0 {
      labelOfGroup[group] = next
      next += 1
    }
    labels[face] = labelOfGroup[group]
  }
  pairs.visit { pair in
    for (face, core) in [(pair.first, pair.second), (pair.second, pair.first)]
    where isCore[core] && !isCore[face] && (labels[face] < 0 || labels[core] < labels[face]) {
      labels[face] = labels[core]
    }
  }
  return labels
}
