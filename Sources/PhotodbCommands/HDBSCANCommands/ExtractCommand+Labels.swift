internal import ArgumentParser
internal import FaceClustering
internal import HDBSCAN
internal import TensorFiles

// Extractions that write labels and no hierarchy of their own.
extension ExtractCommand {
  /// Writes the labels of a cut.
  func write(
    cut distance: Double, of stored: StoredClustering, seconds: PhaseSeconds
  ) async throws {
    var seconds = seconds
    let clustering = stored.clustering
    let size = selection.minClusterSize ?? clustering.parameters.minClusterSize
    let labels = try await seconds.measure("extract") {
      try await offPool { [result] in
        try naming(result) {
          try HDBSCAN.cut(clustering, atDistance: distance, minClusterSize: size)
        }
      }
    }
    var content = Self.content(of: labels, kind: "cut", parameters: clustering.parameters)
    content.metadata["cut_distance"] = String(distance)
    content.metadata["min_cluster_size"] = String(size)
    if let fileRows = stored.fileRows { content.tensors["rows"] = Tensor(fileRows) }
    try await write(
      content, labels, seconds: seconds, cut: distance, minClusterSize: size, inside: nil)
  }

  /// Writes the labels of one cluster's points among the clusters inside it.
  func write(
    inside label: Int, of stored: StoredClustering, seconds: PhaseSeconds
  ) async throws {
    var seconds = seconds
    let clustering = stored.clustering
    let nodes = clustering.selection.nodes
    guard nodes.indices.contains(label) else {
      throw CommandFailure(
        "\(result): has \(nodes.count) clusters, and none with the label \(label); give one of its labels"
      )
    }
    var parameters = clustering.parameters
    selection.apply(to: &parameters)
    let (inner, labels) = try await seconds.measure("extract") {
      try await offPool { [result, tree = clustering.tree, parameters] in
        try naming(result) {
          try subclusters(of: nodes[label], in: tree, parameters: parameters)
        }
      }
    }
    let points = labels.indices.filter { labels[$0] != nil }
    let labelsInside = labels.compactMap { $0 }
    var content = Self.content(of: labelsInside, kind: "inside", parameters: parameters)
    content.metadata["inside_label"] = String(label)
    content.tensors["points"] = Tensor(points)
    content.tensors["selected_clusters"] = Tensor(inner.nodes)
    if let fileRows = stored.fileRows {
      content.tensors["rows"] = Tensor(points.map { fileRows[$0] })
    }
    try await write(
      content, labelsInside, seconds: seconds, cut: nil, minClusterSize: nil, inside: label)
  }

  private static func content(
    of labels: [Int], kind: String, parameters: Parameters
  ) -> SafetensorsContent {
    var metadata = parameters.metadata
    metadata["format"] = StoredClustering.format
    metadata["format_version"] = String(StoredClustering.formatVersion)
    metadata["kind"] = kind
    metadata["photodb_version"] = photodbVersion
    return SafetensorsContent(tensors: ["labels": Tensor(labels)], metadata: metadata)
  }

  private func write(
    _ content: SafetensorsContent, _ labels: [Int], seconds: PhaseSeconds, cut: Double?,
    minClusterSize: Int?, inside: Int?
  ) async throws {
    var seconds = seconds
    try await seconds.measure("write") {
      try await offPool(isAbandonable: false) { [destination] in
        try content.write(to: destination.out)
      }
    }
    let report = LabelsReport(
      n: labels.count, clusters: (labels.max() ?? -1) + 1, noise: labels.count { $0 < 0 },
      cut: cut, minClusterSize: minClusterSize, inside: inside, seconds: seconds.all,
      peakMemoryBytes: Int(Memory.peakBytes), out: destination.out)
    try output.output.report(report) {
      "\(Formatting.count(report.clusters)) clusters, \(Formatting.count(report.noise)) of "
        + "\(Formatting.count(report.n)) rows are noise → \(report.out)"
    }
  }

  /// What `extract --cut` and `extract --inside` report.
  private struct LabelsReport: Encodable {
    let n: Int
    let clusters: Int
    let noise: Int
    @OrNull var cut: Double?
    @OrNull var minClusterSize: Int?
    @OrNull var inside: Int?
    let seconds: [String: Double]
    let peakMemoryBytes: Int
    let out: String
  }
}
