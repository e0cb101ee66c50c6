internal import PostgresClient
internal import Store

extension HumanActions {
  /// Takes an action back; taking an undo back does the action again.
  ///
  /// - Parameter id: nil takes the newest action that stands.
  /// - Throws: ``HumanActionError/cannotUndo(action:reason:)`` where what came later stands in the way.
  func undo(
    _ id: Int64?, on connection: isolated PostgresConnection
  ) throws -> HumanActionReport {
    try CollectionLocks(collection).ownMembership(on: connection)
    guard let named = try id ?? log.latest(on: connection) else {
      throw HumanActionError.nothingToUndo(collection: collection.name)
    }
    if let by = try log.lock(named, on: connection).undoneBy {
      throw HumanActionError.alreadyUndone(action: named, by: by)
    }
    let root = try log.lock(try log.root(of: named, on: connection), on: connection)
    // What was done again goes back to how it was then.
    let id = try log.newest(ofRoot: root.id, on: connection)
    let record = try log.lock(id, on: connection)
    let done = try JSONText.decode(HumanActionReport.self, from: record.detailsJSON)
    let isDoneAgain = root.undoneBy != nil
    try refuse(
      named,
      try log.conflicts(of: id, root: root.id, isDoneAgain: isDoneAgain, on: connection),
      on: connection)
    try refuse(named, try log.joinedByHand(since: id, on: connection), on: connection)
    // Whom programs put since into what the action made is to be decided again.
    let arrived = try log.arrivals(since: id, on: connection)
    var scope = try log.scope(of: id, on: connection)
    let there = try detections.externalIDs(of: scope.detections.sorted(), on: connection)
    let deleted = scope.detections.count - there.count
    scope.detections.formUnion(arrived)
    scope.detections.formUnion(try review.asking(within: scope.clusters.sorted(), on: connection))
    let undo = try begin("undo", undoes: id, scope, on: connection)
    try log.free(arrived, by: undo, actor: actor, on: connection)
    let restored = try log.restore(id, by: undo, actor: actor, on: connection)
    let freed = (arrived + restored.freed).sorted()
    // Nobody waits for an answer about them.
    try review.expire(detections: freed, on: connection)
    let uneven = try log.miscounted(scope.clusters, on: connection)
    try recount(restored.stale + uneven, on: connection)
    try closeMoot(&scope, action: undo, on: connection)
    try refuse(named, try log.problems(after: id, on: connection), on: connection)
    try clusters.forgetRepresentatives(ofClusters: scope.clusters.sorted(), on: connection)
    let gone =
      try scope.clusters.sorted().filter { try !clusters.isLive($0, on: connection) }
      + log.retiredWithQuestions(of: id, on: connection)
    try detections.reset(
      try review.expire(clusters: gone, on: connection), runID: nil, on: connection)
    let activation = RunActivation(collection: collection, settings: settings)
    let reactivated = try activation.goBack(done, action: undo, actor: actor, on: connection)
    let aside = try setAsideMisplaced(&scope, since: id, action: undo, on: connection)
    let names = try detections.externalIDs(of: freed + aside, on: connection)
    let report = HumanActionReport(
      actionID: undo, kind: "undo",
      summary: (isDoneAgain
        ? "did again what action \(named) had taken back" : "took back: \(root.summary)")
        + remainder(stayed: restored.stayed, freed: freed.count, deleted: deleted),
      moved: Set(restored.back).subtracting(aside).count + reactivated, stayed: restored.stayed,
      setAside: (freed + aside).compactMap { names[$0] }, clusterIDs: done.clusterIDs,
      personIDs: done.personIDs, runIDs: done.runIDs.reversed())
    try log.finish(
      undo, scope, summary: report.summary, detailsJSON: try JSONText.encode(report),
      on: connection)
    try log.note(
      undo: undo, ofRoot: root.id, isTakenBack: !isDoneAgain, on: connection)
    // No part of the action, as with every other.
    try waiting.tryAgainWhereTheCauseIsGone(on: connection)
    return report
  }

  /// What did not go back, for people; nothing where all did.
  private func remainder(stayed: Int, freed: Int, deleted: Int) -> String {
    func those(_ faces: Int, _ one: String, _ many: String) -> String {
      faces == 0 ? "" : "; \(count(faces)) \(faces == 1 ? one : many)"
    }
    return those(
      stayed, "stays where programs put it since", "stay where programs put them since")
      + those(
        freed, "is new again, its cluster is gone", "are new again, their clusters are gone")
      + those(deleted, "is gone, deleted since", "are gone, deleted since")
  }

  /// Closes questions that were asked since about what is now no question, or about nobody: also those of
  /// faces and clusters that came to the same persons since.
  private func closeMoot(
    _ scope: inout ActionScope, action: Int64, on connection: isolated PostgresConnection
  ) throws {
    let personOf = try persons.persons(ofClusters: scope.clusters.sorted(), on: connection)
    let all = scope.clusters.union(
      try clusters.ids(ofPersons: Set(personOf.values), on: connection)
    ).sorted()
    try widen(
      &scope, ActionScope(detections: Set(try review.asking(within: all, on: connection))),
      action: action, on: connection)
    try review.closeMoot(about: all, on: connection)
    try review.closeMoot(ofDetections: scope.detections.sorted(), on: connection)
  }

  /// Remembers more rows before they change, when others of the scope have changed already.
  private func widen(
    _ scope: inout ActionScope, _ more: ActionScope, action: Int64,
    on connection: isolated PostgresConnection
  ) throws {
    let added = ActionScope(
      detections: more.detections.subtracting(scope.detections),
      clusters: more.clusters.subtracting(scope.clusters))
    try log.remember(added, of: action, on: connection)
    scope.detections.formUnion(added.detections)
    scope.clusters.formUnion(added.clusters)
  }

  /// Takes out whom programs placed since, where people had said that they do not belong now that clusters
  /// have other persons again; and who is beside another face of the photo now, as new.
  ///
  /// - Parameters:
  ///   - scope: what the action concerns; gets these faces and their clusters.
  ///   - done: what is taken back.
  /// - Returns: ids of these faces.
  private func setAsideMisplaced(
    _ scope: inout ActionScope, since done: Int64, action: Int64,
    on connection: isolated PostgresConnection
  ) throws -> [Int64] {
    let personOf = try persons.persons(ofClusters: scope.clusters.sorted(), on: connection)
    let misplaced = try review.misplaced(
      scope.detections.sorted(), ofPersons: Set(personOf.values).sorted(), on: connection)
    try widen(&scope, by: misplaced, action: action, on: connection)
    try setAside(misplaced, action: action, on: connection)
    guard settings.samePhotoExclusion else { return misplaced }
    let crowded = try log.crowded(by: action, since: done, on: connection)
    try widen(&scope, by: crowded, action: action, on: connection)
    try setAside(crowded, asNew: true, action: action, on: connection)
    return misplaced + crowded
  }

  /// Remembers faces and their clusters before they change.
  private func widen(
    _ scope: inout ActionScope, by faces: [Int64], action: Int64,
    on connection: isolated PostgresConnection
  ) throws {
    if faces.isEmpty { return }
    let states = try detections.lock(ids: faces, on: connection)
    try widen(
      &scope, ActionScope(detections: Set(faces), clusters: Set(states.compactMap(\.clusterID))),
      action: action, on: connection)
  }

  private func refuse(
    _ action: Int64, _ conflicts: [UndoConflict], on connection: isolated PostgresConnection
  ) throws {
    guard let conflict = conflicts.first else { return }
    let subject =
      switch conflict.entity {
      case "detection":
        "detection “\(try detections.externalIDs(of: [conflict.rowID], on: connection)[conflict.rowID] ?? "\(conflict.rowID)")”"
      case "candidate": "candidate \(conflict.rowID)"
      case "person": "person \(conflict.rowID)"
      default: "cluster \(conflict.rowID)"
      }
    let what =
      switch conflict.key {
      case "cluster_id": "was moved"
      case "retired_at": "was retired"
      case "gone": "was removed"
      case "name": "was renamed"
      case "hidden": "was hidden or shown"
      case "verified": "was verified or not"
      case "person_id": "was given to another person"
      case "forbidden": "was said not to belong where it was"
      case "forbidden_again": "was said again to be somebody else"
      case "allowed": "was said not to be somebody else any more"
      case "said": "was confirmed"
      case "status": "was answered"
      default: "was changed"
      }
    let more = conflicts.count > 1 ? " (and \(conflicts.count - 1) more)" : ""
    throw HumanActionError.cannotUndo(
      action: action, reason: "\(subject) \(what) \(conflict.cause)\(more)")
  }
}
