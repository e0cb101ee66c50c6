internal import HDBSCAN
internal import Store
internal import Vectors

/// Turns a fit into what it means for the clusters that people know.
///
/// Labels are a contract: a cluster that continues keeps its id, its person and its flags; what
/// people asserted (manual faces, verified clusters, names) is not moved by density, and where
/// density disagrees a question is raised.
struct BootstrapPlanner {
  private let input: BootstrapInput
  private let labelCount: Int
  private let dimension: Int
  private let stateByID: [Int64: DetectionState]
  private let rowOfCluster: [Int64: Int]
  private let clustersWithManualFaces: Set<Int64>

  init(_ input: BootstrapInput) {
    self.input = input
    labelCount = input.found.count
    dimension = input.snapshot.embeddings.columns
    stateByID = Dictionary(uniqueKeysWithValues: input.states.map { ($0.id, $0) })
    rowOfCluster = Dictionary(uniqueKeysWithValues: input.live.ids.enumerated().map { ($1, $0) })
    clustersWithManualFaces = Set(
      input.states.filter { $0.status == .manual }.compactMap(\.clusterID))
  }

  /// The plan.
  ///
  /// The same input gives the same plan.
  ///
  /// - Complexity: O(n · d) and the matching of clusters.
  func plan() -> BootstrapPlan {
    let outcome = matchLineage()
    let survivors = decideSurvivors(outcome)
    let slots = ClusterSlots(input.live, promised: input.promisedPersons, survivors, outcome)
    var placer = FacePlacer(
      input: input, survivors: survivors, slots: slots, rowOfCluster: rowOfCluster)
    placer.placeFittedFaces(stateByID: stateByID)
    placer.placeLeftOutFaces(stateByID: stateByID)
    placer.placeOutsideFaces()
    placer.separateForbiddenPairs()
    var plan = PlanBuilder(
      input: input, survivors: survivors, outcome: outcome, slots: slots, placed: placer
    ).plan()
    PeopleAssociation(input).apply(to: &plan)
    AnsweredQuestions.drop(from: &plan, input)
    return plan
  }

  /// What a person said about one face weighs as much as what density says about five.
  private static let manualWeight = 5

  private func matchLineage() -> LineageMatcher.Outcome {
    var membership: [(old: Int?, new: Int?)] = []
    var weights: [Int] = []
    membership.reserveCapacity(input.snapshot.count)
    var members = [[Member]](repeating: [], count: labelCount)
    func count(_ faces: FaceSnapshot, row: Int, label: Int) {
      let id = faces.ids[row]
      guard let state = stateByID[id] else { return }
      membership.append(
        (state.clusterID.flatMap { rowOfCluster[$0] }, label >= 0 ? label : nil))
      weights.append(state.status == .manual ? Self.manualWeight : 1)
      guard label >= 0 else { return }
      members[label].append(
        Member(detectionID: id, embeddings: faces.embeddings, row: row, isCore: false))
    }
    for (row, label) in input.found.labels.enumerated() {
      count(input.snapshot, row: row, label: label)
    }
    // Those that are alone stay where they are, so they are no loss of their cluster.
    for (row, label) in input.found.leftOutLabels.enumerated() where label >= 0 {
      count(input.leftOut, row: row, label: label)
    }
    let sums = inParallel(labelCount) { label in
      input.memory.sum(label: label, count: members[label].count) {
        MemberFacts.sum(members[label], dimension: dimension)
      }
    }
    let norms = sums.map { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    return LineageMatcher(
      continuationThreshold: input.settings.continuationThreshold,
      secondaryThreshold: input.settings.secondaryThreshold
    ).match(
      oldCount: input.live.count, newCount: labelCount, membership: membership, weights: weights
    ) { old, new in
      let reference = input.live.references.row(old)
      var product = 0.0
      for column in 0..<dimension { product += Double(reference[column]) * sums[new][column] }
      return norms[new] > 0 ? product / norms[new] : 0
    }
  }

  private func decideSurvivors(_ outcome: LineageMatcher.Outcome) -> Survivors {
    var survivors = Survivors(
      fates: Array(repeating: .gone, count: input.live.count),
      bestPairOfOld: Array(repeating: nil, count: input.live.count),
      bestPairOfNew: Array(repeating: nil, count: labelCount))
    for pair in outcome.pairs {
      if pair.score > survivors.bestPairOfOld[pair.old]?.score ?? -1 {
        survivors.bestPairOfOld[pair.old] = pair
      }
      if pair.score > survivors.bestPairOfNew[pair.new]?.score ?? -1 {
        survivors.bestPairOfNew[pair.new] = pair
      }
    }
    let fittedClusters = fittedClusters
    for old in 0..<input.live.count {
      let promised = input.promisedPersons.contains(input.live.personIDs[old])
      let held = input.live.holdsMembers(old)
      if let new = outcome.newOfOld[old] {
        survivors.fates[old] = .continued(label: new, holdsMembers: held)
      } else if held || (promised && !joinsItsOwnPerson(old, survivors, outcome)) {
        survivors.fates[old] = .kept(holdsMembers: true)
      } else if clustersWithManualFaces.contains(input.live.ids[old])
        || input.isOldFit && !fittedClusters.contains(old)
      {
        survivors.fates[old] = .kept(holdsMembers: false)
      }
    }
    return survivors
  }

  /// Clusters with a face that was fitted.
  private var fittedClusters: Set<Int> {
    Set(
      input.snapshot.ids.compactMap { id in
        stateByID[id]?.clusterID.flatMap { rowOfCluster[$0] }
      })
  }

  /// Whether the faces of a promised person's cluster go on in another cluster of the same person.
  private func joinsItsOwnPerson(
    _ old: Int, _ survivors: Survivors, _ outcome: LineageMatcher.Outcome
  ) -> Bool {
    guard let pair = survivors.bestPairOfOld[old], let heir = outcome.oldOfNew[pair.new] else {
      return false
    }
    return input.live.personIDs[heir] == input.live.personIDs[old]
  }
}

/// What becomes of each old cluster.
struct Survivors {
  enum Fate: Equatable {
    /// It is label `label` now; a verified one also keeps the members that the fit took away.
    case continued(label: Int, holdsMembers: Bool)
    /// The fit did not find it, but people made promises about it.
    case kept(holdsMembers: Bool)
    case gone
  }

  var fates: [Fate]
  var bestPairOfOld: [LineagePair?]
  var bestPairOfNew: [LineagePair?]

  func holdsMembers(_ old: Int) -> Bool {
    switch fates[old] {
    case .continued(_, let holds), .kept(let holds): holds
    case .gone: false
    }
  }
}

/// A value for each index, made on all processors.
func inParallel<Value>(_ count: Int, _ make: (Int) -> Value) -> [Value] {
  var values = [Value?](repeating: nil, count: count)
  values.withUnsafeMutableBufferPointer { values in
    parallelFor(count, threads: availableThreads) { values[$0] = make($0) }
  }
  return values.compactMap { $0 }
}
