/// A pair of an old and a new cluster that share members.
struct LineagePair: Sendable, Equatable {
  /// Row of the old cluster.
  var old: Int
  /// Row of the new cluster.
  var new: Int
  var sharedMembers: Int
  /// Cosine similarity of the centroids, −1…1.
  var similarity: Double
  /// Half the Dice coefficient of the members plus half the similarity, 0…1.
  var score: Double
}

/// Says which old cluster each new one continues.
struct LineageMatcher {
  var continuationThreshold: Double
  var secondaryThreshold: Double

  struct Outcome: Sendable, Equatable {
    /// Old row that each new cluster continues.
    var oldOfNew: [Int?]
    /// New row that continues each old cluster.
    var newOfOld: [Int?]
    /// Pairs above the secondary threshold, by old then new.
    var pairs: [LineagePair]
    /// New row that has more than half of each old cluster's faces, however little the two resemble each other.
    ///
    /// What was said of a cluster holds where its faces are, also where nobody would call that the same cluster.
    var heirOfOld: [Int?]
  }

  /// Matches clusters by shared members and by direction.
  ///
  /// Only faces that both sides know count: a face that had no cluster before says nothing about
  /// which cluster is continued, so growth alone does not lower a score.
  ///
  /// - Parameters:
  ///   - membership: per face its old row and its new row, absent where it has none.
  ///   - weights: how much each face counts; nil counts each once. Faces that people placed weigh more,
  ///     so that they pull their label to their cluster's id.
  ///   - similarity: cosine similarity of the centroids of an old and a new row.
  /// - Complexity: O(n + pairs) and the Hungarian method within each connected group of pairs.
  func match(
    oldCount: Int, newCount: Int, membership: [(old: Int?, new: Int?)],
    weights: [Int]? = nil, similarity: (_ old: Int, _ new: Int) -> Double
  ) -> Outcome {
    var oldSizes = [Int](repeating: 0, count: oldCount)
    var newSizes = [Int](repeating: 0, count: newCount)
    var shared: [Int: (faces: Int, weight: Int)] = [:]
    for (index, face) in membership.enumerated() {
      guard let old = face.old else { continue }
      let weight = weights?[index] ?? 1
      oldSizes[old] += weight
      guard let new = face.new else { continue }
      newSizes[new] += weight
      shared[old * newCount + new, default: (0, 0)].faces += 1
      shared[old * newCount + new, default: (0, 0)].weight += weight
    }
    var pairs: [LineagePair] = []
    for (key, count) in shared.sorted(by: { $0.key < $1.key }) {
      let (old, new) = key.quotientAndRemainder(dividingBy: newCount)
      let dice = 2 * Double(count.weight) / Double(oldSizes[old] + newSizes[new])
      let cosine = similarity(old, new)
      let score = (dice + max(cosine, 0)) / 2
      if score >= secondaryThreshold {
        pairs.append(
          LineagePair(
            old: old, new: new, sharedMembers: count.faces, similarity: cosine, score: score))
      }
    }
    var outcome = Outcome(
      oldOfNew: Array(repeating: nil, count: newCount),
      newOfOld: Array(repeating: nil, count: oldCount), pairs: pairs,
      heirOfOld: Array(repeating: nil, count: oldCount))
    for (key, count) in shared where 2 * count.weight > oldSizes[key / newCount] {
      outcome.heirOfOld[key / newCount] = key % newCount
    }
    for group in connectedGroups(of: pairs.filter { $0.score >= continuationThreshold }) {
      let olds = Set(group.map(\.old)).sorted()
      let news = Set(group.map(\.new)).sorted()
      let rowOfOld = Dictionary(uniqueKeysWithValues: olds.enumerated().map { ($1, $0) })
      let columnOfNew = Dictionary(uniqueKeysWithValues: news.enumerated().map { ($1, $0) })
      var scores = [[Double]](
        repeating: [Double](repeating: 0, count: news.count), count: olds.count)
      for pair in group {
        guard let row = rowOfOld[pair.old], let column = columnOfNew[pair.new] else { continue }
        scores[row][column] = pair.score
      }
      for (row, column) in Hungarian.match(scores).enumerated() {
        guard let column else { continue }
        outcome.oldOfNew[news[column]] = olds[row]
        outcome.newOfOld[olds[row]] = news[column]
      }
    }
    return outcome
  }

  /// Pairs that share no old and no new cluster cannot compete, so each group is solved alone.
  private func connectedGroups(of pairs: [LineagePair]) -> [[LineagePair]] {
    var parent: [Int: Int] = [:]
    func root(_ node: Int) -> Int {
      var node = node
      while let up = parent[node], up != node { node = up }
      return node
    }
    // Old rows are even nodes, new rows odd ones.
    for pair in pairs {
      let (a, b) = (root(2 * pair.old), root(2 * pair.new + 1))
      parent[max(a, b)] = min(a, b)
    }
    var groups: [Int: [LineagePair]] = [:]
    for pair in pairs { groups[root(2 * pair.old), default: []].append(pair) }
    return groups.sorted { $0.key < $1.key }.map(\.value)
  }
}
