internal import HDBSCAN
internal import PostgresClient
internal import Store
internal import Vectors

/// Finds how a cluster comes apart: the sub-clusters of its node in the run that shaped it.
struct SplitPlanner {
  let collection: CollectionRecord

  struct Part {
    var node: Int
    var lambdaBirth: Double
    var persistence: Double
    /// Rows of `Plan.faces`.
    var rows: [Int] = []
  }

  struct Plan {
    var runID: Int64
    var faces: FaceSnapshot
    var coreIDs: Set<Int64>
    /// The part that keeps the id first.
    var parts: [Part]
  }

  /// The parts of a live cluster.
  ///
  /// Faces that the tree knows follow it; faces that people placed stay with the id; the others go to
  /// the part whose centroid is nearest.
  ///
  /// - Throws: ``HumanActionError/cannotSplit(cluster:reason:)``; ``StoredModelError`` where the run's
  ///   model or its map of labels is damaged.
  /// - Complexity: O(n) for the tree, O(members · parts · d) for the rest.
  func plan(
    _ cluster: ClusterRecord, on connection: isolated PostgresConnection
  ) throws -> Plan {
    guard let runID = cluster.runID else {
      throw HumanActionError.cannotSplit(
        cluster: cluster.id,
        reason: "no run has seen it yet; `photodb re-bootstrap` gives it a place in the hierarchy")
    }
    let state = try RunRepository(collection).state(of: runID, on: connection)
    let model = try StoredModel(bytes: state.blob)
    let labels = try model.clusterOfLabel(state.labelToClusterJSON)
      .compactMap { $0.value == cluster.id ? $0.key : nil }.sorted()
    let (nodes, partOfPoint) = try subclusters(cluster, labels: labels, runID: runID, of: model)
    let persistences = persistences(nodes, of: model)
    let births = model.tree.clusterBirths
    var parts = nodes.indices.map {
      Part(
        node: nodes[$0], lambdaBirth: births[nodes[$0] - model.tree.pointCount],
        persistence: persistences[$0])
    }
    let members = try DetectionRepository(collection).members(of: [cluster.id], on: connection)
    let faces = try FaceReader(collection).members(ofClusters: [cluster.id], on: connection)
    let partOfID = Dictionary(
      uniqueKeysWithValues: zip(model.detectionIDs, partOfPoint).compactMap { id, part in
        part.map { (id, $0) }
      })
    var manualVotes = [Int](repeating: 0, count: parts.count)
    var loose: [Int] = []
    var manual: [Int] = []
    for (row, id) in faces.ids.enumerated() {
      let part = partOfID[id]
      if faces.statuses[row] == .manual {
        manual.append(row)
        if let part { manualVotes[part] += 1 }
      } else if let part {
        parts[part].rows.append(row)
      } else {
        loose.append(row)
      }
    }
    assign(loose, of: faces, to: &parts)
    let order = parts.indices.sorted {
      (manualVotes[$0], parts[$0].rows.count, -$0) > (manualVotes[$1], parts[$1].rows.count, -$1)
    }
    parts = order.map { parts[$0] }
    parts[0].rows = (parts[0].rows + manual).sorted()
    parts.removeAll { $0.rows.isEmpty }
    guard parts.count > 1 else {
      throw HumanActionError.cannotSplit(
        cluster: cluster.id, reason: "all its faces are in one sub-cluster of the hierarchy")
    }
    return Plan(
      runID: runID, faces: faces, coreIDs: Set(members.filter(\.isCore).map(\.id)), parts: parts)
  }

  private func subclusters(
    _ cluster: ClusterRecord, labels: [Int], runID: Int64, of model: StoredModel
  ) throws -> (nodes: [Int], partOfPoint: [Int?]) {
    guard let label = labels.first else {
      throw HumanActionError.cannotSplit(
        cluster: cluster.id,
        reason: "run \(runID) did not find it, so the hierarchy has no place for it")
    }
    if labels.count > 1 {
      // Several nodes were put together to make it; they are its parts.
      let part = Dictionary(uniqueKeysWithValues: labels.enumerated().map { ($1, $0) })
      return (labels.map { model.selection.nodes[$0] }, model.labels.map { part[$0] })
    }
    let below = try HDBSCAN.subclusters(
      of: model.selection.nodes[label], in: model.tree, parameters: model.parameters)
    guard below.selection.nodes.count > 1 else {
      throw HumanActionError.cannotSplit(
        cluster: cluster.id,
        reason: "its node has no sub-clusters; take faces out with `photodb detection reject`")
    }
    return (below.selection.nodes, below.labels.map { $0.flatMap { $0 >= 0 ? $0 : nil } })
  }

  private func persistences(_ nodes: [Int], of model: StoredModel) -> [Double] {
    let tree = model.tree
    let stabilities = tree.clusterStabilities()
    let sizes = tree.clusterSizes
    let largest = tree.lambdas.filter(\.isFinite).max() ?? 0
    return nodes.map { node in
      let position = node - tree.pointCount
      let scale = Double(sizes[position]) * largest
      return scale > 0 ? min(max(stabilities[position] / scale, 0), 1) : 0
    }
  }

  /// Faces that the tree does not place go where the nearest centroid is.
  private func assign(_ rows: [Int], of faces: FaceSnapshot, to parts: inout [Part]) {
    let references = parts.map { part in
      MemberFacts.sum(
        part.rows.map {
          Member(detectionID: faces.ids[$0], embeddings: faces.embeddings, row: $0, isCore: false)
        }, dimension: collection.dimension)
    }.map { ClusterSum(id: 0, faceCount: 0, sum: $0).centroid }
    for row in rows {
      let nearest = parts.indices.min {
        faces.embeddings.cosineDistance(row, to: references[$0])
          < faces.embeddings.cosineDistance(row, to: references[$1])
      }
      if let nearest { parts[nearest].rows.append(row) }
    }
    for index in parts.indices { parts[index].rows.sort() }
  }
}
