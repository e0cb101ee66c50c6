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
/// (int64), `cluster_stability`, `cluster_persistence` (float64). Metadata: `kind`, `format`,
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

  init(detectionIDs: [Int64], clustering: Clustering) {
    self.detectionIDs = detectionIDs
    coreDistances = clustering.coreDistances
    labels = clustering.labels
    probabilities = clustering.probabilities
    tree = clustering.tree
    selection = clustering.selection
    parameters = clustering.parameters
  }

  /// The blob.
  ///
  /// - Complexity: O(n): about 70 bytes a face.
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
      lambdas.count == parents.count, parents.count >= n
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
  }

  private static func checksum(_ file: SafetensorsFile) throws -> String {
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
