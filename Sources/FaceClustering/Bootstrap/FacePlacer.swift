internal import HDBSCAN
internal import Store
internal import Vectors

/// Decides face by face where a bootstrap puts it; a cluster is a slot of ``ClusterSlots``.
struct FacePlacer {
  private let input: BootstrapInput
  private let survivors: Survivors
  private let slots: ClusterSlots
  private let rowOfCluster: [Int64: Int]
  private let rowsOfPerson: [Int64: [Int]]
  private(set) var members: [[Member]]
  private(set) var placements: [(placement: Placement, slot: Int?)] = []
  private(set) var questions: [(detectionID: Int64, slot: Int, similarity: Float)] = []
  /// Faces that lost their place and are new again.
  private(set) var reset: [Int64] = []
  private(set) var slotOfFace: [Int64: Int] = [:]
  private(set) var noise = 0
  private(set) var leftOutPlaced = 0
  /// Faces that a program placed before and that the grouping left alone.
  private var givesWay: Set<Int64> = []
  /// Old clusters that keep their members and about which a question was asked.
  private var askedOfKept: Set<Int> = []

  init(
    input: BootstrapInput, survivors: Survivors, slots: ClusterSlots, rowOfCluster: [Int64: Int]
  ) {
    self.input = input
    self.survivors = survivors
    self.slots = slots
    self.rowOfCluster = rowOfCluster
    rowsOfPerson = Dictionary(grouping: input.live.ids.indices) { input.live.personIDs[$0] }
    members = Array(repeating: [], count: slots.count)
  }

  /// Decides every face that the fit saw and that still exists.
  mutating func placeFittedFaces(stateByID: [Int64: DetectionState]) {
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
      place(face, state)
    }
  }

  /// Decides the faces that were left out of the fit and that evidence put into a cluster.
  ///
  /// Whom it left alone stays where it is (``placeOutsideFaces()``), or waits for the tiers.
  mutating func placeLeftOutFaces(stateByID: [Int64: DetectionState]) {
    for (row, label) in input.found.leftOutLabels.enumerated() where label >= 0 {
      let id = input.leftOut.ids[row]
      guard let state = stateByID[id], state.status != .invalid else { continue }
      let member = Member(
        detectionID: id, embeddings: input.leftOut.embeddings, row: row, isCore: false)
      place(
        Decision(member: member, label: label, isAdopted: true), state)
      if slotOfFace[id] != nil { leftOutPlaced += 1 }
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

  private mutating func place(_ face: Decision, _ state: DetectionState) {
    let (label, id) = (face.label, face.member.detectionID)
    let old = state.clusterID.flatMap { rowOfCluster[$0] }
    let oldSlot = old.flatMap { slots.slotOfOld[$0] }
    if state.status == .manual {
      guard let slot = oldSlot else { return }
      addMember(face.member, to: slot)
      if label >= 0, !slots.areOnePerson(label, slot) { ask(face.member, slot: label) }
      return
    }
    var placement = Placement(
      detectionID: id, status: .unassigned, lambda: face.lambda,
      outlierScore: face.outlierScore, tier: "bootstrap")
    var slot = label >= 0 ? label : nil
    let isHeld = old.map { survivors.holdsMembers($0) } ?? false
    if isHeld, let oldSlot {
      if label >= 0, !slots.areOnePerson(label, oldSlot), askedOfKept.insert(oldSlot).inserted {
        ask(face.member, slot: label)
      }
      slot = oldSlot
    }
    // A held face stays, whatever the fit brings to its cluster.
    if let chosen = slot, !isHeld, isForbidden(id, slot: chosen) {
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
        guard let slotOfA = slotOfFace[a], let slotOfB = slotOfFace[b],
          slots.areOnePerson(slotOfA, slotOfB), !evicted.contains(a), !evicted.contains(b),
          let loser = weaker(a, b, indexOf: indexOf), let slot = slotOfFace[loser]
        else { continue }
        evicted.insert(loser)
        slotOfFace[loser] = nil
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

  /// Faces that nothing else placed stay where they are, if that still exists and is not forbidden for them.
  ///
  /// Where another face of the photo came to the same person, one of the two is wrong: what the grouping left alone
  /// it decided about, and of those that came since the tiers did not know the other.
  mutating func placeOutsideFaces() {
    let photos = PhotoPlaces(input, slotOfFace: slotOfFace, person: person)
    let alone = Set(
      zip(input.leftOut.ids, input.found.leftOutLabels).filter { $0.1 < 0 }.map(\.0))
    for (row, id) in input.outside.ids.enumerated() {
      let old = input.outside.clusterIDs[row].flatMap { rowOfCluster[$0] }
      let status = input.outside.statuses[row]
      let isHeld = status == .manual || old.map { survivors.holdsMembers($0) } ?? false
      if !isHeld, alone.contains(id) { givesWay.insert(id) }
      if let slot = old.flatMap({ slots.slotOfOld[$0] }),
        isHeld
          || !isForbidden(id, slot: slot)
            && !photos.isTaken(input.outside.photoIDs[row], by: person(slot))
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
  private func person(_ slot: Int) -> PhotoPlaces.Person {
    if let label = slots.label(of: slot) { return .found(input.found.persons[label]) }
    return slots.oldOfSlot[slot].map { .known(input.live.personIDs[$0]) } ?? .found(-1 - slot)
  }

  private mutating func addMember(_ member: Member, to slot: Int) {
    slotOfFace[member.detectionID] = slot
    members[slot].append(member)
  }

  private mutating func ask(_ member: Member, slot: Int) {
    if isForbidden(member.detectionID, slot: slot) { return }
    // The similarity asked about is to the old shape of the cluster where there is one.
    let vector = member.embeddings.row(member.row)
    var similarity = 0.0
    if let old = slots.oldOfSlot[slot] {
      let reference = input.live.references.row(old)
      for column in 0..<member.embeddings.columns {
        similarity += Double(vector[column]) * Double(reference[column])
      }
    }
    questions.append((member.detectionID, slot, Float(similarity)))
  }

  /// Whether people said that a face is not of a slot's person.
  ///
  /// Who is not of a cluster or person is not of those in whom their faces go on, either.
  private func isForbidden(_ id: Int64, slot: Int) -> Bool {
    let (clusters, persons) = (input.prohibitions.clusters[id], input.prohibitions.persons[id])
    if clusters == nil, persons == nil { return false }
    if let person = slots.person(of: slot), persons?.contains(person) ?? false { return true }
    let rows =
      (clusters ?? []).compactMap { rowOfCluster[$0] }
      + (persons ?? []).flatMap { rowsOfPerson[$0] ?? [] }
    return rows.contains { row in
      slots.slot(ofFacesOf: row).map { slots.areOnePerson($0, slot) } ?? false
    }
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
