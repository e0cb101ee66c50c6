internal import PostgresClient
public import Store

/// Runs compared, exported, and put in charge; clusters followed through all of them.
extension FaceClustering {
  /// Puts an earlier run in charge again; ids, names and what people said stay.
  ///
  /// - Throws: ``ActivationError``, `StoreError.unknownRun`.
  public func activate(
    run id: Int64, actor: String? = nil, dryRun: Bool = false
  ) async throws -> HumanActionReport {
    let activation = RunActivation(collection: collection, settings: settings)
    return try await act(actor, dryRun: dryRun) { actions, connection in
      var report = try activation.activate(id, actor: actions.actor, on: connection)
      report.undecided = try actions.detections.counts(on: connection).byStatus["new"] ?? 0
      return report
    }
  }

  /// How two completed runs differ, each as it was when it was last in charge.
  ///
  /// - Throws: ``ActivationError``, `StoreError.unknownRun`.
  /// - Complexity: O(faces).
  public func difference(from first: Int64, to second: Int64) async throws -> RunDifference {
    let collection = collection
    return try await pool.explainedTransaction(.snapshot) { connection in
      let runs = RunRepository(collection)
      let records = try [first, second].map { try runs.find($0, on: connection) }
      let active = try runs.activeID(on: connection)
      for run in records {
        guard run.status == "completed" else {
          throw ActivationError.notCompleted(run: run.id, status: run.status)
        }
        guard
          try run.id == active || RunStateRepository(collection).isSaved(run.id, on: connection)
        else { throw ActivationError.noState(run: run.id) }
      }
      return try RunDifference(
        records[0], records[1],
        try LineageRepository(collection).differences(
          first, second, active: active, on: connection))
    }
  }

  /// The full condensed tree of a run.
  ///
  /// - Throws: `StoreError.unknownRun`; an error of one line where the model is damaged.
  /// - Complexity: O(faces of the fit).
  public func tree(ofRun id: Int64) async throws -> RunTree {
    let collection = collection
    return try await pool.explainedTransaction(.snapshot) { connection in
      let state = try RunRepository(collection).state(of: id, on: connection)
      let model = try StoredModel(bytes: state.blob)
      return RunTree(
        runID: id, model: model,
        clusterOfLabel: try model.clusterOfLabel(state.labelToClusterJSON),
        names: try DetectionRepository(collection).externalIDs(
          of: model.detectionIDs, on: connection))
    }
  }

  /// The nodes of a cluster and everything below them in the hierarchy of the run that shaped it, by
  /// node; empty where that run did not find it.
  ///
  /// - Throws: `StoreError.unknownCluster`; an error of one line where the map of labels is damaged.
  public func tree(ofCluster id: Int64) async throws -> [CondensedTreeNode] {
    let collection = collection
    return try await pool.explainedTransaction(.snapshot) { connection in
      let cluster = try ClusterRepository(collection).find(id, on: connection)
      guard let runID = cluster.runID else { return [] }
      let state = try RunRepository(collection).state(of: runID, on: connection)
      let nodes = try JSONText.decode(
        [CondensedTreeNode].self, from: state.condensedTreeJSON)
      let clusterOfLabel = try StoredModel.clusterOfLabel(
        state.labelToClusterJSON, labelCount: nodes.count { $0.label != nil })
      // A parent comes before its children.
      var inside: Set<Int> = []
      return nodes.filter { node in
        let isOwn = node.label.map { clusterOfLabel[$0] == id } ?? false
        guard isOwn || node.parent.map({ inside.contains($0) }) ?? false else { return false }
        inside.insert(node.node)
        return true
      }
    }
  }

  /// What every run did to one cluster, oldest first.
  ///
  /// - Throws: `StoreError.unknownCluster`.
  public func lineage(ofCluster id: Int64) async throws -> [LineageStep] {
    let collection = collection
    return try await pool.explainedTransaction(.snapshot) { connection in
      _ = try ClusterRepository(collection).find(id, on: connection)
      return try LineageRepository(collection).steps(of: id, on: connection)
    }
  }
}
