internal import PostgresClient
internal import Store
internal import Vectors

extension HumanActions {
  /// What a split would do; reads only.
  func proposal(
    cluster id: Int64, on connection: isolated PostgresConnection
  ) throws -> SplitProposal {
    let cluster = try liveCluster(id, on: connection)
    let plan = try SplitPlanner(collection: collection).plan(cluster, on: connection)
    let names = try detections.externalIDs(of: plan.faces.ids, on: connection)
    return SplitProposal(
      clusterID: id, runID: plan.runID,
      parts: plan.parts.enumerated().map { index, part in
        SplitProposal.Part(
          node: part.node, keepsID: index == 0, faceCount: part.rows.count,
          lambdaBirth: part.lambdaBirth, persistence: part.persistence,
          faces: part.rows.compactMap { names[plan.faces.ids[$0]] })
      })
  }

  /// Splits a cluster along the stored hierarchy: one part keeps the id and the person, the others
  /// become clusters of new persons, and no later run joins them again.
  func split(
    cluster id: Int64, settings: StageSettings, on connection: isolated PostgresConnection
  ) throws -> HumanActionReport {
    try CollectionLocks(collection).ownMembership(on: connection)
    let cluster = try liveCluster(id, on: connection)
    let plan = try SplitPlanner(collection: collection).plan(cluster, on: connection)
    var scope = ActionScope(detections: Set(plan.faces.ids), clusters: [id])
    let action = try begin("split", scope, on: connection)
    let facts = plan.parts.map { part in
      MemberFacts.facts(
        of: part.rows.map {
          Member(
            detectionID: plan.faces.ids[$0], embeddings: plan.faces.embeddings, row: $0,
            isCore: plan.coreIDs.contains(plan.faces.ids[$0]))
        }, dimension: collection.dimension,
        epsilon: ClusterEpsilon.epsilon(lambdaBirth: part.lambdaBirth, settings: settings),
        lambdaBirth: part.lambdaBirth, persistence: part.persistence, origin: "manual")
    }
    try clusters.update([(id, facts[0])], runID: plan.runID, on: connection)
    let made = try clusters.create(
      Array(facts.dropFirst()), persons: facts.dropFirst().map { _ in nil }, runID: plan.runID,
      on: connection)
    let ids = [id] + made
    let personOf = try persons.persons(ofClusters: ids, on: connection)
    scope.clusters.formUnion(made)
    scope.persons.formUnion(made.compactMap { personOf[$0] })
    var moving: [(face: Int64, cluster: Int64)] = []
    for (part, target) in zip(plan.parts, ids).dropFirst() {
      moving += part.rows.map { (plan.faces.ids[$0], target) }
    }
    try detections.carry(
      moving.map(\.face), to: moving.map(\.cluster), actor: actor, actionID: action,
      on: connection)
    try clusters.anchor(ids, on: connection)
    try clusters.forgetRepresentatives(moving.map(\.face), on: connection)
    // Each part is not the others, whatever density says later.
    var forbidden: [(detectionID: Int64, clusterID: Int64?, personID: Int64?)] = []
    for (part, own) in zip(plan.parts, ids) {
      for other in ids where other != own {
        forbidden += part.rows.map { (plan.faces.ids[$0], other, personOf[other]) }
      }
    }
    scope.say("anchored", of: .cluster, ids)
    scope.say(
      "forbidden", of: .prohibition, try review.forbid(forbidden, actor: actor, on: connection))
    let report = try finish(
      action, "split", scope,
      summary: "split cluster \(id) into \(plan.parts.count): "
        + plan.parts.map { count($0.rows.count) }.joined(separator: ", "),
      moved: moving.count, clusterIDs: ids, personIDs: ids.compactMap { personOf[$0] },
      on: connection)
    try waiting.tryAgain(near: ids, on: connection)
    return report
  }
}
