internal import HDBSCAN
internal import Logging
internal import PostgresClient
internal import Store
internal import Vectors

/// Assigns one batch of new faces in one transaction.
struct Assigner: Sendable {
  let collection: CollectionRecord
  let settings: StageSettings
  let models: ModelCache
  let threads: Int
  let force: Bool
  let batchSize: Int

  /// What one batch came to.
  struct Batch: Sendable {
    var lastID: Int64 = 0
    var faces = 0
    var report = AssignmentReport()
    /// Faces that joined the pool, and those of them that people's constraints sent there.
    var pooled: Set<Int64> = []
    var constrained: Set<Int64> = []
    /// What waits for ``PoolWriter``; known after the last batch.
    var poolWork: PoolWork?
    /// Faces whose prediction was known before.
    var foreseen = 0
    var seconds = 0.0
  }

  /// Claims up to a batch of faces above an id, decides them and writes what was decided.
  ///
  /// - Parameters:
  ///   - mayRead: whether the model may be read under the locks that people wait for, too.
  ///   - foreseen: what may be known of these faces.
  ///   - didPredict: is called with the last id of a full batch when its predictions are known; again
  ///     where the transaction is tried again.
  /// - Throws: `PostgresError`, ``StoreError``, ``ModelNotRead``.
  func assign(
    after id: Int64, mayRead: Bool = true, foreseen: Foresight? = nil,
    didPredict: ((Int64) -> Void)? = nil, on connection: isolated PostgresConnection
  ) throws -> Batch {
    let clock = Stopwatch()
    var batch = Batch()
    // Before anything is read: while this is held, no bootstrap replaces clusters or the model.
    try CollectionLocks(collection).shareMembership(on: connection)
    let faces = try FaceReader(collection).claim(
      limit: batchSize, force: force, after: id, on: connection)
    guard let last = faces.ids.last else { return batch }
    batch.lastID = last
    batch.faces = faces.count
    if foreseen != nil, faces.count == batchSize { didPredict?(last) }
    let later =
      force ? try DisplacedFaces(after: faces, of: collection, on: connection) : DisplacedFaces()
    let model = try models.active(
      of: collection, settings: settings, mayRead: mayRead, on: connection)
    batch.report.runID = model.runID
    batch.report.tierOneSkipped = model.skipped
    let unusable = UnusableEmbeddings.reasons(in: faces.embeddings)
    // A face that is decided again, now or in a later batch, does not hold its old place.
    let undecided = UndecidedFaces(ids: faces.ids, reassignableAbove: force ? last : nil)
    let context = try AssignmentContext.read(
      deciding: faces.ids, photos: Set(faces.photoIDs.compactMap { $0 }), except: undecided,
      of: collection, settings: settings, models: models, on: connection)
    let outcomes = try decide(
      faces, invalid: Set(unusable.keys), context: context, model: model.loaded,
      foreseen: foreseen, into: &batch)
    if foreseen == nil, faces.count == batchSize { didPredict?(last) }
    try write(
      outcomes, unusable: unusable, faces: faces, clusters: context.clusters,
      displaced: later.displaced(by: outcomes, of: faces, context: context),
      runID: model.runID, into: &batch, on: connection)
    if faces.count < batchSize {
      batch.poolWork = try DetectionRepository(collection).poolWork(on: connection)
    }
    batch.seconds = clock.total
    return batch
  }

  private func decide(
    _ faces: FaceSnapshot, invalid: Set<Int>, context: AssignmentContext, model: LoadedModel?,
    foreseen: Foresight?, into batch: inout Batch
  ) throws -> [(row: Int, outcome: AssignmentOutcome)] {
    let valid = faces.ids.indices.filter { !invalid.contains($0) }
    let vectors = invalid.isEmpty ? faces.embeddings : faces.embeddings.selecting(rows: valid)
    var votes: [TierOneVote?]?
    if let model {
      let (predictions, known) = try model.predictions(
        for: vectors, ids: valid.map { faces.ids[$0] }, foreseen: foreseen, threads: threads)
      batch.foreseen = known
      votes = model.votes(predictions, for: vectors, clusters: context.clusters)
    }
    let near = NearClusters.within(
      faces: vectors, clusters: context.clusters, screen: context.screen, radii: context.radii,
      threads: threads)
    var decider = AssignmentDecider(context)
    return valid.enumerated().map { index, row in
      let outcome = decider.decide(
        detectionID: faces.ids[row], photoID: faces.photoIDs[row], vote: votes?[index],
        near: near[index])
      batch.count(outcome, detectionID: faces.ids[row])
      return (row, outcome)
    }
  }

  private func write(
    _ outcomes: [(row: Int, outcome: AssignmentOutcome)], unusable: [Int: String],
    faces: FaceSnapshot, clusters: LiveClusters, displaced: [Int64], runID: Int64?,
    into batch: inout Batch, on connection: isolated PostgresConnection
  ) throws {
    var changes = MembershipChanges(dimension: collection.dimension)
    var placements: [Placement] = []
    var questions: [CandidateQuestion] = []
    for (row, outcome) in outcomes {
      let id = faces.ids[row]
      var placement = Placement(detectionID: id, status: .unassigned, tier: "pool")
      switch outcome {
      case .assigned(let cluster, let tier, let confidence, let asked):
        placement.status = .auto
        placement.clusterID = clusters.ids[cluster]
        placement.confidence = Float(confidence)
        placement.tier = tier
        questions += asked
      case .pending(let asked):
        placement.status = .pending
        placement.tier = "epsilon_ball"
        questions += asked
      case .pool(let constrained):
        if constrained { placement.status = .constrained }
      }
      changes.move(
        faces.embeddings.row(row), from: faces.clusterIDs[row], to: placement.clusterID)
      placements.append(placement)
    }
    for row in unusable.keys {
      changes.move(faces.embeddings.row(row), from: faces.clusterIDs[row], to: nil)
    }
    if !displaced.isEmpty {
      changes.takeOut(
        try FaceReader(collection).faces(ids: displaced, on: connection), cores: [])
    }
    let repository = ClusterRepository(collection)
    try changes.apply(repository, on: connection)
    let detections = DetectionRepository(collection)
    _ = try detections.place(placements, runID: runID, on: connection)
    try WaitingFaces(collection: collection, settings: settings)
      .tryAgain(displaced, on: connection)
    batch.report.invalidFaces = try detections.setAside(
      unusable.map { (faces.ids[$0.key], $0.value) }, runID: runID, on: connection)
    batch.report.invalid = unusable.count
    try changes.settle(
      repository, medoidThreshold: settings.medoidRecomputeThreshold, on: connection)
    let review = ReviewRepository(collection)
    try review.expire(detections: faces.ids, keeping: questions, on: connection)
    batch.report.candidates = try review.ask(questions, on: connection)
    if !displaced.isEmpty { try JobQueue().enqueue(.assign, collection, on: connection) }
  }
}

extension Assigner.Batch {
  fileprivate mutating func count(_ outcome: AssignmentOutcome, detectionID: Int64) {
    switch outcome {
    case .assigned(_, "predict", _, _): report.assigned.predict += 1
    case .assigned: report.assigned.epsilonBall += 1
    case .pending: report.pending += 1
    case .pool(let constrained):
      pooled.insert(detectionID)
      if constrained {
        report.constrained += 1
        self.constrained.insert(detectionID)
      } else {
        report.unassigned += 1
      }
    }
  }
}
