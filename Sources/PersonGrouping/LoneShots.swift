internal import HDBSCAN
internal import Vectors

/// Lets a shot that is left alone follow its strongest link to somebody.
///
/// Mean similarity to a person's photos cannot see a shot that continues one other shot: a head that has
/// turned, the same scene again. A pair of faces that would have made one group of two lone photos is enough
/// here, if it lies well above that. Only a group of one shot or two follows, as a whole, so no two people with
/// more are joined, and only to somebody with several: among thousands of people with few photos everybody looks
/// like some photo of somebody. Who is as unlike a person's photos as strangers are follows none of them, which may
/// bear the wrong name. Loose frames of a shot that humans took apart follow nobody.
struct LoneShots {
  let input: GroupingInput
  let faces: CentredFaces
  let votes: [Double]
  let calibration: SimilarityCalibration
  /// Whether faces of one photo are different people.
  let keepsPhotosApart: Bool

  /// Impostor units above the threshold from which a pair of faces decides; two lone photos need 1.7.
  private static let margin = 3.0
  /// Shots that follow together at most, and how many frames they have at least on average.
  private static let (mostShots, leastFrames) = (2.0, 3.0)
  /// Votes that the group has at least which they follow to.
  private static let several = 5.0
  /// Impostor units above strangers that the shots and the group are alike at least.
  private static let leastMean = 0.5

  private struct Link {
    var similarity: Double
    var group: Int
  }

  /// The groups after that, each ascending.
  ///
  /// What a human placed stays. Nobody joins somebody in the same photo, or of whom humans said that they are
  /// different people. To join somebody whom a human knows takes more; who is most like somebody known, and not
  /// enough for that, stays alone.
  ///
  /// - Complexity: O(n + candidate pairs).
  func joined(_ groups: [[Int]], pairs: CandidatePairs) -> [[Int]] {
    let totals = groups.map { $0.reduce(0) { $0 + votes[$1] } }
    let isLone = groups.indices.map { group in
      totals[group] >= 1 - 1e-6 && totals[group] <= Self.mostShots + 1e-6
        && Double(groups[group].count) >= Self.leastFrames * totals[group] - 1e-6
        && groups[group].allSatisfy { input.anchors[$0] == nil }
    }
    if !isLone.contains(true) { return groups }
    var groupOfFace = [Int](repeating: -1, count: votes.count)
    for (group, faces) in groups.enumerated() {
      for face in faces { groupOfFace[face] = group }
    }
    let isKnown = groups.map { $0.contains { input.anchors[$0] != nil } }
    let apart = input.apart
    let least = calibration.similarity(calibration.threshold + Self.margin)
    let knownMargin = SimilarityCalibration.knownPersonMargin * calibration.impostorDeviation
    var strongest: [Int: Link] = [:]
    for (first, second, product) in pairs {
      let (a, b) = (groupOfFace[first], groupOfFace[second])
      if a == b || !(isLone[a] || isLone[b]) { continue }
      let similarity = faces.centred(product, first, second)
      for (shot, other) in [(a, b), (b, a)]
      where isLone[shot] && totals[other] >= Self.several - 1e-6 {
        if similarity < least { continue }
        if let link = strongest[shot], (link.similarity, other) >= (similarity, link.group) {
          continue
        }
        strongest[shot] = Link(similarity: similarity, group: other)
      }
    }
    var result = groups
    for (shot, link) in strongest.sorted(by: {
      ($1.value.similarity, $0.key) < ($0.value.similarity, $1.key)
    })
    where link.similarity >= least + (isKnown[link.group] ? knownMargin : 0)
      && !input.areApart(
        groups[shot], result[link.group], apart, heedsPhotos: keepsPhotosApart)
      && meanSimilarity(groups[shot], groups[link.group])
        >= calibration.similarity(Self.leastMean)
    {
      result[link.group] += groups[shot]
      result[shot] = []
    }
    return result.filter { !$0.isEmpty }.map { $0.sorted() }
  }
  /// - Complexity: O(faces · d).
  private func meanSimilarity(_ one: [Int], _ other: [Int]) -> Double {
    let (a, b) = (faces.sum(one, votes: votes), faces.sum(other, votes: votes))
    let total = { (group: [Int]) in group.reduce(0) { $0 + votes[$1] } }
    return zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } / (total(one) * total(other))
  }
}
