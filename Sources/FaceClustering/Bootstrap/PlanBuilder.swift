internal import HDBSCAN
internal import Store
internal import Vectors

/// Turns faces in slots into a ``BootstrapPlan``, and tells what became of the clusters.
struct PlanBuilder {
  let input: BootstrapInput
  let survivors: Survivors
  let outcome: LineageMatcher.Outcome
  let slots: ClusterSlots
  let placed: FacePlacer

  /// Turns slots into clusters and counts what happened.
  func plan() -> BootstrapPlan {
    var plan = BootstrapPlan()
    plan.noise = placed.noise
    plan.leftOutPlaced = placed.leftOutPlaced
    plan.reset = placed.reset
    var clusterOfSlot = [Int?](repeating: nil, count: slots.count)
    let planned = inParallel(slots.count) { slot -> PlannedCluster? in
      placed.members[slot].isEmpty ? nil : plannedCluster(slot)
    }
    for (slot, old) in slots.oldOfSlot.enumerated() {
      guard let cluster = planned[slot] else {
        if let old { leaveEmpty(old, in: &plan) }
        continue
      }
      clusterOfSlot[slot] = plan.clusters.count
      plan.clusters.append(cluster)
    }
    plan.placements = placed.placements.map {
      PlannedPlacement(placement: $0.placement, cluster: $0.slot.flatMap { clusterOfSlot[$0] })
    }
    plan.questions = placed.questions.compactMap { question in
      clusterOfSlot[question.slot].map {
        PlannedQuestion(
          detectionID: question.detectionID, cluster: $0, similarity: question.similarity)
      }
    }
    plan.retired += survivors.fates.indices
      .filter { survivors.fates[$0] == .gone }.map { input.live.ids[$0] }
    addLineage(to: &plan, clusterOfSlot: clusterOfSlot)
    for state in input.states {
      guard let before = state.clusterID else { continue }
      let after = placed.slotOfFace[state.id].flatMap { clusterOfSlot[$0] }
      if after.flatMap({ plan.clusters[$0].existingID }) != before { plan.moved += 1 }
    }
    plan.invalid = input.unusable
    reconsider(in: &plan)
    return plan
  }

  /// Nothing waits for ever: once clusters changed, whoever waits outside the fit is new again.
  private func reconsider(in plan: inout BootstrapPlan) {
    guard changesSomething(plan) else { return }
    let decided = Set(plan.placements.map(\.placement.detectionID))
    let waiting = input.states.filter { state in
      [.pending, .unassigned, .constrained].contains(state.status)
        && !decided.contains(state.id) && input.unusable[state.id] == nil
    }
    plan.reset += waiting.map(\.id)
    plan.reconsidered = waiting.count
  }

  private func changesSomething(_ plan: BootstrapPlan) -> Bool {
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
    let before = Dictionary(uniqueKeysWithValues: input.states.map { ($0.id, $0) })
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

  private func plannedCluster(_ slot: Int) -> PlannedCluster {
    let (label, old) = (slots.label(of: slot), slots.oldOfSlot[slot])
    let birth = label.map { input.found.births[$0] }
    let epsilon =
      birth.map { ClusterEpsilon.epsilon(lambdaBirth: $0, settings: input.settings) }
      ?? old.flatMap { input.live.epsilons[$0] } ?? input.settings.clusteringThreshold
    let persistence = label.map { input.found.persistences[$0] }
    let sorted = placed.members[slot].sorted { $0.detectionID < $1.detectionID }
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
      existingID: old.map { input.live.ids[$0] },
      inheritedPersonID: slots.inheritedPerson(of: slot),
      label: label, faces: sorted.map(\.detectionID), facts: facts)
  }

  private func addLineage(to plan: inout BootstrapPlan, clusterOfSlot: [Int?]) {
    func add(_ kind: String, old: Int?, slot: Int?, pair: LineagePair?) {
      plan.lineage.append(
        PlannedLineage(
          record: LineageRecord(
            kind: kind, oldClusterID: old.map { input.live.ids[$0] },
            // A cluster that is left empty keeps its id all the same.
            newClusterID: slot.flatMap { slots.oldOfSlot[$0] }.map { input.live.ids[$0] },
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
        add("kept", old: old, slot: slots.slotOfOld[old], pair: nil)
        plan.counts.kept += 1
      case .gone:
        let pair = survivors.bestPairOfOld[old]
        add(pair == nil ? "died" : "merged", old: old, slot: pair?.new, pair: pair)
        if pair == nil { plan.counts.died += 1 } else { plan.counts.merged += 1 }
        if pair == nil, let heir = slots.slot(ofFacesOf: old).flatMap({ clusterOfSlot[$0] }) {
          plan.heirs.append((input.live.ids[old], heir))
        }
      }
    }
    // A label whose faces all stay in clusters that people hold is none.
    for label in 0..<slots.labelCount
    where outcome.oldOfNew[label] == nil && clusterOfSlot[label] != nil {
      let pair = survivors.bestPairOfNew[label]
      let isSplit = pair.map { survivors.fates[$0.old] != .gone } ?? false
      add(
        isSplit ? "split" : "born", old: isSplit ? pair?.old : nil, slot: label,
        pair: isSplit ? pair : nil)
      if isSplit { plan.counts.split += 1 } else { plan.counts.born += 1 }
    }
  }
}
