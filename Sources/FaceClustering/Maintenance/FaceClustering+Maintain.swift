internal import PostgresClient
internal import Store

extension FaceClustering {
  /// Does tasks of maintenance, one after the other; one that fails keeps no other back.
  ///
  /// Everything is safe beside workers, imports, people and a bootstrap, and doing it twice changes
  /// nothing the second time.
  ///
  /// - Parameters:
  ///   - dryRun: says what would be done and writes nothing.
  ///   - apply: joins the persons that ``MaintenanceTask/association`` suggests, rather than asking.
  /// - Throws: `CancellationError`; what goes wrong in a task is in its outcome.
  public func maintain(
    _ tasks: [MaintenanceTask], dryRun: Bool = false, apply: Bool = false
  ) async throws -> MaintenanceReport {
    var report = MaintenanceReport(collection: collection.name, dryRun: dryRun, tasks: [])
    for task in tasks {
      try Task.checkCancellation()
      let clock = Stopwatch()
      var outcome = MaintenanceOutcome(task)
      do {
        try await pool.explainingRights {
          try await perform(task, dryRun: dryRun, apply: apply, into: &outcome)
        }
      } catch let error as CancellationError {
        throw error
      } catch {
        outcome.succeeded = false
        outcome.error = String(describing: error)
      }
      outcome.seconds = clock.total
      report.tasks.append(outcome)
    }
    return report
  }

  private func perform(
    _ task: MaintenanceTask, dryRun: Bool, apply: Bool, into outcome: inout MaintenanceOutcome
  ) async throws {
    let upkeep = ClusterUpkeep(
      pool: pool, collection: collection, settings: settings, dryRun: dryRun)
    switch task {
    case .abandonedRuns: try await upkeep.settleRuns(&outcome)
    case .counts: try await upkeep.recount(&outcome)
    case .medoids: try await upkeep.renewMedoids(&outcome)
    case .questions: try await upkeep.expireQuestions(&outcome)
    case .emptyClusters: try await upkeep.retireEmpty(&outcome)
    case .constraints: try await upkeep.listContradictions(&outcome)
    case .drift: try await upkeep.measureDrift(&outcome)
    case .pool:
      try await EmergingClusters(
        pool: pool, collection: collection, settings: settings, threads: threads, dryRun: dryRun
      ).run(&outcome)
    case .association:
      try await Association(
        pool: pool, collection: collection, settings: settings, threads: threads, dryRun: dryRun,
        apply: apply
      ).run(&outcome)
    }
  }
}
