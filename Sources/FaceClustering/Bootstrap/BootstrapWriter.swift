internal import HDBSCAN
internal import PersonGrouping
internal import PostgresClient
internal import Store

/// Applies a bootstrap inside one transaction.
struct BootstrapWriter {
  let collection: CollectionRecord
  let settings: StageSettings
  let runID: Int64
  let fitted: FittedFaces
  let model: [UInt8]
  /// Shapes of clusters that were kept before for the run that was in charge then.
  let leaving: LeavingRun?

  /// Plans against the collection as it is now, and writes all of it.
  ///
  /// What can be done beside others is done first: a plan of what will most likely happen is made and
  /// brought to the server. Then, to the commit, nothing else moves faces of the collection, and the plan
  /// is made again; arrivals of the meantime are among the states that it starts from, so none is lost
  /// or overwritten. Only what differs from the first plan is brought again.
  func apply(
    _ soFar: BootstrapReport, on connection: isolated PostgresConnection
  ) throws -> BootstrapReport {
    let clock = Stopwatch()
    var report = soFar
    let runs = RunRepository(collection)
    guard try runs.isRunning(runID, on: connection) else {
      throw BootstrapError.superseded(run: runID)
    }
    try runs.keepModel(model, of: runID, on: connection)
    let staging = BootstrapStaging(collection)
    var staged = try StagedPlan(staging, on: connection)
    let draft = try fitted.plan(collection: collection, settings: settings, on: connection)
    report.seconds.match = clock.lap()
    _ = try staged.bring(draft, on: connection)
    try Task.checkCancellation()
    _ = clock.lap()
    try CollectionLocks(collection).ownMembership(on: connection)
    let planned = try fitted.plan(collection: collection, settings: settings, on: connection)
    let plan = planned.plan
    report.seconds.match += clock.lap()
    let previousRun = try runs.activeID(on: connection)
    if let previousRun {
      try RunStateRepository(collection).save(
        previousRun, prepared: leaving?.run == previousRun ? leaving?.state : nil, on: connection)
    }
    // Whoever cancels the task gets all of it undone up to the last statement.
    try Task.checkCancellation()
    let numbers = try staged.bring(planned, on: connection)
    let ids = try createClusters(plan, staging: staging, on: connection)
    try Task.checkCancellation()
    let changed = try staging.findMoves(
      clusters: zip(numbers, ids).map { ($0, $1) }, runID: runID, on: connection)
    try writeLineage(plan, ids: ids, from: previousRun, on: connection)
    report.add(planned)
    report.runID = runID
    try runs.keepResult(try result(plan, ids: ids, report: report), of: runID, on: connection)
    try Task.checkCancellation()
    // Up to here nobody who changes a row had to wait for one; from here on rows are locked.
    let existing = plan.clusters.indices.filter { plan.clusters[$0].existingID != nil }
    try staging.update(
      existing.map { (ids[$0], numbers[$0]) }, runID: runID, isOldFit: fitted.fitOfRun != nil,
      on: connection)
    try staging.moveFaces(changed.count, runID: runID, on: connection)
    try Task.checkCancellation()
    try settle(plan, ids: ids, changed: changed, on: connection)
    try runs.complete(runID, on: connection)
    // Faces that the new clusters concern are to be decided again.
    try JobQueue().enqueueIfFacesAreNew(collection, on: connection)
    try Task.checkCancellation()
    return report
  }

  /// Makes the clusters that are born.
  ///
  /// - Returns: the id of each cluster of the plan.
  private func createClusters(
    _ plan: BootstrapPlan, staging: BootstrapStaging, on connection: isolated PostgresConnection
  ) throws -> [Int64] {
    let born = plan.clusters.indices.filter {
      plan.clusters[$0].existingID == nil && plan.clusters[$0].sharesPersonOf == nil
    }
    let bornIDs = try staging.create(
      born.map { plan.clusters[$0].facts },
      persons: born.map { plan.clusters[$0].inheritedPersonID }, runID: runID, on: connection)
    var idOfBorn = Dictionary(uniqueKeysWithValues: zip(born, bornIDs))
    // Now the persons exist that further new clusters share.
    let sharing = plan.clusters.indices.filter { plan.clusters[$0].sharesPersonOf != nil }
    let leaders = sharing.compactMap { plan.clusters[$0].sharesPersonOf.flatMap { idOfBorn[$0] } }
    let sharingIDs = try staging.create(
      sharing.map { plan.clusters[$0].facts },
      persons: try ClusterRepository(collection).persons(of: leaders, on: connection),
      runID: runID, on: connection)
    for (index, id) in zip(sharing, sharingIDs) { idOfBorn[index] = id }
    return plan.clusters.indices.map { plan.clusters[$0].existingID ?? idOfBorn[$0] ?? 0 }
  }

  /// What follows from where faces are now: who is new again, whose clusters are gone, which questions
  /// are open.
  private func settle(
    _ plan: BootstrapPlan, ids: [Int64], changed: [Int64],
    on connection: isolated PostgresConnection
  ) throws {
    let detections = DetectionRepository(collection)
    try detections.reset(plan.reset, runID: runID, on: connection)
    try detections.markInvalid(plan.invalid, runID: runID, on: connection)
    try PersonAssociationRepository(collection).associate(
      associations(plan, ids: ids), runID: runID, on: connection)
    // Only now are the clusters that are gone without members.
    let clusters = ClusterRepository(collection)
    try clusters.retire(plan.retired, on: connection)
    try clusters.empty(plan.emptied, on: connection)
    let review = ReviewRepository(collection)
    try review.expire(
      detections: changed + plan.reset + plan.invalid.keys, keeping: questions(plan, ids: ids),
      on: connection)
    try detections.reset(
      try review.expire(clusters: plan.retired, on: connection), runID: runID, on: connection)
    try review.inheritProhibitions(
      ofRun: runID, heirs: plan.heirs.map { ($0.oldClusterID, ids[$0.cluster]) }, on: connection)
    // Who is with a person, or was said not to be, is no question any more.
    try review.closeMoot(about: ids, on: connection)
    try review.ask(questions(plan, ids: ids), on: connection)
  }

  /// Clusters that a program put under a person with others.
  private func associations(_ plan: BootstrapPlan, ids: [Int64]) -> [PersonAssociation] {
    plan.clusters.enumerated().compactMap { index, cluster in
      guard let surplus = cluster.surplus else { return nil }
      return PersonAssociation(
        clusterID: ids[index], movesToPersonID: cluster.movesToPersonID, surplus: surplus)
    }
  }

  private func writeLineage(
    _ plan: BootstrapPlan, ids: [Int64], from previousRun: Int64?,
    on connection: isolated PostgresConnection
  ) throws {
    try LineageRepository(collection).add(
      plan.lineage.map { planned in
        var record = planned.record
        record.newClusterID = planned.newCluster.map { ids[$0] } ?? record.newClusterID
        return record
      }, from: previousRun, to: runID, on: connection)
  }

  private func questions(_ plan: BootstrapPlan, ids: [Int64]) -> [CandidateQuestion] {
    plan.questions.map {
      CandidateQuestion(
        detectionID: $0.detectionID, clusterID: ids[$0.cluster], similarity: $0.similarity,
        reason: $0.reason)
    }
  }

  private func result(
    _ plan: BootstrapPlan, ids: [Int64], report: BootstrapReport
  ) throws -> RunResult {
    let clustering = fitted.clustering
    var labelMap: [String: Int64] = [:]
    for (label, cluster) in plan.clusterOfLabel(
      clustering.labels, ids: fitted.snapshot.ids, count: clustering.selection.nodes.count)
    {
      labelMap["\(label)"] = ids[cluster]
    }
    return RunResult(
      embeddingCount: fitted.snapshot.count, clusterCount: report.clusterCount,
      noiseCount: plan.noise,
      condensedTreeJSON: try JSONText.encode(clustering.tree.summary(clustering.selection)),
      labelToClusterJSON: try JSONText.encode(labelMap),
      metricsJSON: try JSONText.encode(
        RunMetrics(
          plan: plan, embeddingCount: fitted.snapshot.count,
          lastDetectionID: fitted.snapshot.ids.last ?? 0,
          lastSeenID: max(fitted.snapshot.ids.last ?? 0, fitted.leftOut.ids.last ?? 0),
          fitOfRun: fitted.fitOfRun)),
      timingsJSON: try JSONText.encode(report.seconds), peakMemoryBytes: Memory.peakBytes,
      calibrationJSON: try fitted.people.map { try JSONText.encode($0.calibration) })
  }
}

/// A run that was in charge before others had to wait, and what was kept of it then.
struct LeavingRun: Sendable {
  var run: Int64
  var state: PreparedRunState

  /// Keeps what can be kept beside others; nil where no run is in charge.
  static func prepare(
    _ collection: CollectionRecord, on connection: isolated PostgresConnection
  ) throws -> LeavingRun? {
    // People may take clusters back that they made; while this is held they wait.
    try CollectionLocks(collection).shareMembership(on: connection)
    guard let run = try RunRepository(collection).activeID(on: connection) else { return nil }
    return LeavingRun(
      run: run, state: try RunStateRepository(collection).prepare(run, on: connection))
  }
}

extension BootstrapPlan {
  /// The planned cluster that has most of the faces of each label of the fit.
  func clusterOfLabel(
    _ labels: [Int], ids: [Int64], count: Int
  ) -> [(label: Int, cluster: Int)] {
    var clusterOfFace: [Int64: Int] = [:]
    for placement in placements {
      if let cluster = placement.cluster {
        clusterOfFace[placement.placement.detectionID] = cluster
      }
    }
    var shares = [[Int: Int]](repeating: [:], count: count)
    for (row, label) in labels.enumerated() where label >= 0 {
      if let cluster = clusterOfFace[ids[row]] { shares[label][cluster, default: 0] += 1 }
    }
    return shares.enumerated().compactMap { label, share in
      share.max { ($0.value, $1.key) < ($1.value, $0.key) }.map { (label, $0.key) }
    }
  }
}

/// Figures of a run that later runs and the drift signals are compared with.
struct RunMetrics: Codable, Sendable {
  var noiseRate: Double
  /// Mean cosine distance of the members to their cluster's centroid.
  var meanDistance: Double
  var largestCluster: Int
  /// Highest detection id of the fit; how many of its faces were deleted since is told by it.
  var lastDetectionID: Int64
  /// Highest detection id that was fitted or grouped; absent from older runs.
  ///
  /// Whoever came later is an arrival.
  var lastSeenID: Int64?
  /// The run whose fit it has, where it made none.
  var fitOfRun: Int64?

  /// Of an older run, whoever came after its fit.
  var lastSeen: Int64 { lastSeenID ?? lastDetectionID }

  enum CodingKeys: String, CodingKey {
    case noiseRate = "noise_rate"
    case meanDistance = "mean_distance"
    case largestCluster = "largest_cluster"
    case lastDetectionID = "last_detection_id"
    case lastSeenID = "last_seen_id"
    case fitOfRun = "fit_of_run"
  }

  init(
    plan: BootstrapPlan, embeddingCount: Int, lastDetectionID: Int64, lastSeenID: Int64,
    fitOfRun: Int64?
  ) {
    self.lastDetectionID = lastDetectionID
    self.lastSeenID = lastSeenID
    self.fitOfRun = fitOfRun
    noiseRate = embeddingCount > 0 ? Double(plan.noise) / Double(embeddingCount) : 0
    // Sum over members of 1 − x·c is m − |S|.
    var distance = 0.0
    var members = 0
    for cluster in plan.clusters {
      let norm = cluster.facts.sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
      distance += Double(cluster.facts.faceCount) - norm
      members += cluster.facts.faceCount
    }
    meanDistance = members > 0 ? distance / Double(members) : 0
    largestCluster = plan.clusters.map(\.facts.faceCount).max() ?? 0
  }
}
