internal import HDBSCAN
internal import Vectors

/// Lets every face, or all frames of a shot at once, move to the group that they have more evidence for.
///
/// Agglomeration never takes a merge back: a face that joined when groups were small may be more like
/// another one now. So, as in relocation for k-means (Hartigan and Wong 1979, doi:10.2307/2346830), each goes
/// where its evidence is greatest, one after the other in an order that depends on the vectors alone.
struct Relocation {
  let input: GroupingInput
  let faces: CentredFaces
  let bursts: Bursts
  let calibration: SimilarityCalibration
  let sizePenalty: Double
  /// Whether faces of one photo are different people.
  let keepsPhotosApart: Bool

  /// Impostor units by which another group must be better.
  private static let advantage = 0.1
  private static let rounds = 5

  /// The groups after all moves, each ascending; empty ones are left out.
  ///
  /// What a human placed stays. Nobody moves to somebody in the same photo, or of whom humans said that
  /// they are different people, and to join somebody whom a human knows takes more.
  ///
  /// - Complexity: O(n · d), and an inner product for each group that a candidate pair leads to.
  func relocated(_ groups: [[Int]], pairs: CandidatePairs) -> [[Int]] {
    var groupOfFace = [Int](repeating: -1, count: bursts.votes.count)
    for (group, faces) in groups.enumerated() {
      for face in faces { groupOfFace[face] = group }
    }
    let around = neighbours(pairs, groups, groupOfFace)
    if around.isEmpty { return groups }
    let shots = shots
    var members = LinkedGroups(faces: faces, votes: bursts.votes, groups: groups)
    let isKnown = groups.map { $0.contains { input.anchors[$0] != nil } }
    let apart = input.apart
    let order = SimilaritySample.inOrder(Array(around.keys), of: faces.vectors)
    for _ in 0..<Self.rounds {
      var moved = false
      for shot in order {
        let own = groupOfFace[shot]
        let frames = shots[shot] ?? [shot]
        if frames.count == members.faces(of: own).count { continue }
        if frames.contains(where: { groupOfFace[$0] != own || input.anchors[$0] != nil }) {
          continue
        }
        var others = Set((around[shot] ?? []).map { groupOfFace[$0] })
        others.remove(own)
        if others.isEmpty { continue }
        let unit = LinkedGroups.Unit(frames, faces: faces, votes: bursts.votes)
        var best = own
        var most = evidence(unit, own, &members, including: true) + Self.advantage
        for other in others.sorted() where members.faces(of: other).count > 1 {
          let margin =
            isKnown[other] && !isKnown[own] ? SimilarityCalibration.knownPersonMargin : 0
          let found = evidence(unit, other, &members, including: false) - margin
          if found <= most || found < calibration.threshold { continue }
          if input.areApart(
            frames, members.faces(of: other), apart, heedsPhotos: keepsPhotosApart)
          {
            continue
          }
          (best, most) = (other, found)
        }
        if best == own { continue }
        for face in frames {
          members.move(face, from: own, to: best)
          groupOfFace[face] = best
        }
        moved = true
      }
      if !moved { break }
    }
    return members.groups
  }

  private func evidence(
    _ unit: LinkedGroups.Unit, _ group: Int, _ members: inout LinkedGroups, including: Bool
  ) -> Double {
    let found = members.mean(of: unit, to: group, including: including)
    return calibration.evidence(
      meanSimilarity: found.similarity,
      weight: SimilarityCalibration.weight(
        of: (unit.count, unit.votes), with: (found.count, found.votes)),
      sizePenalty: sizePenalty)
  }

  /// The frames of every shot of two or more.
  private var shots: [Int: [Int]] {
    var shots: [Int: [Int]] = [:]
    for (face, first) in bursts.firstFace.enumerated() where bursts.votes[face] < 1 {
      shots[first, default: []].append(face)
    }
    return shots
  }

  /// For each shot in a group the faces of other groups that are as like as a group's faces should be.
  private func neighbours(
    _ pairs: CandidatePairs, _ groups: [[Int]], _ groupOfFace: [Int]
  ) -> [Int: [Int]] {
    let least = calibration.thresholdSimilarity
    var around: [Int: [Int]] = [:]
    for (first, second, product) in pairs {
      let (a, b) = (groupOfFace[first], groupOfFace[second])
      if a == b || groups[a].count < 2 || groups[b].count < 2 { continue }
      if faces.centred(product, first, second) < least { continue }
      around[bursts.firstFace[first], default: []].append(second)
      around[bursts.firstFace[second], default: []].append(first)
    }
    return around
  }
}
