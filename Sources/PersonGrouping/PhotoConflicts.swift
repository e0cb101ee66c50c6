internal import Vectors

/// One person is rarely twice in one photo: of two faces of a photo in one group, one leaves.
///
/// Unless both are surely that person: a mirror, a collage, a page of a photo album. A relative who stands
/// beside somebody is more like that person than a stranger, but less than the person's own photos are.
struct PhotoConflicts {
  let input: GroupingInput
  let faces: CentredFaces
  let votes: [Double]
  let calibration: SimilarityCalibration

  /// How alike a second face of a person is at least to the first and to the person, of what the first is
  /// to the person.
  ///
  /// Relatives are about half as alike.
  private static let leastOfStaying = 0.7

  /// The groups, with those that left as groups of one face.
  ///
  /// What a human placed stays; else the face that is most like the group.
  ///
  /// - Complexity: O(n · d).
  func resolve(_ groups: [[Int]]) -> [[Int]] {
    var result: [[Int]] = []
    for group in groups {
      let leaving = leaving(group)
      result.append(group.filter { !leaving.contains($0) })
      result += leaving.sorted().map { [$0] }
    }
    return result
  }

  private func leaving(_ group: [Int]) -> Set<Int> {
    var ofPhoto: [Int64: [Int]] = [:]
    for face in group {
      if let photo = input.photos[face] { ofPhoto[photo, default: []].append(face) }
    }
    let shared = ofPhoto.values.filter { $0.count > 1 }
    if shared.isEmpty { return [] }
    let sum = self.faces.sum(group, votes: votes)
    let total = group.reduce(0) { $0 + votes[$1] }
    var leaving: Set<Int> = []
    for faces in shared.sorted(by: { $0[0] < $1[0] }) {
      let likeness = faces.map { face in
        (product(sum, face) - votes[face], input.anchors[face] == nil ? 0 : 1)
      }
      let stays = faces.indices.max {
        (likeness[$0].1, likeness[$0].0, faces[$1]) < (likeness[$1].1, likeness[$1].0, faces[$0])
      }
      guard let stays else { continue }
      let pictured = self.faces.sum(faces, votes: votes)
      let others = Others(
        sum: sum.indices.map { sum[$0] - pictured[$0] },
        votes: total - faces.reduce(0) { $0 + votes[$1] })
      for face in faces where face != faces[stays] && input.anchors[face] == nil {
        if !areOnePerson(face, faces[stays], others) { leaving.insert(face) }
      }
    }
    return leaving
  }

  /// The faces of a group that are in other photos.
  private struct Others {
    let sum: [Double]
    let votes: Double
  }

  /// Whether two faces of one photo are one person, as far as each other and the group's other faces say.
  ///
  /// Their evidence must reach the threshold on average, and both must be nearly as alike as the better of
  /// the two faces is to the others.
  private func areOnePerson(_ face: Int, _ stays: Int, _ others: Others) -> Bool {
    let pair = faces.dotProduct(face, stays)
    let ofPair = calibration.evidence(meanSimilarity: pair, weight: 1, otherWeight: 1)
    if others.votes < 1e-9 { return ofPair >= calibration.threshold }
    let own = product(others.sum, face) / others.votes
    let ofGroup = calibration.evidence(
      meanSimilarity: own, weight: 1, otherWeight: max(others.votes, 1))
    if ofPair + ofGroup < 2 * calibration.threshold { return false }
    // One that a human placed may be the less alike of the two.
    let most = max(own, product(others.sum, stays) / others.votes) - calibration.impostorMean
    return (pair + own) / 2 - calibration.impostorMean >= Self.leastOfStaying * most
  }

  /// Inner product of a sum and a face as it is seen.
  private func product(_ sum: [Double], _ face: Int) -> Double {
    let own = faces.sum([face], votes: votes)
    return sum.indices.reduce(0) { $0 + sum[$1] * own[$1] } / votes[face]
  }
}
