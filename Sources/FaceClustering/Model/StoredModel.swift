internal import Crypto
internal import HDBSCAN
internal import TensorFiles

/// Why a stored model could not be read.
struct StoredModelError: Error, CustomStringConvertible {
  var what: String

  var description: String {
    "the stored model is unreadable: \(what); `photodb re-bootstrap` makes a new one"
  }
}

/// The portable model of a run: one safetensors blob, no vectors, no code.
///
/// Tensors: `detection_ids` (int64, in the order of the fit), `core_distances` (float64),
/// `labels` (int64), `probabilities` (float64), the condensed tree (`condensed_parent`,
/// `condensed_child`, `condensed_size` int64, `condensed_lambda` float64), `selected_clusters`
/// (int64), `cluster_stability`, `cluster_persistence` (float64). With them one can predict. With the
/// spanning tree (`mst_a`, `mst_b` int32, `mst_weight` float64) and `neighbours` (int32, n × k, −1 for
/// none) one can also extract again; models of older programs lack both. Metadata: `kind`, `format`,
/// `parameters` (JSON) and `sha256` over the tensors. Lambdas are 1/Euclidean distance.
struct StoredModel: Sendable {
  static let kind = "photodb.hdbscan-model"
  static let format = 1

  var detectionIDs: [Int64]
  var coreDistances: [Double]
  var labels: [Int]
  var probabilities: [Double]
  var tree: CondensedTree
  var selection: Selection
  var parameters: Parameters
  /// n − 1 edges, or none where an older program wrote the model.
  var spanningTree: [WeightedEdge] = []
  var neighbours: NeighbourGraph?

  init(detectionIDs: [Int64], clustering: Clustering) {
    self.detectionIDs = detectionIDs
    coreDistances = clustering.coreDistances
    labels = clustering.labels
    probabilities = clustering.probabilities
    tree = clustering.tree
    selection = clustering.selection
    parameters = clustering.parameters
    spanningTree = clustering.spanningTree
    neighbours = clustering.neighbours
  }

  /// The blob.
  ///
  /// - Complexity: O(n): about 100 bytes a face.
  func encode() throws -> [UInt8] {
    var content = SafetensorsContent(tensors: [
      "detection_ids": Tensor(detectionIDs), "core_distances": Tensor(coreDistances),
      "labels": Tensor(labels), "probabilities": Tensor(probabilities),
      "condensed_parent": Tensor(tree.parents), "condensed_child": Tensor(tree.children),
      "condensed_size": Tensor(tree.sizes), "condensed_lambda": Tensor(tree.lambdas),
      "selected_clusters": Tensor(selection.nodes),
      "cluster_stability": Tensor(selection.stabilities),
      "cluster_persistence": Tensor(selection.persistences),
    ])
    content.tensors["mst_a"] = Tensor(spanningTree.map { Int32($0.a) })
    content.tensors["mst_b"] = Tensor(spanningTree.map { Int32($0.b) })
    content.tensors["mst_weight"] = Tensor(spanningTree.map(\.weight))
    if let neighbours, neighbours.perPoint > 0 {
      content.tensors["neighbours"] = Tensor(
        neighbours.indices, shape: [detectionIDs.count, neighbours.perPoint])
    }
    content.metadata = [
      "kind": Self.kind, "format": "\(Self.format)",
      "parameters": try JSONText.encode(parameters),
    ]
    let draft = try SafetensorsFile(bytes: try content.encode(), name: "clusterer_state")
    content.metadata["sha256"] = try Self.checksum(draft)
    return try content.encode()
  }

  /// Reads a blob, which may be damaged or hostile.
  ///
  /// - Throws: ``StoredModelError`` or `TensorFileError`, one line each.
  init(bytes: [UInt8]) throws {
    let file: SafetensorsFile
    do {
      file = try SafetensorsFile(bytes: bytes, name: "clusterer_state")
    } catch {
      throw StoredModelError(what: "\(error)")
    }
    guard file.metadata["kind"] == Self.kind,
      let format = file.metadata["format"].flatMap({ Int($0) })
    else { throw StoredModelError(what: "it is no photodb model") }
    guard format == Self.format else {
      throw StoredModelError(what: "its format is \(format), this program reads \(Self.format)")
    }
    guard file.metadata["sha256"] == (try Self.checksum(file)) else {
      throw StoredModelError(what: "its checksum does not match")
    }
    parameters = try JSONText.decode(Parameters.self, from: file.metadata["parameters"] ?? "")
    detectionIDs = try file.int64s("detection_ids")
    coreDistances = try file.doubles("core_distances")
    labels = try file.integers("labels")
    probabilities = try file.doubles("probabilities")
    let (parents, children) = (
      try file.integers("condensed_parent"), try file.integers("condensed_child")
    )
    let (sizes, lambdas) = (
      try file.integers("condensed_size"), try file.doubles("condensed_lambda")
    )
    let n = detectionIDs.count
    guard coreDistances.count == n, labels.count == n, probabilities.count == n,
      parents.count == children.count, sizes.count == parents.count,
      lambdas.count == parents.count, parents.count >= n,
      zip(detectionIDs, detectionIDs.dropFirst()).allSatisfy({ $0 < $1 })
    else { throw StoredModelError(what: "its tensors do not fit together") }
    tree = CondensedTree(
      pointCount: n, parents: parents, children: children, lambdas: lambdas, sizes: sizes)
    do {
      try tree.check()
    } catch {
      throw StoredModelError(what: "\(error)")
    }
    selection = Selection(
      nodes: try file.integers("selected_clusters"),
      stabilities: try file.doubles("cluster_stability"),
      persistences: try file.doubles("cluster_persistence"))
    guard selection.nodes.allSatisfy({ $0 >= n && $0 < n + tree.clusterCount }),
      coreDistances.allSatisfy({ $0 >= 0 }),
      labels.allSatisfy({ $0 >= -1 && $0 < selection.nodes.count })
    else { throw StoredModelError(what: "its labels point outside its tree") }
    try readHierarchy(file)
  }

  private mutating func readHierarchy(_ file: SafetensorsFile) throws {
    let n = detectionIDs.count
    let names = Set(file.arrays.map(\.name))
    guard names.contains("mst_a") else { return }
    let (firsts, seconds) = (try file.integers("mst_a"), try file.integers("mst_b"))
    let weights = try file.doubles("mst_weight")
    guard firsts.count == max(n - 1, 0), seconds.count == firsts.count,
      weights.count == firsts.count
    else { throw StoredModelError(what: "its spanning tree does not fit its points") }
    spanningTree = firsts.indices.map {
      WeightedEdge(firsts[$0], seconds[$0], weight: weights[$0])
    }
    guard names.contains("neighbours"), n > 0 else { return }
    let indices = try file.integers("neighbours")
    guard !indices.isEmpty, indices.count % n == 0, indices.allSatisfy({ $0 >= -1 && $0 < n })
    else { throw StoredModelError(what: "its neighbours are no points of it") }
    neighbours = NeighbourGraph(perPoint: indices.count / n, indices: indices.map { Int32($0) })
  }

  /// The fit as it was, from the stored tree: no distance is computed.
  ///
  /// - Throws: ``StoredModelError`` where an older program wrote the model, or the tree is no tree.
  func clustering() throws -> Clustering {
    guard spanningTree.count == max(detectionIDs.count - 1, 0) else {
      throw StoredModelError(what: "it holds no spanning tree")
    }
    do {
      return try HDBSCAN.reextract(
        Clustering(
          parameters: parameters, labels: labels, probabilities: probabilities, outlierScores: [],
          coreDistances: coreDistances, pointLambdas: [], spanningTree: spanningTree, tree: tree,
          selection: selection, exemplars: [], neighbours: neighbours), parameters: parameters)
    } catch {
      throw StoredModelError(what: "\(error)")
    }
  }

  static func checksum(_ file: SafetensorsFile) throws -> String {
    var hash = SHA256()
    for array in file.arrays.sorted(by: { $0.name < $1.name }) {
      hash.update(data: Array(array.name.utf8))
      hash.update(data: try array.bytes())
    }
    hash.update(data: Array((file.metadata["parameters"] ?? "").utf8))
    return hash.finalize().map { byte in
      let text = String(byte, radix: 16)
      return text.count == 1 ? "0" + text : text
    }.joined()
  }
}
