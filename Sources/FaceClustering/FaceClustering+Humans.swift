internal import PostgresClient
public import Store

/// What humans say. Every action is one transaction and one entry of the log, and can be taken back.
///
/// `actor` is who says so, for the log. A dry run does everything and then rolls it back, so what it
/// tells is what the action would do.
extension FaceClustering {
  /// Puts faces where a human says; no algorithm moves them again.
  ///
  /// - Parameters:
  ///   - externalIDs: at least one.
  ///   - anyway: takes back what stands against it.
  /// - Throws: ``HumanActionError``, `StoreError`.
  public func assign(
    externalIDs: [String], to target: HumanTarget, anyway: Bool = false, actor: String? = nil,
    dryRun: Bool = false
  ) async throws -> HumanActionReport {
    try await act(actor, dryRun: dryRun) {
      try $0.assign(externalIDs: externalIDs, to: target, anyway: anyway, on: $1).report
    }
  }

  /// "Not this person": takes faces out, and keeps every algorithm from putting them back.
  ///
  /// - Parameters:
  ///   - externalIDs: at least one.
  ///   - target: nil stands for the cluster and the person that each face has now.
  /// - Throws: ``HumanActionError``, `StoreError`.
  public func reject(
    externalIDs: [String], from target: RejectionTarget? = nil, actor: String? = nil,
    dryRun: Bool = false
  ) async throws -> HumanActionReport {
    try await act(actor, dryRun: dryRun) {
      try $0.reject(externalIDs: externalIDs, from: target, on: $1)
    }
  }

  /// Open questions, most similar first; one for each face and person.
  public func candidates(limit: Int = 100) async throws -> [CandidateRecord] {
    let review = ReviewRepository(collection)
    return try await pool.explainedTransaction { try review.open(limit: limit, on: $0) }
  }

  /// Answers a question with yes.
  ///
  /// - Throws: ``HumanActionError``, `StoreError.unknownCandidate`.
  public func accept(candidate id: Int64, actor: String? = nil) async throws -> HumanActionReport {
    try await act(actor) { try $0.accept(candidate: id, on: $1) }
  }

  /// Answers questions with no.
  ///
  /// - Throws: ``HumanActionError``, `StoreError.unknownCandidate`.
  public func reject(
    candidates ids: [Int64], actor: String? = nil, dryRun: Bool = false
  ) async throws -> HumanActionReport {
    try await act(actor, dryRun: dryRun) { try $0.reject(candidates: ids, on: $1) }
  }

  /// Names a person; nil takes the name away.
  ///
  /// - Throws: ``HumanActionError``, `StoreError.unknownPerson`.
  public func name(
    person id: Int64, _ name: String?, actor: String? = nil
  ) async throws -> PersonRecord {
    try await giveName(name, toPerson: id, actor: actor).person
  }

  /// Names a person, and tells what ``undo(action:actor:dryRun:)`` needs; nil takes the name away.
  ///
  /// - Throws: ``HumanActionError``, `StoreError.unknownPerson`.
  public func giveName(
    _ name: String?, toPerson id: Int64, actor: String? = nil
  ) async throws -> (person: PersonRecord, report: HumanActionReport) {
    try await perform(actor) { actions, connection in
      let report = try actions.name(person: id, name, on: connection)
      return (person: try actions.persons.find(id, on: connection), report: report)
    }
  }

  /// Gives the clusters of persons to another person.
  ///
  /// Faces that people said are not of that person go to the pool, and are named in the report; so are
  /// names that nobody has any more. A person without a name takes the only one there is.
  ///
  /// - Parameter anyway: takes back what people said against it, and leaves those faces in.
  /// - Throws: ``HumanActionError``, `StoreError.unknownPerson`.
  public func merge(
    persons: [Int64], into heir: Int64, anyway: Bool = false, actor: String? = nil,
    dryRun: Bool = false
  ) async throws -> HumanActionReport {
    try await act(actor, dryRun: dryRun) {
      try $0.merge(persons: persons, into: heir, anyway: anyway, on: $1)
    }
  }

  /// Gives every cluster of a person but the largest a person of its own.
  ///
  /// - Throws: ``HumanActionError``, `StoreError.unknownPerson`.
  public func separate(
    person id: Int64, actor: String? = nil, dryRun: Bool = false
  ) async throws -> HumanActionReport {
    try await act(actor, dryRun: dryRun) { try $0.separate(person: id, on: $1) }
  }

  /// How a cluster would come apart along the stored hierarchy; changes nothing.
  ///
  /// - Throws: ``HumanActionError``, `StoreError.unknownCluster`.
  public func splitProposal(cluster id: Int64) async throws -> SplitProposal {
    let actions = HumanActions(collection: collection, settings: settings, actor: nil)
    return try await pool.explainedTransaction(.snapshot) {
      try actions.proposal(cluster: id, on: $0)
    }
  }

  /// Splits a cluster as ``splitProposal(cluster:)`` says; the other parts get persons of their own.
  ///
  /// - Throws: ``HumanActionError``, `StoreError.unknownCluster`.
  public func split(
    cluster id: Int64, actor: String? = nil, dryRun: Bool = false
  ) async throws -> HumanActionReport {
    let settings = settings
    return try await act(actor, dryRun: dryRun) {
      try $0.split(cluster: id, settings: settings, on: $1)
    }
  }

  /// Says that a cluster is right, or takes that back.
  public func verify(
    cluster id: Int64, _ verified: Bool = true, actor: String? = nil
  ) async throws -> HumanActionReport {
    try await act(actor) { try $0.verify(cluster: id, verified, on: $1) }
  }

  /// Hides a person from lists, or shows it again.
  public func hide(
    person id: Int64, _ hidden: Bool = true, actor: String? = nil
  ) async throws -> HumanActionReport {
    try await act(actor) { try $0.hide(person: id, hidden, on: $1) }
  }

  /// Hides a cluster from lists, or shows it again.
  public func hide(
    cluster id: Int64, _ hidden: Bool = true, actor: String? = nil
  ) async throws -> HumanActionReport {
    try await act(actor) { try $0.hide(cluster: id, hidden, on: $1) }
  }

  /// Chooses the member that stands for a cluster; nil leaves it to the medoid.
  public func represent(
    cluster id: Int64, by externalID: String?, actor: String? = nil
  ) async throws -> HumanActionReport {
    try await act(actor) { try $0.represent(cluster: id, by: externalID, on: $1) }
  }

  /// Takes an action back; taking back an undo does the action again.
  ///
  /// - Parameter id: nil stands for the newest action that stands.
  /// - Throws: ``HumanActionError/cannotUndo(action:reason:)`` and others, `StoreError.unknownAction`.
  public func undo(
    action id: Int64? = nil, actor: String? = nil, dryRun: Bool = false
  ) async throws -> HumanActionReport {
    try await act(actor, dryRun: dryRun) { try $0.undo(id, on: $1) }
  }

  /// What people did, newest first.
  public func actions(limit: Int = 50) async throws -> [HumanActionRecord] {
    let log = HumanActionRepository(collection)
    return try await pool.explainedTransaction { try log.list(limit: limit, on: $0) }
  }

  /// One cluster, retired or not.
  ///
  /// - Throws: `StoreError.unknownCluster`.
  public func cluster(_ id: Int64) async throws -> ClusterRecord {
    let clusters = ClusterRepository(collection)
    return try await pool.explainedTransaction { try clusters.find(id, on: $0) }
  }

  private struct Preview: Error {
    let report: HumanActionReport
  }

  func act(
    _ actor: String?, dryRun: Bool = false,
    _ body: @Sendable (HumanActions, isolated PostgresConnection) throws -> HumanActionReport
  ) async throws -> HumanActionReport {
    do {
      return try await perform(actor) { actions, connection in
        let report = try body(actions, connection)
        if dryRun { throw Preview(report: report) }
        return report
      }
    } catch let preview as Preview {
      var report = preview.report
      report.dryRun = true
      report.actionID = nil
      return report
    }
  }
  /// Does what a human wants in one transaction, and tells the queue.
  func perform<Done: Sendable>(
    _ actor: String?,
    _ body: @Sendable (HumanActions, isolated PostgresConnection) throws -> Done
  ) async throws -> Done {
    let actions = HumanActions(
      collection: collection, settings: settings, actor: actor, models: models)
    return try await pool.explainedTransaction { connection in
      let done = try body(actions, connection)
      // Faces that became new, or came to the pool, wait for a worker.
      try JobQueue().enqueueIfFacesAreNew(actions.collection, on: connection)
      return done
    }
  }
}
