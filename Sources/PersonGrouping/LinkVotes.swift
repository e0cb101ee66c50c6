internal import Vectors

/// Lets every face move to the group that it has by far the strongest links with.
///
/// Groups found by mean similarity lose faces that are unlike the average of their person, but very
/// like some of the photos: a child grown up, a profile. So, as in Chinese whispers (Biemann 2006,
/// ACL Anthology W06-3812), each face sums the similarity of its links to every group around it; a
/// link is a pair whose similarity lies well above the calibrated threshold. It starts from groups and
/// not from single faces, and links count only where the mean over the group all but agrees: among
/// thousands of people everybody looks like some photo of somebody with hundreds. Faces go one after the
/// other in an order that depends on their vectors alone.
struct LinkVotes {
  let input: GroupingInput
  let votes: [Double]
  let calibration: SimilarityCalibration

  /// Impostor units above the threshold from which a pair of faces is a link.
  private static let linkMargin = 1.6
  /// Links to a group that a face needs to join it; a burst counts as one.
  private static let leastLinks = 2.0
  /// How much stronger they must be than those to its own group.
  private static let advantage = 2.0
  /// How far below the threshold, in impostor units, the mean over the group may lie.
  private static let meanMargin = 0.4
  private static let rounds = 10

  /// The groups after all moves, each ascending; empty ones are left out.
  ///
  /// What a human placed stays. Faces that humans said are different people do not come together, and a
  /// face needs more to join somebody whom a human knows.
  ///
  /// - Complexity: O(p) inner products for the p candidate pairs, and one with every member of the groups
  ///   around each face that has a link out of its own.
  func refined(_ groups: [[Int]], pairs: CandidatePairs) -> [[Int]] {
    var members = groups
    var groupOfFace = [Int](repeating: -1, count: input.embeddings.rows)
    for (group, faces) in groups.enumerated() {
      for face in faces { groupOfFace[face] = group }
    }
    let isKnown = groups.map { $0.contains { input.anchors[$0] != nil } }
    let candidates = candidates(pairs)
    let apart = apart
    for _ in 0..<Self.rounds {
      var moved = false
      for (face, others) in candidates {
        let own = groupOfFace[face]
        var around = Set(others.map { groupOfFace[$0] })
        around.remove(own)
        if around.isEmpty { continue }
        var best = own
        var most = Self.advantage * links(of: face, with: members[own], toKnown: false).strength
        for group in around.sorted() where !holds(members[group], anyOf: apart[face]) {
          let found = links(
            of: face, with: members[group], toKnown: isKnown[group] && !isKnown[own])
          if found.votes > Self.leastLinks - 1e-9, found.mean >= leastMean, found.strength > most {
            (best, most) = (group, found.strength)
          }
        }
        if best == own { continue }
        members[own].removeAll { $0 == face }
        members[best].append(face)
        groupOfFace[face] = best
        moved = true
      }
      if !moved { break }
    }
    return members.filter { !$0.isEmpty }.map { $0.sorted() }
  }

  /// Votes of a face's links to a group, one a burst, their similarity in all above strangers', and
  /// the mean similarity to the group.
  private func links(
    of face: Int, with group: [Int], toKnown: Bool
  ) -> (votes: Double, strength: Double, mean: Double) {
    let least = leastSimilarity + (toKnown ? knownMargin : 0)
    var (sum, strength, all, total) = (0.0, 0.0, 0.0, 0.0)
    for other in group where other != face {
      let similarity = input.embeddings.dotProduct(face, other)
      all += votes[other]
      total += votes[other] * similarity
      if similarity < least { continue }
      sum += votes[other]
      strength += votes[other] * (similarity - calibration.impostorMean)
    }
    return (sum, strength, total / max(all, 1e-9))
  }

  private var leastSimilarity: Double {
    calibration.similarity(calibration.threshold + Self.linkMargin)
  }

  private var leastMean: Double {
    calibration.similarity(calibration.threshold - Self.meanMargin)
  }

  private var knownMargin: Double {
    SimilarityCalibration.knownPersonMargin * calibration.impostorDeviation
  }

  /// Faces that may move, in an order of their vectors, and the ends of their links.
  private func candidates(_ pairs: CandidatePairs) -> [(face: Int, others: [Int])] {
    let least = leastSimilarity
    var others: [Int: [Int]] = [:]
    for (first, second) in pairs
    where input.embeddings.dotProduct(first, second) >= least {
      if input.anchors[first] == nil { others[first, default: []].append(second) }
      if input.anchors[second] == nil { others[second, default: []].append(first) }
    }
    return others.map { (face: $0.key, others: $0.value, hash: hash($0.key)) }
      .sorted { ($0.hash, $0.face) < ($1.hash, $1.face) }
      .map { (face: $0.face, others: $0.others) }
  }

  private func hash(_ face: Int) -> UInt64 {
    SimilaritySample.hash(input.embeddings.row(face), count: input.embeddings.columns)
  }

  private var apart: [Int: Set<Int>] {
    var apart: [Int: Set<Int>] = [:]
    for (first, second) in input.cannotLink {
      apart[first, default: []].insert(second)
      apart[second, default: []].insert(first)
    }
    return apart
  }

  private func holds(_ group: [Int], anyOf faces: Set<Int>?) -> Bool {
    guard let faces else { return false }
    return group.contains { faces.contains($0) }
  }
}
