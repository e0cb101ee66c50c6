internal import Glibc

/// What humans said about single faces, as evidence that should have been above the threshold, or below.
///
/// A face that was placed with others should have had evidence enough to join them, and too little to
/// join anybody else whom humans know; one that was rejected, too little to join whom it was taken for. All
/// other groups are taken to be right: they would lose faces if the threshold rose.
struct HumanVerdicts {
  /// Evidence about a face, and for how many faces it stands.
  struct Verdict {
    var evidence: Double
    var weight = 1.0
  }

  /// Faces that are of the person.
  private(set) var same: [Verdict] = []
  /// Faces that are not.
  private(set) var different: [Verdict] = []

  /// Verdicts that outweigh a threshold found without them, for each impostor unit.
  private static let priorVerdicts = 10.0
  /// A stranger in a group counts for as many missing faces.
  private static let costOfStranger = 2.0

  /// Verdicts with their evidence.
  init(same: [Verdict], different: [Verdict]) {
    self.same = same
    self.different = different
  }

  /// - Parameters:
  ///   - groups: faces of each group, as they were found without the verdicts.
  ///   - calibration: found without them, too.
  ///   - threads: most threads to use; the result does not depend on it.
  /// - Complexity: O(n · d) and one inner product for each rejection, and for each of a thousand known faces and
  ///   known person.
  init(
    _ input: GroupingInput, groups: [[Int]], seen faces: CentredFaces, votes: [Double],
    calibration: SimilarityCalibration, sizePenalty: Double, threads: Int
  ) {
    let evidence = VerdictEvidence(
      faces: faces, votes: votes, calibration: calibration, sizePenalty: sizePenalty,
      threads: threads)
    let known = evidence.people(Self.persons(input.anchors, where: { _ in true }).map(\.faces))
    // Only those whom humans know are asked about, and among more people more look alike.
    let crowd =
      max(calibration.entropy - log(Double(max(known.count, 1))), 0)
      / max(calibration.separation, 2.5)
    for found in evidence.comparisons(with: known, amongAll: true) {
      if let own = found.own { same.append(Verdict(evidence: own, weight: found.weight)) }
      if let best = found.bestOther {
        different.append(Verdict(evidence: best + crowd, weight: found.weight))
      }
    }
    for (first, second) in input.cannotLink {
      different.append(Verdict(evidence: evidence.of(first, with: evidence.group([second]))))
    }
    let others = groups.filter { $0.count > 1 && input.anchors[$0[0]] == nil }
    for found in evidence.comparisons(with: evidence.people(sampledFrom: others), amongAll: false) {
      // Nobody said that a face below the threshold is right.
      if let own = found.own, own >= calibration.threshold {
        same.append(Verdict(evidence: own, weight: found.weight))
      }
    }
    let rejecting = Dictionary(grouping: input.rejected) { $0.person }
    for person in Self.persons(input.persons, where: { rejecting[$0] != nil }) {
      let looked = evidence.group(person.faces)
      for (face, _) in rejecting[person.id] ?? [] where input.persons[face] != person.id {
        different.append(Verdict(evidence: evidence.of(face, with: looked)))
      }
    }
  }

  /// The people that faces are said to be, by id.
  private static func persons(
    _ ids: [Int64?], where isWanted: (Int64) -> Bool
  ) -> [(id: Int64, faces: [Int])] {
    var members: [Int64: [Int]] = [:]
    for (face, id) in ids.enumerated() {
      if let id, isWanted(id) { members[id, default: []].append(face) }
    }
    return members.sorted { $0.key < $1.key }.map { (id: $0.key, faces: $0.value) }
  }

  /// How far the threshold moves: to where it does the verdicts most justice, near where it was.
  ///
  /// - Complexity: O(v log v) in the number of verdicts on the wrong side, times v.
  func shift(from threshold: Double) -> Double {
    func cost(_ moved: Double) -> Double {
      let strangers = different.reduce(0) { $0 + ($1.evidence >= moved ? $1.weight : 0) }
      let missing = same.reduce(0) { $0 + ($1.evidence < moved ? $1.weight : 0) }
      let away = moved - threshold
      return Self.costOfStranger * strangers + missing
        + Self.priorVerdicts * max(away, -Self.costOfStranger * away)
    }
    // The cost only falls where a verdict changes.
    let above = different.map(\.evidence).filter { $0 >= threshold }.map(\.nextUp)
    let below = same.map(\.evidence).filter { $0 < threshold }
    var best = (threshold, cost(threshold))
    for candidate in (above + below).sorted(by: { abs($0 - threshold) < abs($1 - threshold) }) {
      let cost = cost(candidate)
      if cost < best.1 { best = (candidate, cost) }
    }
    return best.0 - threshold
  }
}
