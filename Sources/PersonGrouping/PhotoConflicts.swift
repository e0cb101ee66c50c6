internal import Vectors

/// One person is rarely twice in one photo: of two faces of a photo in one group, one leaves.
///
/// Unless the two are themselves so alike that they would have been joined as single faces: a mirror, a
/// collage, a page of a photo album.
struct PhotoConflicts {
  let input: GroupingInput
  let faces: CentredFaces
  let votes: [Double]
  let calibration: SimilarityCalibration

  /// The groups, with those that left as groups of one face.
  ///
  /// The face that is most like the group stays; what a human placed stays.
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
    var leaving: Set<Int> = []
    for faces in shared.sorted(by: { $0[0] < $1[0] }) {
      let likeness = faces.map { face in
        let own = self.faces.sum([face], votes: votes)
        return sum.indices.reduce(0) { $0 + sum[$1] * own[$1] } / votes[face] - votes[face]
      }
      let stays = faces.indices.max {
        (likeness[$0], faces[$1]) < (likeness[$1], faces[$0])
      }
      guard let stays else { continue }
      for face in faces where face != faces[stays] && input.anchors[face] == nil {
        let evidence = calibration.evidence(
          meanSimilarity: self.faces.dotProduct(face, faces[stays]), weight: 1,
          otherWeight: 1)
        if evidence < calibration.threshold { leaving.insert(face) }
      }
    }
    return leaving
  }
}
