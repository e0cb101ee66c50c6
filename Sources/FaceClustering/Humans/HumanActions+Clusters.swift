internal import PostgresClient
internal import Store

extension HumanActions {
  /// Says that a cluster is right, or takes that back.
  func verify(
    cluster id: Int64, _ verified: Bool, on connection: isolated PostgresConnection
  ) throws -> HumanActionReport {
    try change("verify", "verified", cluster: id, on: connection) {
      try clusters.verify(id, verified, actor: actor, on: $0)
      return "\(verified ? "verified" : "no longer verified:") cluster \(id)"
    }
  }

  /// Hides a cluster from lists, or shows it again.
  func hide(
    cluster id: Int64, _ hidden: Bool, on connection: isolated PostgresConnection
  ) throws -> HumanActionReport {
    try change("hide", "hidden", cluster: id, on: connection) {
      try clusters.hide(id, hidden, on: $0)
      return "\(hidden ? "hid" : "showed") cluster \(id)"
    }
  }

  /// Chooses the member that stands for a cluster; nil leaves it to the medoid.
  func represent(
    cluster id: Int64, by externalID: String?, on connection: isolated PostgresConnection
  ) throws -> HumanActionReport {
    try change("represent", "representative_detection_id", cluster: id, on: connection) {
      connection in
      var face: Int64?
      if let externalID {
        let state = try detections.find(externalID: externalID, on: connection)
        guard state.clusterID == id else {
          throw HumanActionError.notAMember(externalID: externalID, cluster: id)
        }
        face = state.id
      }
      try clusters.represent(id, by: face, on: connection)
      return "cluster \(id) is represented by "
        + (externalID.map { "“\($0)”" } ?? "its medoid")
    }
  }

  private func change(
    _ kind: String, _ key: String, cluster id: Int64, on connection: isolated PostgresConnection,
    _ body: (isolated PostgresConnection) throws -> String
  ) throws -> HumanActionReport {
    try CollectionLocks(collection).ownMembership(on: connection)
    let cluster = try liveCluster(id, on: connection)
    var scope = ActionScope(clusters: [id])
    scope.say(key, of: .cluster, [id])
    let action = try begin(kind, scope, on: connection)
    let summary = try body(connection)
    return try finish(
      action, kind, scope, summary: summary, clusterIDs: [id], personIDs: [cluster.personID],
      on: connection)
  }
}
