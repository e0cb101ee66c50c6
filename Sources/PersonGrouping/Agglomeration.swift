internal import Glibc
internal import HDBSCAN
internal import Vectors

/// Merges groups of faces while the evidence says that they are one person.
///
/// Best first: each step joins the two groups of most evidence
/// (``SimilarityCalibration/evidence(meanSimilarity:weight:sizePenalty:)``), which is average linkage
/// with a prior on merging. Only candidate pairs are compared, and pairs of groups inherit those of their
/// parts. It ends at the threshold, which is found on the way: separation and entropy
/// are kept for the groups as they are, and what they say of the threshold is met from above.
struct Agglomeration {
  /// Evidence below which a pair is never looked at again: merging only averages similarities.
  private static let floor = 0.8
  /// How far below the threshold pairs of large groups are worth looking at.
  private static let slack = 0.5
  /// How alike two looks of one person are at least, of what each look's photos are.
  private static let leastOfLooks = 0.5
  /// What counts at most of how alike a group's photos are: frames of a video are more alike than a look.
  private static let mostWithin = 0.6
  /// Votes from which a group says how alike its own photos are.
  private static let severalVotes = 3.0
  private let faces: CentredFaces
  private let calibration: SimilarityCalibration
  private let steps: GroupingSteps
  private let sizePenalty: Double
  private let vectors: GroupVectors
  private(set) var members: [[Int]]
  private var votes: [Double]
  private var versions: [Int32]
  private var representative: [Int]
  private var adjacent: [[Int32]]
  private var anchors: [Int64?]
  private var apart: [Int: Set<Int>]
  private var photoCounts: [[Int64: Int]]
  private var queue = MergeQueue()
  private var groupOfFace: [Int]
  private var stamps: [Int32]
  private var stamp: Int32 = 0
  // Running totals behind the threshold.
  private let totalVotes: Double
  private var entropy = 0.0
  private var withinSum = 0.0
  private var withinVotes = 0.0

  /// - Parameters:
  ///   - groups: faces of each group to start from, ascending.
  ///   - faceVotes: vote of each face.
  ///   - sizePenalty: what two single faces need beyond the threshold, in impostor units.
  ///   - threads: most threads to use; the result does not depend on it.
  init(
    _ input: GroupingInput, seen faces: CentredFaces, groups: [[Int]], votes faceVotes: [Double],
    calibration: SimilarityCalibration, sizePenalty: Double, steps: GroupingSteps, threads: Int
  ) {
    self.faces = faces
    self.calibration = calibration
    self.sizePenalty = sizePenalty
    self.steps = steps
    members = groups
    vectors = GroupVectors(faces, groups: groups, votes: faceVotes, threads: threads)
    votes = groups.map { $0.reduce(0) { $0 + faceVotes[$1] } }
    versions = [Int32](repeating: 0, count: groups.count)
    representative = Array(groups.indices)
    adjacent = [[Int32]](repeating: [], count: groups.count)
    stamps = [Int32](repeating: -1, count: groups.count)
    anchors = groups.map { $0.lazy.compactMap { input.anchors[$0] }.first }
    groupOfFace = [Int](repeating: -1, count: input.embeddings.rows)
    for (group, faces) in groups.enumerated() {
      for face in faces { groupOfFace[face] = group }
    }
    apart = [:]
    for (first, second) in input.cannotLink {
      let (a, b) = (groupOfFace[first], groupOfFace[second])
      apart[a, default: []].insert(b)
      apart[b, default: []].insert(a)
    }
    let shared = steps.photos ? Self.sharedPhotos(input.photos) : []
    photoCounts = groups.map { faces in
      var counts: [Int64: Int] = [:]
      if shared.isEmpty { return counts }
      for face in faces {
        if let photo = input.photos[face], shared.contains(photo) {
          counts[photo, default: 0] += 1
        }
      }
      return counts
    }
    totalVotes = votes.reduce(0, +)
    for group in groups.indices { count(group, sign: 1) }
  }

  /// Photos with two faces or more: only those can speak against a merge.
  private static func sharedPhotos(_ photos: [Int64?]) -> Set<Int64> {
    var seen: Set<Int64> = []
    var shared: Set<Int64> = []
    for case let photo? in photos where !seen.insert(photo).inserted { shared.insert(photo) }
    return shared
  }

  /// The threshold for the groups as they are.
  var threshold: Double {
    steps.calibration
      ? SimilarityCalibration.threshold(separation: separation, entropy: entropy)
        + calibration.humanShift
      : SimilarityCalibration.prior.threshold
  }

  /// Mean similarity within groups, in impostor units.
  var separation: Double {
    SimilarityCalibration.separation(sum: withinSum, votes: withinVotes)
  }

  /// The calibration with what the groups say.
  var fitted: SimilarityCalibration {
    var result = calibration
    if steps.calibration {
      result.separation = separation
      result.entropy = max(entropy, 0)
    }
    return result
  }

  /// Enters pairs of faces whose groups should be compared.
  mutating func consider(_ pairs: CandidatePairs) {
    for (first, second, product) in pairs {
      let (a, b) = (find(groupOfFace[first]), find(groupOfFace[second]))
      if a == b { continue }
      if members[a].count == 1, members[b].count == 1 {
        enter(a, b, similarity: faces.centred(product, first, second))
      } else {
        enter(a, b, similarity: similarity(a, b))
      }
    }
  }

  /// Enters the pairs of groups of two faces or more that are most alike.
  ///
  /// The threshold falls on the way; what lies half a deviation below it is not looked at.
  mutating func considerNearestGroups(threads: Int) {
    let large = members.indices.filter { members[$0].count >= 2 }
    let means = Matrix<Float>(rows: large.count, columns: faces.vectors.columns) { base, stride in
      for (row, group) in large.enumerated() {
        vectors.write(group, times: 1 / votes[group], to: base + row * stride)
      }
    }
    let least = Float(calibration.similarity(threshold - Self.slack))
    for (first, second) in NearestGroups.pairs(means, least: least, threads: threads) {
      let (a, b) = (large[first], large[second])
      enter(a, b, similarity: similarity(a, b))
    }
  }

  /// Merges until no pair has evidence enough.
  mutating func run() {
    while let merge = queue.best {
      let (a, b) = (Int(merge.first), Int(merge.second))
      if versions[a] != merge.firstVersion || versions[b] != merge.secondVersion {
        queue.removeBest()
        continue
      }
      if merge.evidence < threshold { return }
      queue.removeBest()
      join(a, b, evidence: merge.evidence)
    }
  }

  /// Group of each face: the position of its faces in ``members``.
  mutating func groups() -> [Int] { groupOfFace.map { find($0) } }

  private mutating func find(_ group: Int) -> Int {
    var root = group
    while representative[root] != root {
      representative[root] = representative[representative[root]]
      root = representative[root]
    }
    return root
  }

  private func mayJoin(_ a: Int, _ b: Int) -> Bool {
    if let first = anchors[a], let second = anchors[b], first != second { return false }
    if apart[a]?.contains(b) ?? false { return false }
    let single = members[a].count == 1 || members[b].count == 1
    return single ? steps.adoption : steps.association
  }

  /// Mean similarity of the faces of two groups.
  private func similarity(_ a: Int, _ b: Int) -> Double {
    vectors.product(a, b) / (votes[a] * votes[b])
  }

  private func evidence(_ a: Int, _ b: Int, similarity mean: Double) -> Double {
    var similarity = mean
    let conflicts = conflicts(a, b)
    if conflicts > 0 {
      // Faces of one photo count as very unlike, whatever they look like.
      let share = min(Double(conflicts) / Double(members[a].count * members[b].count), 1)
      similarity = similarity * (1 - share) + calibration.similarity(-4) * share
    }
    return calibration.evidence(
      meanSimilarity: similarity, weight: weight(a, b), sizePenalty: sizePenalty)
  }

  private func weight(_ a: Int, _ b: Int) -> Double {
    SimilarityCalibration.weight(
      of: (members[a].count, votes[a]), with: (members[b].count, votes[b]))
  }

  private func penalty(_ a: Int, _ b: Int) -> Double {
    sizePenalty / weight(a, b).squareRoot()
  }

  private func conflicts(_ a: Int, _ b: Int) -> Int {
    let (few, many) =
      photoCounts[a].count < photoCounts[b].count
      ? (photoCounts[a], photoCounts[b]) : (photoCounts[b], photoCounts[a])
    if few.isEmpty { return 0 }
    var conflicts = 0
    for (photo, count) in few { conflicts += count * (many[photo] ?? 0) }
    return conflicts
  }

  private mutating func enter(_ a: Int, _ b: Int, similarity: Double) {
    let evidence = evidence(a, b, similarity: similarity)
    if evidence + penalty(a, b) < Self.floor { return }
    adjacent[a].append(Int32(b))
    adjacent[b].append(Int32(a))
    offer(a, b, evidence)
  }

  private mutating func offer(_ a: Int, _ b: Int, _ evidence: Double) {
    if evidence < Self.floor || !mayJoin(a, b) { return }
    let (first, second) = (min(a, b), max(a, b))
    queue.insert(
      PossibleMerge(
        evidence: evidence, first: Int32(first), second: Int32(second),
        firstVersion: versions[first], secondVersion: versions[second]))
  }

  private mutating func join(_ a: Int, _ b: Int, evidence: Double) {
    // What joins somebody whom a human knows must be surer.
    if (anchors[a] == nil) != (anchors[b] == nil),
      evidence < threshold + SimilarityCalibration.knownPersonMargin
    {
      return
    }
    if areTwoPeople(a, b) { return }
    let (group, other) = adjacent[a].count >= adjacent[b].count ? (a, b) : (b, a)
    count(group, sign: -1)
    count(other, sign: -1)
    vectors.merge(other, into: group)
    votes[group] += votes[other]
    members[group] += members[other]
    members[other] = []
    anchors[group] = anchors[group] ?? anchors[other]
    representative[other] = group
    versions[group] += 1
    versions[other] += 1
    for (photo, number) in photoCounts[other] { photoCounts[group][photo, default: 0] += number }
    photoCounts[other] = [:]
    if let enemies = apart.removeValue(forKey: other) {
      for enemy in enemies {
        apart[enemy]?.remove(other)
        apart[enemy]?.insert(group)
      }
      apart[group, default: []].formUnion(enemies)
    }
    count(group, sign: 1)
    compareAgain(group, adjacent[group] + adjacent[other])
    adjacent[other] = []
  }

  /// Compares a group that has grown with everything that its parts were compared with.
  private mutating func compareAgain(_ group: Int, _ others: [Int32]) {
    stamp += 1
    stamps[group] = stamp
    var kept: [Int32] = []
    for stale in others {
      let other = find(Int(stale))
      if stamps[other] == stamp { continue }
      stamps[other] = stamp
      let evidence = evidence(group, other, similarity: similarity(group, other))
      if evidence + penalty(group, other) < Self.floor { continue }
      kept.append(Int32(other))
      offer(group, other, evidence)
    }
    adjacent[group] = kept
  }

  /// Whether two groups of several photos are far less alike than the photos of either.
  ///
  /// A person's looks, with and without glasses, years ago and now, are at least half as alike as the
  /// photos of one look. Relatives are more alike than strangers, but not that much.
  private func areTwoPeople(_ a: Int, _ b: Int) -> Bool {
    // Votes are sums of parts of 1.
    if min(votes[a], votes[b]) < Self.severalVotes - 1e-6 { return false }
    let across = similarity(a, b) - calibration.impostorMean
    let most = Self.mostWithin * (1 - calibration.impostorMean)
    return across < Self.leastOfLooks * min(within(a), within(b), most)
  }

  /// Mean similarity of the photos of a group, of two votes or more, above strangers'.
  private func within(_ group: Int) -> Double {
    let vote = votes[group]
    return (vectors.product(group, group) - vote) / (vote * vote - vote) - calibration.impostorMean
  }

  /// Adds a group to the running totals, or takes it out.
  private mutating func count(_ group: Int, sign: Double) {
    let vote = votes[group]
    let share = vote / totalVotes
    if share > 0 { entropy -= sign * share * log(share) }
    if vote >= 2 - 1e-9 {
      withinSum += sign * vote * within(group) / calibration.impostorDeviation
      withinVotes += sign * vote
    }
  }
}
