internal import HDBSCAN
internal import PersonGrouping
internal import PostgresClient
internal import Store
internal import Vectors

/// A fit and the faces that it saw.
struct FittedFaces: Sendable {
  let snapshot: FaceSnapshot
  /// Faces that are no part of the fit and were grouped with those of it.
  ///
  /// They are too small, too uncertain, or later than a fit that is not made again. None where the labels of the
  /// fit are the clusters.
  let leftOut: FaceSnapshot
  let clustering: Clustering
  /// People among them; nil where the labels of the fit are the clusters.
  var people: PeopleGrouping?
  /// Eligible faces that were left out because their embedding cannot be used, and why.
  let unusable: [Int64: String]
  /// The run whose fit this is, where none was made.
  let fitOfRun: Int64?
  /// What plans of this fit have in common.
  let memory = FactsMemory()

  /// The blob for `hdbscan_run.clusterer_state`.
  func encodedModel() throws -> [UInt8] {
    try StoredModel(detectionIDs: snapshot.ids, clustering: clustering).encode()
  }

  /// What the fit means for the collection as it stands now.
  func plan(
    collection: CollectionRecord, settings: StageSettings,
    on connection: isolated PostgresConnection
  ) throws -> PlannedBootstrap {
    let states = try DetectionRepository(collection).states(on: connection)
    let found =
      people.map { FoundClusters($0, fittedCount: snapshot.count) } ?? FoundClusters(clustering)
    var seen = Set(snapshot.ids)
    for (id, label) in zip(leftOut.ids, found.leftOutLabels) where label >= 0 { seen.insert(id) }
    let outsideIDs = states.filter { $0.clusterID != nil && !seen.contains($0.id) }.map(\.id)
    let live = try ClusterRepository(collection).live(on: connection)
    let (outside, unusable) = setAside(
      try FaceReader(collection).faces(ids: outsideIDs, on: connection), states: states)
    let input = BootstrapInput(
      settings: settings, snapshot: snapshot, leftOut: leftOut, clustering: clustering,
      found: found, states: states, outside: outside, live: live,
      prohibitions: try ReviewRepository(collection).prohibitions(
        detections: nil, on: connection),
      promisedPersons: Set(
        zip(live.personIDs, live.personNames).filter { $0.1 != nil }.map(\.0)
      ).union(try PersonRepository(collection).drawn(on: connection)),
      keptApart: try MaintenanceRepository(collection).keptApart(on: connection),
      unusable: unusable,
      isOldFit: fitOfRun != nil, memory: memory)
    var plan = BootstrapPlanner(input).plan()
    let asked = try ReviewRepository(collection).asked(
      plan.questions.compactMap { question in
        plan.clusters[question.cluster].existingID.map { (question.detectionID, $0) }
      }, on: connection)
    plan.raised = plan.questions.count { question in
      plan.clusters[question.cluster].existingID
        .map { !(asked[question.detectionID]?.contains($0) ?? false) } ?? true
    }
    let personOf = Dictionary(uniqueKeysWithValues: zip(live.ids, live.personIDs))
    let people = Set(
      plan.clusters.compactMap { cluster in
        cluster.movesToPersonID ?? cluster.existingID.flatMap { personOf[$0] }
          ?? cluster.inheritedPersonID
      })
    let newPeople = plan.clusters.count {
      $0.existingID == nil && $0.inheritedPersonID == nil && $0.sharesPersonOf == nil
    }
    return PlannedBootstrap(
      plan: plan, live: live, peopleCount: people.count + newPeople,
      invalidFaces: try DetectionRepository(collection).name(
        plan.invalid.map { ($0.key, $0.value) }, on: connection))
  }

  /// Takes faces with unusable embeddings out of those that the fit did not see.
  ///
  /// What a human said stays: such a face keeps its cluster, and adds nothing to the sum.
  private func setAside(
    _ outside: FaceSnapshot, states: [DetectionState]
  ) -> (outside: FaceSnapshot, unusable: [Int64: String]) {
    let open = Set(
      states.filter { $0.status.map(DetectionStatus.openToAlgorithms.contains) ?? true }
        .map(\.id))
    var unusable = unusable.filter { open.contains($0.key) }
    let reasons = UnusableEmbeddings.reasons(in: outside.embeddings)
    if reasons.isEmpty { return (outside, unusable) }
    for (row, reason) in reasons where open.contains(outside.ids[row]) {
      unusable[outside.ids[row]] = reason
    }
    let kept = outside.ids.indices.filter { unusable[outside.ids[$0]] == nil }
    return (outside.selecting(rows: kept, blank: Set(reasons.keys)), unusable)
  }
}

/// What a bootstrap will do, and what its report says beyond that.
struct PlannedBootstrap {
  var plan: BootstrapPlan
  /// The clusters as they were.
  var live: LiveClusters
  var peopleCount: Int
  var invalidFaces: [InvalidFace]

  /// Whether tier 2 will measure against another reference than before.
  func hasNewReference(_ cluster: PlannedCluster) -> Bool {
    guard let id = cluster.existingID, let row = live.row(of: id) else { return true }
    return live.references.values(ofRow: row) != cluster.facts.reference
  }
}

extension BootstrapReport {
  static func empty(dryRun: Bool) -> BootstrapReport {
    BootstrapReport(
      runID: nil, fitOfRun: nil, dryRun: dryRun, embeddingCount: 0, filteredCount: 0,
      filteredPlaced: 0,
      clusterCount: 0, noiseCount: 0, peopleCount: 0, lineage: LineageCounts(), moved: 0,
      candidates: 0,
      reconsidered: 0, invalid: 0, invalidFaces: [], allowSingleCluster: false, seconds: Seconds(),
      peakMemoryBytes: 0)
  }

  mutating func add(_ planned: PlannedBootstrap) {
    let plan = planned.plan
    clusterCount = plan.clusters.count { $0.label != nil }
    filteredPlaced = plan.leftOutPlaced
    noiseCount = plan.noise
    peopleCount = planned.peopleCount
    reconsidered = plan.reconsidered
    invalid = plan.invalid.count
    invalidFaces = planned.invalidFaces
    lineage = plan.counts
    moved = plan.moved
    candidates = plan.raised
  }
}
