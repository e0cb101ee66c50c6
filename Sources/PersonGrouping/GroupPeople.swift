internal import HDBSCAN
public import Vectors

/// Groups faces into people, with no labels and no setting.
///
/// 1. **Calibration** finds what similarity strangers have (``SimilarityCalibration``).
/// 2. **Extraction** takes the sure groups from the hierarchy by pair evidence.
/// 3. **Association and adoption** join groups and single faces, best first, down to the threshold
///    that fits the collection.
/// 4. **Refinement** moves faces to the groups that they have the strongest links with.
/// 5. Of two faces of one photo in a group the one that fits less leaves it.
///
/// Calibration and grouping are done twice, the second time with what the first found, and from the
/// middle of the people that it found. The result does not depend on threads; on the order of faces
/// only where evidence ties to the last bit.
///
/// - Parameters:
///   - input: faces, their hierarchy, and what is known.
///   - steps: which steps to do; all, unless their worth is to be measured.
///   - threads: most threads to use, at least 1.
///   - progress: told how far the work is; may cancel it.
/// - Throws: ``GroupingCancelled``; `HDBSCANError` where the screening kernel cannot be used.
/// - Complexity: O((n · k + c²) · d) with k neighbours a face and c groups of two faces or more
///   after the first merges; memory O(n · d).
public func groupPeople(
  _ input: GroupingInput, steps: GroupingSteps = GroupingSteps(), threads: Int = availableThreads,
  progress: GroupingProgress? = nil
) throws -> PeopleGrouping {
  let work = PeopleWork(input: input, steps: steps, threads: threads)
  return try work.run(progress)
}

/// The work of one grouping.
private struct PeopleWork {
  let input: GroupingInput
  let steps: GroupingSteps
  let threads: Int
  /// Impostor units from which extraction is sure of a group, in any collection.
  private static let sure = 4.5

  func run(_ progress: GroupingProgress?) throws -> PeopleGrouping {
    func report(_ fraction: Double) throws {
      if let progress, !progress(fraction) { throw GroupingCancelled() }
    }
    let count = input.embeddings.rows
    if count == 0 {
      return PeopleGrouping(
        clusters: [], clusterOfFace: [], isAdopted: [], personCount: 0, calibration: .prior)
    }
    try report(0)
    let plain = CentredFaces(plain: input.embeddings)
    var faces = plain
    let sample = SimilaritySample(input.embeddings, threads: threads)
    let pairs = CandidatePairs(input, threads: threads)
    var impostor = firstImpostor(sample)
    try report(0.2)
    let forbidden = HumanStatements.forbiddenNodes(
      input.hierarchy, anchors: input.anchors, cannotLink: input.cannotLink)
    var result: (groups: [[Int]], calibration: SimilarityCalibration)?
    var bursts = Bursts(none: count)
    var sizePenalty = SimilarityCalibration.sizePenalty
    for round in 0..<2 {
      if steps.bursts { bursts = Bursts(input, seen: faces, pairs: pairs, impostor: impostor) }
      let found = try group(
        faces, impostor, sizePenalty, pairs, bursts, forbidden, final: round == 1)
      result = found
      try report(0.6 + 0.4 * Double(round))
      if round == 0, steps.calibration {
        let alone = found.groups.count { $0.count == 1 }
        sizePenalty = SimilarityCalibration.sizePenalty(
          aloneShare: Double(alone) / Double(found.groups.count))
        var seen = sample
        // Of one person alone nobody knows where the middle of people lies.
        if steps.centring, impostor.pairs > 0 {
          faces = CentredFaces(input.embeddings, groups: found.groups, threads: threads)
          seen = sample.again(in: faces)
        }
        impostor = refined(impostor, seen.betweenGroups(Self.groupOfFace(found.groups, count)))
      }
    }
    guard let result else { throw GroupingCancelled() }
    var people = ClustersFromGroups(
      input: input, seen: faces, votes: bursts.votes, calibration: result.calibration
    ).clusters(of: result.groups)
    if steps.calibration, steps.centring, impostor.pairs > 0 {
      // New faces are compared with what is stored: vectors as they came.
      let strangers = refined(
        impostor, sample.betweenGroups(Self.groupOfFace(result.groups, count)))
      people.calibration = SimilarityCalibration(
        impostor: strangers, groups: result.groups, of: plain, votes: bursts.votes)
    }
    return people
  }

  private static func groupOfFace(_ groups: [[Int]], _ count: Int) -> [Int] {
    var groupOfFace = Array(0..<count)
    for group in groups { for face in group { groupOfFace[face] = group[0] } }
    return groupOfFace
  }

  private func firstImpostor(_ sample: SimilaritySample) -> ImpostorDistribution {
    if !steps.calibration {
      return ImpostorDistribution(
        mean: SimilarityCalibration.prior.impostorMean,
        deviation: SimilarityCalibration.prior.impostorDeviation, pairs: 0)
    }
    return FirstImpostorEstimate.estimate(
      similarities: sample.similarities, samePhoto: samePhotoSimilarities())
  }

  private func samePhotoSimilarities() -> [Double] {
    var firstOfPhoto: [Int64: Int] = [:]
    var result: [Double] = []
    for (face, photo) in input.photos.enumerated() {
      guard let photo else { continue }
      if let first = firstOfPhoto[photo] {
        result.append(input.embeddings.dotProduct(first, face))
      } else {
        firstOfPhoto[photo] = face
      }
    }
    return result
  }

  /// What pairs of different groups say, as far as they are many.
  private func refined(
    _ first: ImpostorDistribution, _ second: ImpostorDistribution?
  ) -> ImpostorDistribution {
    guard let second, first.pairs > 0 else { return first }
    let weight = Double(second.pairs) / Double(second.pairs + 50)
    let prior = FirstImpostorEstimate.relativeDeviation * (1 - second.mean)
    let variance =
      weight * second.deviation * second.deviation + (1 - weight) * prior * prior
    return ImpostorDistribution(
      mean: second.mean, deviation: variance.squareRoot(), pairs: second.pairs)
  }

  private func group(
    _ faces: CentredFaces, _ impostor: ImpostorDistribution, _ sizePenalty: Double,
    _ pairs: CandidatePairs,
    _ bursts: Bursts, _ forbidden: [Bool], final: Bool
  ) throws -> (groups: [[Int]], calibration: SimilarityCalibration) {
    var calibration = SimilarityCalibration.prior
    calibration.impostorMean = impostor.mean
    calibration.impostorDeviation = impostor.deviation
    calibration.impostorPairs = impostor.pairs
    let seeds = seeds(faces, calibration, bursts, forbidden)
    var agglomeration = Agglomeration(
      input, seen: faces, groups: seeds, votes: bursts.votes, calibration: calibration,
      sizePenalty: sizePenalty, steps: steps)
    agglomeration.consider(pairs)
    agglomeration.run()
    // Calibration needs no perfect groups.
    if final, steps.association {
      agglomeration.considerNearestGroups(threads: threads)
      agglomeration.run()
    }
    var groups = agglomeration.members.filter { !$0.isEmpty }.map { $0.sorted() }
    if final, steps.refinement {
      groups = LinkVotes(
        input: input, faces: faces, votes: bursts.votes, calibration: agglomeration.fitted
      ).refined(groups, pairs: pairs)
    }
    if final, steps.photos {
      groups = PhotoConflicts(
        input: input, faces: faces, votes: bursts.votes, calibration: agglomeration.fitted
      ).resolve(groups)
    }
    return (groups, agglomeration.fitted)
  }

  /// Groups to start from: sure nodes of the hierarchy, bursts, and what humans put together.
  private func seeds(
    _ faces: CentredFaces, _ calibration: SimilarityCalibration, _ bursts: Bursts,
    _ forbidden: [Bool]
  ) -> [[Int]] {
    let count = input.embeddings.rows
    var sets = FaceSets(count: count)
    if steps.extraction {
      let nodes = PairEvidence(
        faces: faces, hierarchy: input.hierarchy, votes: bursts.votes,
        forbidden: forbidden
      ).extract(
        threshold: calibration.similarity(Self.sure),
        penalty: SimilarityCalibration.sizePenalty * calibration.impostorDeviation)
      for (face, node) in nodes.enumerated() where node >= count {
        sets.unite(face, input.hierarchy.smallestPoints[node])
      }
    }
    for (face, first) in bursts.firstFace.enumerated() where first != face {
      sets.unite(face, first)
    }
    return SeedSets(input: input).separated(sets)
  }
}
