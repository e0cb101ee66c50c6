public import Vectors

/// Chinese whispers (Biemann 2006), the method of dlib and of several photo managers.
///
/// Faces within `threshold` are linked, with their cosine similarity as weight. Every face starts
/// as a group of its own; in each round every face, in random order, takes the group with the
/// greatest total weight among its links (a tie goes to the smallest group number). It ends after
/// `rounds` or when a round changes nothing.
///
/// - Parameters:
///   - vectors: n × d unit vectors.
///   - threshold: cosine distance, inclusive.
///   - rounds: at least 1.
///   - seed: of the order of faces; the result is a function of the arguments alone.
///   - memoryLimit: bytes that the links may take.
///   - threads: most threads to use; the result does not depend on it.
/// - Returns: a label for each face, numbered by first appearance; −1 for a face on its own.
/// - Throws: ``EvaluationError`` where a row is not a unit vector, a setting is out of range, or
///   there are too many links.
/// - Complexity: O(n² · d) as matrix products, twice; memory O(n + links).
public func chineseWhispers(
  _ vectors: Matrix<Float>, threshold: CosineDistance, rounds: Int = 30, seed: UInt64 = 1,
  memoryLimit: Int = 4 << 30, threads: Int = availableThreads
) throws(EvaluationError) -> [Int] {
  try chineseWhispers(
    try SimilarPairs(vectors, within: threshold, threads: threads), count: vectors.rows,
    rounds: rounds, seed: seed, memoryLimit: memoryLimit)
}

/// Chinese whispers over faces that were compared before: for one threshold after the other.
///
/// - Parameters:
///   - pairs: of all faces.
///   - threshold: cosine distance, inclusive.
///   - rounds: at least 1.
///   - seed: of the order of faces; the result is a function of the arguments alone.
///   - memoryLimit: bytes that the links may take.
/// - Returns: what ``chineseWhispers(_:threshold:rounds:seed:memoryLimit:threads:)`` returns for the same
///   faces.
/// - Throws: ``EvaluationError`` where a setting is out of range or there are too many links.
/// - Complexity: O(n + kept pairs + rounds · links).
public func chineseWhispers(
  _ pairs: ComparedPairs, threshold: CosineDistance, rounds: Int = 30, seed: UInt64 = 1,
  memoryLimit: Int = 4 << 30
) throws(EvaluationError) -> [Int] {
  try chineseWhispers(
    try SimilarPairs(pairs, within: threshold), count: pairs.vectors.rows, rounds: rounds,
    seed: seed, memoryLimit: memoryLimit)
}

private func chineseWhispers(
  _ pairs: SimilarPairs, count: Int, rounds: Int, seed: UInt64, memoryLimit: Int
) throws(EvaluationError) -> [Int] {
  if rounds < 1 {
    throw .invalidParameter(name: "rounds", value: "\(rounds)", expected: "at least 1")
  }
  let links = try LinkLists(pairs, count: count, memoryLimit: memoryLimit)
  var random = SplitMix64(state: seed)
  var order = Array(0..<count)
  var groups = order
  // Total weight of each group around one face; only the entries of its links are ever set.
  var totals = [Double](repeating: 0, count: count)
  for _ in 0..<rounds {
    order.shuffle(using: &random)
    var changed = false
    for face in order {
      let range = links.range(of: face)
      if range.isEmpty { continue }
      for index in range {
        totals[groups[Int(links.others[index])]] += Double(links.weights[index])
      }
      var best = -1
      for index in range {
        let group = groups[Int(links.others[index])]
        if best < 0 || totals[group] > totals[best]
          || (totals[group] == totals[best] && group < best)
        {
          best = group
        }
      }
      for index in range { totals[groups[Int(links.others[index])]] = 0 }
      if groups[face] != best {
        groups[face] = best
        changed = true
      }
    }
    if !changed { break }
  }
  return compactLabels(groups)
}

/// For each face the faces it is linked with.
private struct LinkLists {
  private(set) var others: [Int32]
  private(set) var weights: [Float]
  private var offsets: [Int]

  init(_ pairs: SimilarPairs, count: Int, memoryLimit: Int) throws(EvaluationError) {
    var degrees = [Int](repeating: 0, count: count)
    pairs.visit { pair in
      degrees[pair.first] += 1
      degrees[pair.second] += 1
    }
    offsets = [0]
    for degree in degrees { offsets.append((offsets.last ?? 0) + degree) }
    let total = offsets.last ?? 0
    let bytes = total * (MemoryLayout<Int32>.stride + MemoryLayout<Float>.stride)
    if bytes > memoryLimit {
      throw .tooMuchMemory(
        method: "Chinese whispers", faces: count, bytes: bytes, limit: memoryLimit)
    }
    others = [Int32](repeating: 0, count: total)
    weights = [Float](repeating: 0, count: total)
    var next = offsets
    // Locals, because a closure cannot write to a value that is being initialised.
    var targets = others
    var strengths = weights
    pairs.visit { pair in
      for (face, other) in [(pair.first, pair.second), (pair.second, pair.first)] {
        targets[next[face]] = Int32(other)
        strengths[next[face]] = pair.similarity
        next[face] += 1
      }
    }
    others = targets
    weights = strengths
  }

  func range(of face: Int) -> Range<Int> { offsets[face]..<offsets[face + 1] }
}
