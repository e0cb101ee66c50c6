/// What maintenance does, one thing each.
public enum MaintenanceTask: String, Sendable, Codable, CaseIterable {
  /// Marks runs whose process died as failed.
  case abandonedRuns = "abandoned-runs"
  /// Makes counts, sums and centroids anew from the members, where they differ.
  case counts
  /// Finds emerging clusters in the pool.
  case pool
  /// Closes questions that are none any more.
  case questions
  /// Retires clusters without faces about which people said nothing.
  case emptyClusters = "empty-clusters"
  /// Lists where faces stand against what people said.
  case constraints
  /// Makes medoids anew, where they differ.
  case medoids
  /// Suggests which persons may be one.
  case association
  /// Says how far the faces since the fit are from their clusters.
  case drift

  /// What is worth doing every day, in this order.
  public static let daily: [MaintenanceTask] = [
    .abandonedRuns, .counts, .pool, .questions, .emptyClusters, .constraints,
  ]
  /// What is worth doing every week, in this order.
  public static let weekly: [MaintenanceTask] = [.medoids, .association, .drift]
}

/// How one task of maintenance ended.
public struct MaintenanceOutcome: Sendable, Codable, Equatable {
  /// What was done.
  public var task: MaintenanceTask
  /// False where it failed.
  public var succeeded = true
  /// Why it failed.
  public var error: String?
  /// What was looked at: clusters, faces, questions or runs.
  public var examined = 0
  /// What was changed, or would have been.
  public var changed = 0
  /// How many findings there are.
  public var found = 0
  /// The first of them, one line each.
  public var findings: [String] = []
  /// Seconds that it took.
  public var seconds = 0.0

  /// How many findings are named; all are counted.
  public static let mostNamed = 100

  init(_ task: MaintenanceTask) { self.task = task }

  mutating func find(_ lines: [String]) {
    found += lines.count
    findings += lines.prefix(Self.mostNamed - findings.count)
  }
}

/// What maintenance did to one collection.
public struct MaintenanceReport: Sendable, Codable, Equatable {
  /// Name of the collection.
  public var collection: String
  /// Whether nothing was written.
  public var dryRun: Bool
  /// The tasks in the order in which they were done.
  public var tasks: [MaintenanceOutcome]

  /// Whether no task failed.
  public var succeeded: Bool { tasks.allSatisfy(\.succeeded) }

  enum CodingKeys: String, CodingKey {
    case collection, tasks
    case dryRun = "dry_run"
  }
}
