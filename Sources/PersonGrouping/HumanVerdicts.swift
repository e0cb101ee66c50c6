internal import Glibc
internal import Vectors

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
  /// - Complexity: O(n · d) and one inner product for each rejection, and for each of a thousand known faces and
  ///   known person.
  init(
    _ input: GroupingInput, groups: [[Int]], seen faces: CentredFaces, votes: [Double],
    calibration: SimilarityCalibration, sizePenalty: Double
  ) {
    let evidence = VerdictEvidence(
      faces: faces, votes: votes, calibration: calibration, sizePenalty: sizePenalty)
    let known = evidence.persons(input.anchors) { _ in true }
    // Only those whom humans know are asked about, and among more people more look alike.
    let people = log(Double(max(known.count, 1)))
    let crowd = max(calibration.entropy - people, 0) / max(calibration.separation, 2.5)
    for (own, face, weight) in evidence.sample(known) {
      if known[own].faces.count > 1 {
        same.append(
          Verdict(evidence: evidence.of(face, with: known[own], including: true), weight: weight))
      }
      let others = known.indices.lazy.filter { $0 != own }
        .map { evidence.of(face, with: known[$0], including: false) }
      if let best = others.max() {
        different.append(Verdict(evidence: best + crowd, weight: weight))
      }
    }
    for (first, second) in input.cannotLink {
      different.append(
        Verdict(
          evidence: evidence.of(first, with: evidence.person([second]), including: false)))
    }
    let found = groups.filter { $0.count > 1 && input.anchors[$0[0]] == nil }
      .map { evidence.person($0) }
    for (own, face, weight) in evidence.sample(found) {
      let value = evidence.of(face, with: found[own], including: true)
      // Nobody said that a face below the threshold is right.
      if value >= calibration.threshold { same.append(Verdict(evidence: value, weight: weight)) }
    }
    let rejecting = Set(input.rejected.map(\.person))
    let looked = evidence.persons(input.persons) { rejecting.contains($0) }
    let rows = Dictionary(uniqueKeysWithValues: looked.enumerated().map { ($1.id, $0) })
    for (face, id) in input.rejected where input.persons[face] != id {
      guard let row = rows[id] else { continue }
      different.append(
        Verdict(evidence: evidence.of(face, with: looked[row], including: false)))
    }
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

/// Evidence that a face is of a person whose faces are known.
private struct VerdictEvidence {
  let faces: CentredFaces
  let votes: [Double]
  let calibration: SimilarityCalibration
  let sizePenalty: Double

  /// Most faces whose verdicts are computed.
  private static let most = 1_000

  struct Person {
    var id: Int64
    var faces: [Int]
    var sum: [Double]
    var votes: Double
  }

  func person(_ members: [Int], id: Int64 = 0) -> Person {
    Person(
      id: id, faces: members, sum: faces.sum(members, votes: votes),
      votes: members.reduce(0) { $0 + votes[$1] })
  }

  /// The people that faces are said to be, by id.
  func persons(_ ids: [Int64?], where isWanted: (Int64) -> Bool) -> [Person] {
    var members: [Int64: [Int]] = [:]
    for (face, id) in ids.enumerated() {
      if let id, isWanted(id) { members[id, default: []].append(face) }
    }
    return members.sorted { $0.key < $1.key }.map { person($0.value, id: $0.key) }
  }

  /// A thousand faces of people, drawn by hash, and for how many each stands.
  func sample(_ persons: [Person]) -> [(person: Int, face: Int, weight: Double)] {
    let all = persons.enumerated().flatMap { index, person in
      person.faces.map { (person: index, face: $0) }
    }
    if all.count <= Self.most { return all.map { ($0.person, $0.face, 1) } }
    let vectors = faces.vectors
    let chosen =
      all.map {
        (
          person: $0.person, face: $0.face,
          hash: SimilaritySample.hash(vectors.row($0.face), count: vectors.columns)
        )
      }.sorted { ($0.hash, $0.face) < ($1.hash, $1.face) }.prefix(Self.most)
    let weight = Double(all.count) / Double(Self.most)
    return chosen.map { ($0.person, $0.face, weight) }
  }

  /// - Parameter including: whether the face is one of the person's.
  func of(_ face: Int, with person: Person, including: Bool) -> Double {
    let own = faces.sum([face], votes: votes)
    let vote = votes[face]
    var product = own.indices.reduce(0) { $0 + own[$1] * person.sum[$1] }
    var others = person.votes
    if including {
      product -= vote * vote
      others -= vote
    }
    return calibration.evidence(
      meanSimilarity: product / (vote * max(others, 1e-9)), weight: max(others, 1),
      sizePenalty: sizePenalty)
  }
}
