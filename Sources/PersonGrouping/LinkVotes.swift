internal import HDBSCAN
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
  let faces: CentredFaces
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
  /// - Complexity: O(n · d) and, for each face with a link out of its group, an inner product with every
  ///   member of the groups around it, of a large one with a thousand.
  func refined(_ groups: [[Int]], pairs: CandidatePairs) -> [[Int]] {
    var groupOfFace = [Int](repeating: -1, count: votes.count)
    for (group, faces) in groups.enumerated() {
      for face in faces { groupOfFace[face] = group }
    }
    let links = links(pairs)
    // Only faces that have, or had, a link out of their group are looked at.
    var open = links.indices.filter { face in
      links[face].contains { groupOfFace[$0] != groupOfFace[face] }
    }
    if open.isEmpty { return groups }
    var members = LinkedGroups(faces: faces, votes: votes, groups: groups)
    let isKnown = groups.map { $0.contains { input.anchors[$0] != nil } }
    let apart = input.apart
    for _ in 0..<Self.rounds {
      var moved: [Int] = []
      for face in inOrder(open) {
        let own = groupOfFace[face]
        var around = Set(links[face].lazy.map { groupOfFace[$0] })
        around.remove(own)
        var best = own
        var most: Double?
        for group in around.sorted() {
          if members.mean(of: face, to: group) < leastMean { continue }
          if let enemies = apart[face], enemies.contains(where: { groupOfFace[$0] == group }) {
            continue
          }
          let toKnown = isKnown[group] && !isKnown[own]
          let found = members.links(
            of: face, to: group, from: leastSimilarity + (toKnown ? knownMargin : 0),
            above: calibration.impostorMean)
          if found.votes <= Self.leastLinks - 1e-9 { continue }
          let least =
            most ?? Self.advantage
            * members.links(
              of: face, to: own, from: leastSimilarity, above: calibration.impostorMean
            ).strength
          most = least
          if found.strength > least { (best, most) = (group, found.strength) }
        }
        if best == own { continue }
        members.move(face, from: own, to: best)
        groupOfFace[face] = best
        moved.append(face)
      }
      if moved.isEmpty { break }
      // Who was linked with a face that moved has a link out of its group now.
      open = Array(Set(open).union(moved.flatMap { links[$0] }))
    }
    return members.groups
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

  /// The faces that each face may follow; none for those that a human placed.
  private func links(_ pairs: CandidatePairs) -> [[Int]] {
    var links = [[Int]](repeating: [], count: votes.count)
    let least = leastSimilarity
    for (first, second, product) in pairs
    where faces.centred(product, first, second) >= least {
      if input.anchors[first] == nil { links[first].append(second) }
      if input.anchors[second] == nil { links[second].append(first) }
    }
    return links
  }

  private func inOrder(_ open: [Int]) -> [Int] {
    SimilaritySample.inOrder(open.filter { input.anchors[$0] == nil }, of: faces.vectors)
  }
}
