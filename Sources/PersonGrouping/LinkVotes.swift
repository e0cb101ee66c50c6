internal import Vectors

/// Lets every face move to the group that it has the strongest links with.
///
/// Groups found by mean similarity lose faces that are unlike the average of their person, but very
/// like some of the photos: a child grown up, a profile. So, as in Chinese whispers (Biemann
/// 2006, doi:10.3115/1654758.1654774), each face sums the similarity of its links to
/// every group around it and goes where the sum is greatest; a link is a pair whose similarity lies well
/// above the calibrated threshold. It starts from the groups and not from single faces, and takes faces
/// one after the other in an order that depends on their vectors alone.
struct LinkVotes {
  let input: GroupingInput
  let votes: [Double]
  let calibration: SimilarityCalibration

  /// Impostor units above the threshold from which a pair of faces is a link.
  private static let linkMargin = 1.8
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
    let links = links(pairs)
    let apart = apart
    for _ in 0..<Self.rounds {
      var moved = false
      for (face, others) in links {
        let own = groupOfFace[face]
        var around = Set(others.map { groupOfFace[$0] })
        around.remove(own)
        if around.isEmpty { continue }
        var best = own
        var most = strength(face, with: members[own], toKnown: false)
        for group in around.sorted() where !holds(members[group], anyOf: apart[face]) {
          let sum = strength(
            face, with: members[group], toKnown: isKnown[group] && !isKnown[own])
          if sum > most { (best, most) = (group, sum) }
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

  /// Similarity of a face's links to a group, in impostor units, one vote a burst.
  private func strength(_ face: Int, with group: [Int], toKnown: Bool) -> Double {
    let least = leastSimilarity + (toKnown ? knownMargin : 0)
    var sum = 0.0
    for other in group where other != face {
      let similarity = input.embeddings.dotProduct(face, other)
      if similarity < least { continue }
      sum += votes[other] * (similarity - calibration.impostorMean)
    }
    return sum
  }

  private var leastSimilarity: Double {
    calibration.similarity(calibration.threshold + Self.linkMargin)
  }

  private var knownMargin: Double {
    SimilarityCalibration.knownPersonMargin * calibration.impostorDeviation
  }

  /// Faces that may move, in an order of their vectors, and the ends of their links.
  private func links(_ pairs: CandidatePairs) -> [(face: Int, others: [Int])] {
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
