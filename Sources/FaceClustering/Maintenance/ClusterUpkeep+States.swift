internal import PostgresClient
internal import Store

extension ClusterUpkeep {
  /// Marks runs whose process died as failed.
  func settleRuns(_ outcome: inout MaintenanceOutcome) async throws {
    let (collection, dryRun) = (collection, dryRun)
    let found = try await pool.withTransaction { connection -> String? in
      let runs = RunRepository(collection)
      guard let run = try runs.running(on: connection),
        try CollectionLocks(collection).holdOffBootstrap(on: connection)
      else { return nil }
      if !dryRun { try runs.failAbandoned(on: connection) }
      return "run \(run): its process ended before it was done"
    }
    outcome.examined = 1
    if let found {
      outcome.changed = 1
      outcome.find([found])
    }
  }

  /// Closes questions that are none any more; faces that waited for nothing else are new again.
  func expireQuestions(_ outcome: inout MaintenanceOutcome) async throws {
    let (collection, dryRun) = (collection, dryRun)
    let waitingFaces = WaitingFaces(collection: collection, settings: settings)
    let counts = try await pool.withTransaction { connection in
      try CollectionLocks(collection).shareMembership(on: connection)
      let repository = MaintenanceRepository(collection)
      let stale = try repository.staleQuestions(on: connection)
      if !dryRun { try repository.expire(questions: stale, on: connection) }
      let waiting = Set(try repository.lockFacesWithoutQuestion(on: connection))
        .union(try ReviewRepository(collection).lockWaitingWithoutCause(on: connection))
      if !dryRun {
        try waitingFaces.tryAgain(waiting.sorted(), on: connection)
        if !waiting.isEmpty { try JobQueue().enqueue(.assign, collection, on: connection) }
      }
      return (questions: stale.count, faces: waiting.count)
    }
    outcome.examined = counts.questions + counts.faces
    outcome.changed = counts.questions + counts.faces
    if counts.faces > 0 {
      outcome.find([
        "\(counts.faces) faces waited for an answer that nobody needs and are new again"
      ])
    }
  }

  /// Retires clusters without faces; what people named, verified, hid or emptied is kept and listed.
  func retireEmpty(_ outcome: inout MaintenanceOutcome) async throws {
    let repository = MaintenanceRepository(collection)
    let seen = try await pool.withTransaction { try repository.emptyClusters(on: $0) }
    outcome.examined = seen.count
    for cluster in seen {
      if let kept = cluster.kept {
        outcome.find(["cluster \(cluster.id) has no faces and is kept: \(kept)"])
      }
    }
    let candidates = Set(seen.filter { $0.kept == nil }.map(\.id))
    outcome.changed = candidates.count
    if dryRun || candidates.isEmpty { return }
    let collection = collection
    outcome.changed = try await pool.withTransaction { connection in
      // Alone: whoever decides at this moment may have chosen one of these clusters.
      try CollectionLocks(collection).ownMembership(on: connection)
      let empty = try repository.emptyClusters(on: connection)
        .filter { $0.kept == nil && candidates.contains($0.id) }.map(\.id)
      try ClusterRepository(collection).retire(empty, on: connection)
      let waiting = try ReviewRepository(collection).expire(clusters: empty, on: connection)
      try DetectionRepository(collection).reset(waiting, runID: nil, on: connection)
      if !waiting.isEmpty { try JobQueue().enqueue(.assign, collection, on: connection) }
      return empty.count
    }
  }

  /// Lists where faces stand against what people said, and persons twice in one photo.
  func listContradictions(_ outcome: inout MaintenanceOutcome) async throws {
    let repository = MaintenanceRepository(collection)
    let lines = try await pool.withTransaction(.snapshot) {
      try repository.contradictions(on: $0)
    }
    outcome.examined = lines.count
    outcome.find(lines)
  }
}
