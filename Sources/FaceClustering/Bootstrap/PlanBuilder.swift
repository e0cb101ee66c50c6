internal import HDBSCAN
internal import Store
internal import Vectors

/// Collects a ``BootstrapPlan`` face by face.
///
/// Clusters are counted by *slot* while the plan grows: the labels first, then the old clusters that
/// stay without a label.
struct PlanBuilder {
  private let input: BootstrapInput
  private let survivors: Survivors
  private let outcome: LineageMatcher.Outcome
  private let labelCount: Int
  /// Slot of each old cluster that survives.
  private let slotOfOld: [Int?]
  private let oldOfSlot: [Int?]
  /// Person of a new cluster that split from a cluster of a named one.
  private let inheritedPersons: [Int: Int64]
  /// Old clusters that are gone and whose faces went on in each slot.
  private let mergedIntoSlot: [[Int]]
  private var members: [[Member]]
  private var placements: [(placement: Placement, slot: Int?)] = []
  private var questions: [(detectionID: Int64, slot: Int, similarity: Float)] = []
  private var reset: [Int64] = []
  private var finalSlot: [Int64: Int] = [:]
  private var noise = 0
  private var leftOutPlaced = 0
  /// Faces that a program placed before and that the grouping left alone.
  private var givesWay: Set<Int64> = []
  /// Old clusters that keep their members and about which a question was asked.
  private var askedOfKept: Set<Int> = []

  init(input: BootstrapInput, survivors: Survivors, outcome: LineageMatcher.Outcome) {
    self.input = input
    self.survivors = survivors
    self.outcome = outcome
    labelCount = outcome.oldOfNew.count
    var slotOfOld = [Int?](repeating: nil, count: input.live.count)
    var oldOfSlot = outcome.oldOfNew
    for (old, fate) in survivors.fates.enumerated() {
      switch fate {
      case .continued(let label, _): slotOfOld[old] = label
      case .kept:
        slotOfOld[old] = oldOfSlot.count
        oldOfSlot.append(old)
      case .gone: break
      }
    }
    self.slotOfOld = slotOfOld
    self.oldOfSlot = oldOfSlot
    var inheritedPersons: [Int: Int64] = [:]
    for (label, pair) in survivors.bestPairOfNew.enumerated() where oldOfSlot[label] == nil {
      guard let pair, input.live.personNames[pair.old] != nil else { continue }
      inheritedPersons[label] = input.live.personIDs[pair.old]
    }
    self.inheritedPersons = inheritedPersons
    var mergedIntoSlot = [[Int]](repeating: [], count: oldOfSlot.count)
    for (old, pair) in survivors.bestPairOfOld.enumerated() where survivors.fates[old] == .gone {
      if let pair { mergedIntoSlot[pair.new].append(old) }
    }
    self.mergedIntoSlot = mergedIntoSlot
    members = Array(repeating: [], count: oldOfSlot.count)
  }

  /// Decides every face that the fit saw and that still exists.
  mutating func placeFittedFaces(
    stateByID: [Int64: DetectionState], rowOfCluster: [Int64: Int]
  ) {
    let clustering = input.clustering
    for (row, id) in input.snapshot.ids.enumerated() {
      // Gone, or found unusable, since the snapshot.
      guard let state = stateByID[id], state.status != .invalid else { continue }
      let label = input.found.labels[row]
      if label < 0 { noise += 1 }
      var face = Decision(
        member: Member(
          detectionID: id, embeddings: input.snapshot.embeddings, row: row, isCore: false),
        label: label, isAdopted: input.found.isAdopted[row])
      face.probability = clustering.probabilities[row]
      face.lambda = Float(clustering.pointLambdas[row])
      face.outlierScore = Float(clustering.outlierScores[row])
      place(face, state, rowOfCluster: rowOfCluster)
    }
  }

  /// Decides the faces that were left out of the fit and that evidence put into a cluster.
  ///
  /// Whom it left alone stays where it is (``placeOutsideFaces(rowOfCluster:)``), or waits for the tiers.
  mutating func placeLeftOutFaces(
    stateByID: [Int64: DetectionState], rowOfCluster: [Int64: Int]
  ) {
    for (row, label) in input.found.leftOutLabels.enumerated() where label >= 0 {
      let id = input.leftOut.ids[row]
      guard let state = stateByID[id], state.status != .invalid else { continue }
      let member = Member(
        detectionID: id, embeddings: input.leftOut.embeddings, row: row, isCore: false)
      place(
        Decision(member: member, label: label, isAdopted: true), state,
        rowOfCluster: rowOfCluster)
      if finalSlot[id] != nil { leftOutPlaced += 1 }
    }
  }

  /// What a bootstrap found about a face.
  private struct Decision {
    var member: Member
    var label: Int
    var isAdopted: Bool
    /// 0 for a face without one, which joined by evidence alone.
    var probability = 0.0
    var lambda: Float?
    var outlierScore: Float?
  }

  private mutating func place(
    _ face: Decision, _ state: DetectionState, rowOfCluster: [Int64: Int]
  ) {
    let (label, id) = (face.label, face.member.detectionID)
    let old = state.clusterID.flatMap { rowOfCluster[$0] }
    let oldSlot = old.flatMap { slotOfOld[$0] }
    if state.status == .manual {
      guard let slot = oldSlot else { return }
      addMember(face.member, to: slot)
      if label >= 0, label != slot { ask(face.member, slot: label) }
      return
    }
    var placement = Placement(
      detectionID: id, status: .unassigned, lambda: face.lambda,
      outlierScore: face.outlierScore, tier: "bootstrap")
    var slot = label >= 0 ? label : nil
    if let old, let oldSlot, survivors.holdsMembers(old) {
      if label >= 0, label != oldSlot, askedOfKept.insert(oldSlot).inserted {
        ask(face.member, slot: label)
      }
      slot = oldSlot
    }
    if let chosen = slot, isForbidden(id, slot: chosen) {
      slot = nil
      placement.status = .constrained
    } else if let slot {
      placement.isCore =
        label == slot && !face.isAdopted
        && face.probability >= input.settings.coreProbabilityThreshold
      placement.status = placement.isCore ? .hdbscanCore : .hdbscan
      placement.confidence = Float(face.probability)
      placement.isAdopted = label == slot && face.isAdopted
      var member = face.member
      member.isCore = placement.isCore
      addMember(member, to: slot)
    }
    placements.append((placement, slot))
  }

  /// Of two faces that people said are different, the weaker one leaves a shared person.
  mutating func separateForbiddenPairs() {
    var evicted: Set<Int64> = []
    let indexOf = Dictionary(
      uniqueKeysWithValues: placements.enumerated().map { ($1.placement.detectionID, $0) })
    for (a, others) in input.prohibitions.detections.sorted(by: { $0.key < $1.key }) {
      for b in others.sorted() where a < b {
        guard let slotOfA = finalSlot[a], let slotOfB = finalSlot[b],
          areOnePerson(slotOfA, slotOfB), !evicted.contains(a), !evicted.contains(b)
        else { continue }
        let loser = weaker(a, b, indexOf: indexOf)
        guard let loser, let slot = finalSlot[loser] else { continue }
        evicted.insert(loser)
        finalSlot[loser] = nil
        members[slot].removeAll { $0.detectionID == loser }
        guard let index = indexOf[loser] else {
          reset.append(loser)
          continue
        }
        placements[index].slot = nil
        placements[index].placement.status = .constrained
        placements[index].placement.confidence = nil
        placements[index].placement.isCore = false
        placements[index].placement.isAdopted = false
      }
    }
  }

  /// Faces that nothing else placed stay where they are, if that still exists.
  ///
  /// Whom the grouping left alone gives way to a face of the same photo that it put there.
  mutating func placeOutsideFaces(rowOfCluster: [Int64: Int]) {
    let alone = LeftAlone(input, slotOfFace: finalSlot, person: person)
    for (row, id) in input.outside.ids.enumerated() {
      let old = input.outside.clusterIDs[row].flatMap { rowOfCluster[$0] }
      let status = input.outside.statuses[row]
      let isHeld = status == .manual || old.map { survivors.holdsMembers($0) } ?? false
      if !isHeld, alone.contains(id) { givesWay.insert(id) }
      if let slot = old.flatMap({ slotOfOld[$0] }),
        isHeld || !alone.losesItsPlace(id, as: person(slot))
      {
        addMember(
          Member(
            detectionID: id, embeddings: input.outside.embeddings, row: row,
            isCore: status == .hdbscanCore), to: slot)
      } else {
        reset.append(id)
      }
    }
  }

  /// Whom the grouping found in a slot; of a cluster that it did not find, whose it is.
  private func person(_ slot: Int) -> LeftAlone.Person {
    if slot < labelCount { return .found(input.found.persons[slot]) }
    return oldOfSlot[slot].map { .known(input.live.personIDs[$0]) } ?? .found(-1 - slot)
  }

  /// Turns slots into clusters and counts what happened.
  func finish(states: [DetectionState]) -> BootstrapPlan {
    var plan = BootstrapPlan()
    plan.noise = noise
    plan.leftOutPlaced = leftOutPlaced
    plan.reset = reset
    var clusterOfSlot = [Int?](repeating: nil, count: members.count)
    let planned = inParallel(members.count) { slot -> PlannedCluster? in
      members[slot].isEmpty ? nil : plannedCluster(slot, old: oldOfSlot[slot])
    }
    for slot in members.indices {
      let old = oldOfSlot[slot]
      guard let cluster = planned[slot] else {
        if let old { leaveEmpty(old, in: &plan) }
        continue
      }
      clusterOfSlot[slot] = plan.clusters.count
      plan.clusters.append(cluster)
    }
    plan.placements = placements.map {
      PlannedPlacement(placement: $0.placement, cluster: $0.slot.flatMap { clusterOfSlot[$0] })
    }
    plan.questions = questions.compactMap { question in
      clusterOfSlot[question.slot].map {
        PlannedQuestion(
          detectionID: question.detectionID, cluster: $0, similarity: question.similarity)
      }
    }
    plan.retired += survivors.fates.indices
      .filter { survivors.fates[$0] == .gone }.map { input.live.ids[$0] }
    addLineage(to: &plan, clusterOfSlot: clusterOfSlot)
    for state in states {
      guard let before = state.clusterID else { continue }
      let after = finalSlot[state.id].flatMap { clusterOfSlot[$0] }
      if after.flatMap({ plan.clusters[$0].existingID }) != before { plan.moved += 1 }
    }
    plan.invalid = input.unusable
    reconsider(states, in: &plan)
    return plan
  }

  /// Nothing waits for ever: once clusters changed, whoever waits outside the fit is new again.
  private func reconsider(_ states: [DetectionState], in plan: inout BootstrapPlan) {
    guard changesSomething(states, plan) else { return }
    let decided = Set(plan.placements.map(\.placement.detectionID))
    let waiting = states.filter { state in
      [.pending, .unassigned, .constrained].contains(state.status)
        && !decided.contains(state.id) && input.unusable[state.id] == nil
    }
    plan.reset += waiting.map(\.id)
    plan.reconsidered = waiting.count
  }

  private func changesSomething(_ states: [DetectionState], _ plan: BootstrapPlan) -> Bool {
    if !plan.retired.isEmpty || !plan.reset.isEmpty || !plan.invalid.isEmpty { return true }
    let rowOfLive = Dictionary(uniqueKeysWithValues: input.live.ids.enumerated().map { ($1, $0) })
    if plan.emptied.contains(where: { rowOfLive[$0].map { input.live.faceCounts[$0] > 0 } ?? true })
    {
      return true
    }
    for cluster in plan.clusters {
      guard let row = cluster.existingID.flatMap({ rowOfLive[$0] }),
        input.live.epsilons[row].map({ Float($0.value) })
          == cluster.facts.epsilon.map({ Float($0.value) }),
        input.live.references.values(ofRow: row) == cluster.facts.reference
      else { return true }
    }
    let before = Dictionary(uniqueKeysWithValues: states.map { ($0.id, $0) })
    return plan.placements.contains { planned in
      let state = before[planned.placement.detectionID]
      return state?.status != planned.placement.status
        || state?.clusterID != planned.cluster.flatMap { plan.clusters[$0].existingID }
    }
  }

  private func leaveEmpty(_ old: Int, in plan: inout BootstrapPlan) {
    let promised = input.live.verified[old] || input.live.personNames[old] != nil
    if promised {
      plan.emptied.append(input.live.ids[old])
    } else {
      plan.retired.append(input.live.ids[old])
    }
  }

  private func plannedCluster(_ slot: Int, old: Int?) -> PlannedCluster {
    let label = slot < labelCount ? slot : nil
    let birth = label.map { input.found.births[$0] }
    let epsilon =
      birth.map { ClusterEpsilon.epsilon(lambdaBirth: $0, settings: input.settings) }
      ?? old.flatMap { input.live.epsilons[$0] } ?? input.settings.clusteringThreshold
    let persistence = label.map { input.found.persistences[$0] }
    let sorted = members[slot].sorted { $0.detectionID < $1.detectionID }
    var facts = input.memory.facts(
      of: sorted, in: [input.snapshot.embeddings, input.leftOut.embeddings]
    ) {
      MemberFacts.facts(
        of: sorted, dimension: input.snapshot.embeddings.columns, epsilon: epsilon,
        lambdaBirth: birth, persistence: persistence, origin: "bootstrap")
    }
    facts.epsilon = epsilon
    facts.lambdaBirth = birth.map { Float($0) }
    facts.persistence = persistence.map { Float($0) }
    return PlannedCluster(
      existingID: old.map { input.live.ids[$0] }, inheritedPersonID: inheritedPersons[slot],
      label: label, faces: sorted.map(\.detectionID), facts: facts)
  }

  private func addLineage(to plan: inout BootstrapPlan, clusterOfSlot: [Int?]) {
    func add(_ kind: String, old: Int?, slot: Int?, pair: LineagePair?) {
      plan.lineage.append(
        PlannedLineage(
          record: LineageRecord(
            kind: kind, oldClusterID: old.map { input.live.ids[$0] }, newClusterID: nil,
            similarity: pair.map { Float($0.similarity) },
            sharedMembers: pair?.sharedMembers ?? 0),
          newCluster: slot.flatMap { clusterOfSlot[$0] }))
    }
    let continuing = Dictionary(
      uniqueKeysWithValues: outcome.pairs
        .filter { outcome.newOfOld[$0.old] == $0.new }.map { ($0.old, $0) })
    for old in survivors.fates.indices {
      switch survivors.fates[old] {
      case .continued(let label, _):
        let pair = continuing[old]
        add("continued", old: old, slot: label, pair: pair)
        plan.counts.continued += 1
      case .kept:
        add("kept", old: old, slot: slotOfOld[old], pair: nil)
        plan.counts.kept += 1
      case .gone:
        let pair = survivors.bestPairOfOld[old]
        add(pair == nil ? "died" : "merged", old: old, slot: pair?.new, pair: pair)
        if pair == nil { plan.counts.died += 1 } else { plan.counts.merged += 1 }
      }
    }
    for label in 0..<labelCount where outcome.oldOfNew[label] == nil {
      let pair = survivors.bestPairOfNew[label]
      let isSplit = pair.map { survivors.fates[$0.old] != .gone } ?? false
      add(
        isSplit ? "split" : "born", old: isSplit ? pair?.old : nil, slot: label,
        pair: isSplit ? pair : nil)
      if isSplit { plan.counts.split += 1 } else { plan.counts.born += 1 }
    }
  }

  private mutating func addMember(_ member: Member, to slot: Int) {
    finalSlot[member.detectionID] = slot
    members[slot].append(member)
  }

  private mutating func ask(_ member: Member, slot: Int) {
    if isForbidden(member.detectionID, slot: slot) { return }
    // The similarity asked about is to the old shape of the cluster where there is one.
    let vector = member.embeddings.row(member.row)
    var similarity = 0.0
    if let old = oldOfSlot[slot] {
      let reference = input.live.references.row(old)
      for column in 0..<member.embeddings.columns {
        similarity += Double(vector[column]) * Double(reference[column])
      }
    }
    questions.append((member.detectionID, slot, Float(similarity)))
  }

  private func isForbidden(_ id: Int64, slot: Int) -> Bool {
    let (clusters, persons) = (input.prohibitions.clusters[id], input.prohibitions.persons[id])
    if clusters == nil, persons == nil { return false }
    if let person = inheritedPersons[slot], persons?.contains(person) ?? false { return true }
    // What went into a cluster is forbidden under its name, too.
    return ((oldOfSlot[slot].map { [$0] } ?? []) + mergedIntoSlot[slot]).contains { old in
      clusters?.contains(input.live.ids[old]) ?? false
        || persons?.contains(input.live.personIDs[old]) ?? false
    }
  }

  private func areOnePerson(_ a: Int, _ b: Int) -> Bool {
    func person(_ slot: Int) -> Int64? {
      oldOfSlot[slot].map { input.live.personIDs[$0] } ?? inheritedPersons[slot]
    }
    // A new cluster without heritage gets a person of its own.
    return a == b || person(a).map { $0 == person(b) } ?? false
  }

  private func weaker(_ a: Int64, _ b: Int64, indexOf: [Int64: Int]) -> Int64? {
    switch (indexOf[a], indexOf[b]) {
    case (nil, nil): nil
    case (.some, nil): givesWay.contains(b) ? b : a
    case (nil, .some): givesWay.contains(a) ? a : b
    case (let first?, let second?):
      (placements[first].placement.confidence ?? 0)
        < (placements[second].placement.confidence ?? 0) ? a : b
    }
  }
}
