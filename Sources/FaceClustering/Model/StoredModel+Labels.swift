internal import HDBSCAN

extension StoredModel {
  /// The cluster of each label that has one, from the map that the run stored beside its model.
  ///
  /// - Throws: ``StoredModelError`` where the map is damaged or names labels that the model lacks.
  func clusterOfLabel(_ json: String) throws(StoredModelError) -> [Int: Int64] {
    try Self.clusterOfLabel(json, labelCount: selection.nodes.count)
  }

  /// The same where only the number of labels is known: the clusters that the fit selected.
  static func clusterOfLabel(
    _ json: String, labelCount: Int
  ) throws(StoredModelError) -> [Int: Int64] {
    let stored: [String: Int64]
    do {
      stored = try JSONText.decode([String: Int64].self, from: json)
    } catch {
      throw StoredModelError(what: "its map of labels is damaged")
    }
    var clusters: [Int: Int64] = [:]
    for (text, cluster) in stored {
      // "+0" and "00" are numbers for Swift, and would be one label twice.
      guard let label = Int(text), "\(label)" == text, (0..<labelCount).contains(label) else {
        throw StoredModelError(what: "its map of labels names labels that it lacks")
      }
      clusters[label] = cluster
    }
    return clusters
  }
}
