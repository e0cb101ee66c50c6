internal import HDBSCAN
public import Vectors

/// Groups faces into people, with no labels and no setting.
///
/// 1. **Calibration** finds what similarity strangers have (``SimilarityCalibration``).
/// 2. **Extraction** takes the sure groups from the hierarchy by pair evidence.
/// 3. **Association and adoption** join groups and single faces, best first, down to the threshold
///    that fits the collection.
/// 4. **Refinement** moves faces to the groups that they have more evidence for, or the strongest links
///    with, and a shot that is left alone to the one that its strongest link leads to.
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
    let sample = SimilaritySample(input.embeddings, threads: threads)
    let pairs = CandidatePairs(input, threads: threads)
    var view = View(
      faces: plain, impostor: firstImpostor(sample), bursts: Bursts(none: count))
    try report(0.2)
    let forbidden = HumanStatements.forbiddenNodes(
      input.hierarchy, anchors: input.anchors, cannotLink: input.cannotLink)
    if steps.bursts {
      view.bursts = Bursts(input, seen: plain, pairs: pairs, impostor: view.impostor)
    }
    let first = try group(view, pairs, forbidden, final: false)
    try report(0.6)
    if steps.calibration { view = secondView(of: first.groups, view, sample) }
    if steps.bursts {
      view.bursts = Bursts(input, seen: view.faces, pairs: pairs, impostor: view.impostor)
    }
    let result = try group(view, pairs, forbidden, final: true)
    try report(1)
    var people = ClustersFromGroups(
      input: input, seen: view.faces, votes: view.bursts.votes, calibration: result.calibration
    ).clusters(of: result.groups)
    if steps.calibration, steps.centring, view.impostor.pairs > 0 {
      // New faces are compared with what is stored: vectors as they came.
      view.faces = plain
      view.impostor = refined(
        view.impostor, sample.betweenGroups(Self.groupOfFace(result.groups, count)))
      people.calibration = SimilarityCalibration(
        impostor: view.impostor, groups: result.groups, of: plain, votes: view.bursts.votes,
        threads: threads)
      people.calibration.humanShift = humanShift(result.groups, view)
    }
    return people
  }

  /// How faces are seen, and what is known of them, when a round begins.
  private struct View {
    var faces: CentredFaces
    var impostor: ImpostorDistribution
    var bursts: Bursts
    var sizePenalty = SimilarityCalibration.sizePenalty
    var humanShift = 0.0
  }

  /// What groups say about strangers, single faces and the middle of people.
  private func secondView(
    of groups: [[Int]], _ first: View, _ sample: SimilaritySample
  ) -> View {
    var view = first
    let alone = groups.count { $0.count == 1 }
    view.sizePenalty = SimilarityCalibration.sizePenalty(
      aloneShare: Double(alone) / Double(groups.count))
    var seen = sample
    // Of one person alone nobody knows where the middle of people lies.
    if steps.centring, first.impostor.pairs > 0 {
      view.faces = CentredFaces(input.embeddings, groups: groups, threads: threads)
      seen = sample.again(in: view.faces)
    }
    view.impostor = refined(
      first.impostor, seen.betweenGroups(Self.groupOfFace(groups, input.embeddings.rows)))
    view.humanShift = humanShift(groups, view)
    return view
  }

  /// How far what humans said moves the threshold.
  private func humanShift(_ groups: [[Int]], _ view: View) -> Double {
    if input.rejected.isEmpty, input.cannotLink.isEmpty,
      input.anchors.allSatisfy({ $0 == nil })
    {
      return 0
    }
    let calibration = SimilarityCalibration(
      impostor: view.impostor, groups: groups, of: view.faces, votes: view.bursts.votes,
      threads: threads)
    return HumanVerdicts(
      input, groups: groups, seen: view.faces, votes: view.bursts.votes,
      calibration: calibration, sizePenalty: view.sizePenalty, threads: threads
    ).shift(from: calibration.threshold)
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
    return FirstImpostorEstimate.estimate(sample, samePhoto: samePhotoSimilarities())
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
    _ view: View, _ pairs: CandidatePairs, _ forbidden: [Bool], final: Bool
  ) throws -> (groups: [[Int]], calibration: SimilarityCalibration) {
    var calibration = SimilarityCalibration.prior
    calibration.impostorMean = view.impostor.mean
    calibration.impostorDeviation = view.impostor.deviation
    calibration.impostorPairs = view.impostor.pairs
    calibration.humanShift = view.humanShift
    let votes = view.bursts.votes
    var agglomeration = Agglomeration(
      input, seen: view.faces, groups: seeds(view, calibration, forbidden), votes: votes,
      calibration: calibration, sizePenalty: view.sizePenalty, steps: steps, threads: threads)
    agglomeration.consider(pairs)
    agglomeration.run()
    // Calibration needs no perfect groups.
    if final, steps.association {
      agglomeration.considerNearestGroups(threads: threads)
      agglomeration.run()
    }
    var groups = agglomeration.members.filter { !$0.isEmpty }.map { $0.sorted() }
    if final, steps.refinement {
      groups = Relocation(
        input: input, faces: view.faces, bursts: view.bursts, calibration: agglomeration.fitted,
        sizePenalty: view.sizePenalty, keepsPhotosApart: steps.photos
      ).relocated(groups, pairs: pairs)
      groups = LoneShots(
        input: input, faces: view.faces, votes: votes, calibration: agglomeration.fitted,
        keepsPhotosApart: steps.photos
      ).joined(groups, pairs: pairs)
      groups = LinkVotes(
        input: input, faces: view.faces, votes: votes, calibration: agglomeration.fitted
      ).refined(groups, pairs: pairs)
    }
    if final, steps.photos {
      groups = PhotoConflicts(
        input: input, faces: view.faces, votes: votes, calibration: agglomeration.fitted
      ).resolve(groups)
    }
    return (groups, agglomeration.fitted)
  }

  /// Groups to start from: sure nodes of the hierarchy, bursts, and what humans put together.
  private func seeds(
    _ view: View, _ calibration: SimilarityCalibration, _ forbidden: [Bool]
  ) -> [[Int]] {
    let count = input.embeddings.rows
    var sets = FaceSets(count: count)
    if steps.extraction {
      let nodes = PairEvidence(
        faces: view.faces, hierarchy: input.hierarchy, votes: view.bursts.votes,
        forbidden: forbidden
      ).extract(
        threshold: calibration.similarity(SimilarityCalibration.sure),
        penalty: SimilarityCalibration.sizePenalty * calibration.impostorDeviation)
      let small = SmallNodes(faces: view.faces, calibration: calibration)
      for (face, node) in nodes.enumerated() where node >= count {
        let first = input.hierarchy.smallestPoints[node]
        let members = input.hierarchy.points(below: node)
        if members.count > SmallNodes.mostFaces {
          sets.unite(face, first)
        } else if face == first {
          for part in small.parts(members) {
            for member in part { sets.unite(member, part[0]) }
          }
        }
      }
    }
    for (face, first) in view.bursts.firstFace.enumerated() where first != face {
      sets.unite(face, first)
    }
    return SeedSets(input: input).separated(sets)
  }
}
