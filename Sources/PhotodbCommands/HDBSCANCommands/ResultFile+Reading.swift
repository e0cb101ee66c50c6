internal import HDBSCAN
internal import TensorFiles

extension StoredClustering {
  /// Reads the result in a file; see ``init(_:)``.
  init(path: String) throws { try self.init(SafetensorsFile(path: path)) }

  /// Reads a result that ``content(singleLinkage:)`` has made.
  ///
  /// Everything is checked that later code relies on: sizes, ranges, the order of trees.
  ///
  /// - Throws: `TensorFileError` or `HDBSCANError` where the file is none or is damaged.
  init(_ file: SafetensorsFile) throws {
    try Self.checkFormat(file)
    let parameters = try Parameters(metadata: file)
    let labels = try file.integers("labels")
    let count = labels.count
    let tree = try Self.readTree(file, pointCount: count)
    let selection = try Self.readSelection(file, of: tree)
    func perPoint(_ name: String) throws -> [Double] {
      let values = try file.doubles(name)
      guard values.count == count else {
        throw file.damaged("\(name) has \(values.count) numbers for \(count) points")
      }
      return values
    }
    guard labels.allSatisfy({ $0 >= -1 && $0 < selection.nodes.count }) else {
      throw file.damaged("labels names a cluster that there is not")
    }
    clustering = Clustering(
      parameters: parameters, labels: labels, probabilities: try perPoint("probabilities"),
      outlierScores: try perPoint("outlier_scores"),
      coreDistances: try perPoint("core_distances"), pointLambdas: try perPoint("point_lambdas"),
      spanningTree: try Self.readSpanningTree(file, pointCount: count),
      tree: tree, selection: selection,
      exemplars: try Self.readExemplars(file, pointCount: count, labels: selection.nodes.count))
    guard clustering.coreDistances.allSatisfy({ $0 >= 0 }) else {
      throw file.damaged("core_distances holds a number that is no distance")
    }
    vectors = try file.array("embeddings").map { Points(try $0.matrix()) }
    fileRows = try file.array("rows").map { try $0.integers() }
    guard vectors.map({ $0.count == count }) ?? true, fileRows.map({ $0.count == count }) ?? true
    else { throw file.damaged("embeddings or rows has not \(count) rows") }
    if let fileRows {
      guard zip(fileRows, fileRows.dropFirst()).allSatisfy({ $0 < $1 }),
        fileRows.first ?? 0 >= 0, fileRows.last ?? 0 < Int.max
      else { throw file.damaged("rows is not ascending or out of range") }
    }
  }

  private static func checkFormat(_ file: SafetensorsFile) throws {
    guard file.metadata["format"] == format, file.metadata["kind"] == "fit" else {
      throw file.problem(
        "is not the result of a fit", advice: "give a file that photodb hdbscan fit has written")
    }
    guard let version = file.metadata["format_version"].flatMap(Int.init), version >= 1 else {
      throw file.damaged("its metadata has no format_version")
    }
    guard version <= formatVersion else {
      throw file.problem(
        "has format version \(version), above \(formatVersion)", advice: "use a newer photodb")
    }
  }

  private static func readTree(_ file: SafetensorsFile, pointCount: Int) throws -> CondensedTree {
    let parents = try file.integers("condensed_parent")
    let children = try file.integers("condensed_child")
    let lambdas = try file.doubles("condensed_lambda")
    let sizes = try file.integers("condensed_size")
    guard
      parents.count == children.count, parents.count == lambdas.count, parents.count == sizes.count
    else { throw file.damaged("the columns of the condensed tree differ in length") }
    let tree = CondensedTree(
      pointCount: pointCount, parents: parents, children: children, lambdas: lambdas, sizes: sizes)
    do {
      try tree.check()
    } catch {
      throw file.damaged(error.description)
    }
    return tree
  }

  private static func readSelection(
    _ file: SafetensorsFile, of tree: CondensedTree
  ) throws -> Selection {
    let nodes = try file.integers("selected_clusters")
    let stabilities = try file.doubles("cluster_stability")
    let persistences = try file.doubles("cluster_persistence")
    guard nodes.count == stabilities.count, nodes.count == persistences.count else {
      throw file.damaged("selected_clusters, cluster_stability and cluster_persistence differ")
    }
    let clusters = tree.pointCount..<tree.pointCount + tree.clusterCount
    guard nodes.allSatisfy(clusters.contains), zip(nodes, nodes.dropFirst()).allSatisfy({ $0 < $1 })
    else { throw file.damaged("selected_clusters is not ascending or out of range") }
    return Selection(nodes: nodes, stabilities: stabilities, persistences: persistences)
  }

  private static func readSpanningTree(
    _ file: SafetensorsFile, pointCount: Int
  ) throws -> [WeightedEdge] {
    let array = try file.required("mst")
    guard array.shape == [max(pointCount - 1, 0), 3] else {
      throw file.damaged("mst is not \(max(pointCount - 1, 0)) × 3")
    }
    let numbers = try array.doubles()
    return try stride(from: 0, to: numbers.count, by: 3).map { start in
      guard let a = Int(exactly: numbers[start]), let b = Int(exactly: numbers[start + 1]), a >= 0,
        a < b, b < pointCount, numbers[start + 2] >= 0
      else { throw file.damaged("row \(start / 3) of mst is no edge") }
      return WeightedEdge(a, b, weight: numbers[start + 2])
    }
  }

  private static func readExemplars(
    _ file: SafetensorsFile, pointCount: Int, labels: Int
  ) throws -> [[Int]] {
    let points = try file.integers("exemplars")
    let owners = try file.integers("exemplar_labels")
    guard points.count == owners.count, points.allSatisfy({ $0 >= 0 && $0 < pointCount }),
      owners.allSatisfy({ $0 >= 0 && $0 < labels })
    else { throw file.damaged("exemplars and exemplar_labels do not fit together") }
    var exemplars = [[Int]](repeating: [], count: labels)
    for (point, owner) in zip(points, owners) { exemplars[owner].append(point) }
    return exemplars
  }
}

extension SafetensorsFile {
  /// An error about content that no fit has written.
  func damaged(_ what: String) -> TensorFileError {
    problem(what, advice: "the file is damaged; fit again")
  }
}
