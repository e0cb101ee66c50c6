internal import Store

/// The clusters of a plan while it grows, counted by *slot*: the labels first, then the old clusters that
/// stay without a label.
struct ClusterSlots {
  let labelCount: Int
  let oldOfSlot: [Int?]
  /// Slot of each old cluster that survives.
  let slotOfOld: [Int?]
  /// Slot in which most faces of an old cluster went on that is gone.
  private let heirOfOld: [Int?]
  /// Person of a slot: that of the old cluster, or for a new cluster the promised one that it split from.
  private let persons: [Int64?]

  var count: Int { oldOfSlot.count }

  init(
    _ live: LiveClusters, promised: Set<Int64>, _ survivors: Survivors,
    _ outcome: LineageMatcher.Outcome
  ) {
    labelCount = outcome.oldOfNew.count
    var slotOfOld = [Int?](repeating: nil, count: live.count)
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
    heirOfOld = survivors.bestPairOfOld.enumerated().map { old, pair in
      survivors.fates[old] == .gone ? pair?.new ?? outcome.heirOfOld[old] : nil
    }
    persons = oldOfSlot.enumerated().map { slot, old in
      if let old { return live.personIDs[old] }
      guard let pair = survivors.bestPairOfNew[slot] else { return nil }
      let person = live.personIDs[pair.old]
      return promised.contains(person) ? person : nil
    }
  }

  /// The label of a slot; nil for an old cluster without one.
  func label(of slot: Int) -> Int? { slot < labelCount ? slot : nil }

  /// The person of a slot; nil where a new one is born with it.
  func person(of slot: Int) -> Int64? { persons[slot] }

  /// The person of whom a new cluster is a part.
  func inheritedPerson(of slot: Int) -> Int64? { oldOfSlot[slot] == nil ? persons[slot] : nil }

  /// Where the faces of an old cluster went on; nil where they are in no cluster.
  func slot(ofFacesOf old: Int) -> Int? { slotOfOld[old] ?? heirOfOld[old] }

  func areOnePerson(_ a: Int, _ b: Int) -> Bool {
    // A new cluster without heritage gets a person of its own.
    a == b || persons[a].map { $0 == persons[b] } ?? false
  }
}
