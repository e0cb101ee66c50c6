internal import PostgresClient
internal import Store

/// Why a run cannot be put in charge.
public enum ActivationError: Error, Sendable, Equatable, CustomStringConvertible {
  case notCompleted(run: Int64, status: String)
  case noState(run: Int64)
  case superseded(run: Int64, by: Int64?, before: Int64)

  /// One line that says what is wrong and what to do.
  public var description: String {
    switch self {
    case .notCompleted(let run, let status):
      "run \(run) is \(status); only a completed run can be put in charge"
    case .noState(let run):
      "run \(run) was replaced before states of runs were kept; `photodb re-bootstrap` makes a new one"
    case .superseded(let run, let by, let before):
      "run \(run) is no longer in charge\(by.map { ", run \($0) is" } ?? ""); "
        + "`photodb runs activate \(before)` goes back to the run before it"
    }
  }
}

/// Goes back to an earlier run, or forward again.
///
/// The state of the run that is left is kept, so that nothing is lost on the way back. What people said
/// since stands: manual faces, prohibitions, verified and split clusters; names are never touched, and
/// a named cluster that the run does not know keeps its faces.
struct RunActivation {
  let collection: CollectionRecord
  let settings: StageSettings

  /// Puts a run in charge, in the caller's transaction.
  func activate(
    _ id: Int64, actor: String?, on connection: isolated PostgresConnection
  ) throws -> HumanActionReport {
    let actions = HumanActions(collection: collection, settings: settings, actor: actor)
    try CollectionLocks(collection).ownMembership(on: connection)
    let run = try RunRepository(collection).find(id, on: connection)
    guard run.status == "completed" else {
      throw ActivationError.notCompleted(run: id, status: run.status)
    }
    let current = try RunRepository(collection).activeID(on: connection)
    if current == id {
      return HumanActionReport(
        kind: "activate", summary: "run \(id) was in charge already", runIDs: [id, id])
    }
    let action = try actions.begin("activate", ActionScope(), on: connection)
    let moved = try apply(id, from: current, action: action, actor: actor, on: connection)
    var report = try actions.finish(
      action, "activate", ActionScope(),
      summary: "put run \(id) in charge", moved: moved, on: connection)
    report.runIDs = [current, id].compactMap { $0 }
    try actions.log.finish(
      action, ActionScope(), summary: report.summary, detailsJSON: try JSONText.encode(report),
      on: connection)
    return report
  }

  /// Takes an activation back: the run before it is in charge again.
  ///
  /// - Returns: how many faces that moved.
  func goBack(
    _ done: HumanActionReport, action: Int64, actor: String?,
    on connection: isolated PostgresConnection
  ) throws -> Int {
    guard done.runIDs.count == 2 else { return 0 }
    let current = try RunRepository(collection).activeID(on: connection)
    guard current == done.runIDs[1] else {
      throw ActivationError.superseded(
        run: done.runIDs[1], by: current, before: done.runIDs[0])
    }
    return try apply(done.runIDs[0], from: current, action: action, actor: actor, on: connection)
  }

  private func apply(
    _ id: Int64, from current: Int64?, action: Int64, actor: String?,
    on connection: isolated PostgresConnection
  ) throws -> Int {
    if current == id { return 0 }
    let states = RunStateRepository(collection)
    guard try states.isSaved(id, on: connection) else { throw ActivationError.noState(run: id) }
    if let current { try states.save(current, on: connection) }
    let empty = try states.hollow(on: connection)
    let restored = try states.restore(
      id, exclusivePhotos: settings.samePhotoExclusion, action: action, actor: actor,
      on: connection)
    try MemberSums(collection: collection).recount(restored.changed, on: connection)
    let clusters = ClusterRepository(collection)
    // What people had emptied before lives on, so that they can go back to it.
    let gone = Set(try states.hollow(on: connection)).subtracting(empty).union(restored.retired)
      .sorted()
    try clusters.retire(gone, on: connection)
    try DetectionRepository(collection).reset(
      try ReviewRepository(collection).expire(clusters: gone, on: connection), runID: id,
      on: connection)
    try states.putInCharge(id, on: connection)
    // Who waits and came after the run was left has not met its clusters.
    try WaitingFaces(collection: collection, settings: settings)
      .tryAgain(try states.waitingUnknown(to: id, on: connection), on: connection)
    return restored.moved
  }
}
