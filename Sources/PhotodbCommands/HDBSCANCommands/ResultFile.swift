internal import HDBSCAN
internal import TensorFiles
internal import Vectors

/// A fit as it is stored: the result, and the vectors for predictions where they are kept.
struct StoredClustering: Sendable {
  /// The result.
  var clustering: Clustering
  /// The rows that were clustered; nil without them, and for precomputed distances.
  var vectors: Points?
  /// The input file's row of each point, where rows were left out.
  var fileRows: [Int]?
}

extension StoredClustering {
  /// Value of the metadata `format` of every result.
  static let format = "photodb-hdbscan"
  /// Value of the metadata `format_version`; readers refuse a greater one.
  static let formatVersion = 1

  /// The tensors and metadata of the result's file.
  ///
  /// Shapes, with n points, m rows of the condensed tree, k labels and x exemplars: `labels`,
  /// `probabilities`, `outlier_scores`, `core_distances`, `point_lambdas` n; `mst` (n − 1) × 3;
  /// `condensed_…` m; `cluster_persistence`, `cluster_stability`, `selected_clusters` k;
  /// `exemplars` and `exemplar_labels` x; `single_linkage` (n − 1) × 4 as SciPy's linkage;
  /// `embeddings` n × d; `rows` n.
  ///
  /// - Parameter singleLinkage: whether the binary single-linkage tree is written, too.
  /// - Complexity: O(n log n); vectors are not copied.
  func content(singleLinkage: Bool = false) -> SafetensorsContent {
    let tree = clustering.tree
    var tensors: [String: Tensor] = [
      "labels": Tensor(clustering.labels),
      "probabilities": Tensor(clustering.probabilities),
      "outlier_scores": Tensor(clustering.outlierScores),
      "core_distances": Tensor(clustering.coreDistances),
      "point_lambdas": Tensor(clustering.pointLambdas),
      "mst": Tensor(
        clustering.spanningTree.flatMap { [Double($0.a), Double($0.b), $0.weight] },
        shape: [clustering.spanningTree.count, 3]),
      "condensed_parent": Tensor(tree.parents),
      "condensed_child": Tensor(tree.children),
      "condensed_lambda": Tensor(tree.lambdas),
      "condensed_size": Tensor(tree.sizes),
      "cluster_persistence": Tensor(clustering.selection.persistences),
      "cluster_stability": Tensor(clustering.selection.stabilities),
      "selected_clusters": Tensor(clustering.selection.nodes),
      "exemplars": Tensor(clustering.exemplars.flatMap { $0 }),
      "exemplar_labels": Tensor(
        clustering.exemplars.enumerated().flatMap { label, points in
          [Int](repeating: label, count: points.count)
        }),
    ]
    switch vectors {
    case .float32(let matrix): tensors["embeddings"] = Tensor(matrix)
    case .float64(let matrix): tensors["embeddings"] = Tensor(matrix)
    case .distances, nil: break
    }
    if let fileRows { tensors["rows"] = Tensor(fileRows) }
    if singleLinkage { tensors["single_linkage"] = linkageTensor() }
    var metadata = clustering.parameters.metadata
    metadata["format"] = Self.format
    metadata["format_version"] = String(Self.formatVersion)
    metadata["kind"] = "fit"
    metadata["photodb_version"] = photodbVersion
    metadata["points"] = String(clustering.labels.count)
    return SafetensorsContent(tensors: tensors, metadata: metadata)
  }

  /// SciPy's linkage matrix: the two children, the distance, the number of points.
  private func linkageTensor() -> Tensor {
    let count = clustering.labels.count
    // Binary whatever the ties of the fit: SciPy's form has no other nodes.
    let linkage = SingleLinkage(
      edges: clustering.spanningTree, pointCount: count, ties: .ordered)
    let rows = linkage.distances.indices.flatMap { merge in
      linkage.children(of: count + merge).map(Double.init)
        + [linkage.distances[merge], Double(linkage.sizes[count + merge])]
    }
    return Tensor(rows, shape: [linkage.distances.count, 4])
  }
}
