internal import HDBSCAN
internal import PostgresClient
internal import Store
internal import Vectors

/// A fit and the faces that it saw.
struct FittedFaces: Sendable {
  let snapshot: FaceSnapshot
  let clustering: Clustering

  /// The blob for `hdbscan_run.clusterer_state`.
  func encodedModel() throws -> [UInt8] {
    try StoredModel(detectionIDs: snapshot.ids, clustering: clustering).encode()
  }

  /// What the fit means for the collection as it stands now.
  func plan(
    collection: CollectionRecord, settings: StageSettings,
    on connection: isolated PostgresConnection
  ) throws -> (plan: BootstrapPlan, peopleCount: Int) {
    let states = try DetectionRepository(collection).states(on: connection)
    let seen = Set(snapshot.ids)
    let outsideIDs = states.filter { $0.clusterID != nil && !seen.contains($0.id) }.map(\.id)
    let live = try ClusterRepository(collection).live(on: connection)
    let input = BootstrapInput(
      settings: settings, snapshot: snapshot, clustering: clustering, states: states,
      outside: try FaceReader(collection).faces(ids: outsideIDs, on: connection),
      live: live,
      prohibitions: try ReviewRepository(collection).prohibitions(
        detections: states.map(\.id), on: connection))
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
        cluster.existingID.flatMap { personOf[$0] } ?? cluster.inheritedPersonID
      })
    let newPeople = plan.clusters.count { $0.existingID == nil && $0.inheritedPersonID == nil }
    return (plan, people.count + newPeople)
  }
}

extension BootstrapReport {
  static func empty(dryRun: Bool) -> BootstrapReport {
    BootstrapReport(
      runID: nil, dryRun: dryRun, embeddingCount: 0, filteredCount: 0, clusterCount: 0,
      noiseCount: 0, peopleCount: 0, lineage: LineageCounts(), moved: 0, candidates: 0,
      allowSingleCluster: false, seconds: Seconds(), peakMemoryBytes: 0)
  }

  mutating func add(_ plan: BootstrapPlan, peopleCount: Int) {
    noiseCount = plan.noise
    self.peopleCount = peopleCount
    lineage = plan.counts
    moved = plan.moved
    candidates = plan.raised
  }
}
