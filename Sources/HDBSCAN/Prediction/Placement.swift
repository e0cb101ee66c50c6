/// Climbs the condensed tree from a neighbour to the cluster that holds a new point.
struct Placement: Sendable {
  private let labelling: ClusterLabelling
  let pointCount: Int
  /// Condensed-tree node of each label.
  let selected: [Int]
  // Over clusters, by id minus n.
  let births: [Double]
  let deaths: [Double]
  let parents: [Int]
  private let peaks: [Double]
  private let pointParents: [Int]
  private let pointLambdas: [Double]

  /// - Throws: ``HDBSCANError/shapeMismatch(_:)`` where the selection is no antichain of the tree.
  init(tree: CondensedTree, selection: Selection, parameters: Parameters) throws(HDBSCANError) {
    parents = tree.clusterParents
    pointCount = tree.pointCount
    let clusters = tree.pointCount..<tree.pointCount + tree.clusterCount
    var isSelected = [Bool](repeating: false, count: clusters.count)
    for node in selection.nodes {
      guard clusters.contains(node), !isSelected[node - pointCount] else {
        throw .shapeMismatch("selected cluster \(node) is not one cluster of the condensed tree")
      }
      isSelected[node - pointCount] = true
    }
    var covered = [Bool](repeating: false, count: clusters.count)
    for position in covered.indices.dropFirst() {
      let above = parents[position] - pointCount
      covered[position] = covered[above] || isSelected[above]
      if covered[position] && isSelected[position] {
        throw .shapeMismatch(
          "selected cluster \(pointCount + position) lies below another selected cluster")
      }
    }
    labelling = ClusterLabelling(tree: tree, nodes: selection.nodes, parameters: parameters)
    selected = selection.nodes
    births = tree.clusterBirths
    deaths = tree.clusterDeaths
    peaks = tree.clusterPeaks
    pointParents = tree.pointParents
    pointLambdas = tree.pointLambdas
  }

  /// What the fit said about a training point.
  func ofTrainingPoint(_ point: Int) -> Prediction {
    place(from: point, lambda: pointLambdas[point], cluster: pointParents[point])
  }

  /// A new point joins its neighbour's cluster, or the first above that is born before it joins.
  func ofNewPoint(neighbour: Int, mutualReachability: Double) -> Prediction {
    let found = treePlace(ofNeighbour: neighbour, mutualReachability: mutualReachability)
    return place(from: neighbour, lambda: found.lambda, cluster: found.cluster)
  }

  /// Where a training point hangs in the tree.
  func treePlace(ofTrainingPoint point: Int) -> TreePlace {
    TreePlace(cluster: pointParents[point], lambda: pointLambdas[point])
  }

  /// Where a new point would hang in the tree.
  func treePlace(ofNeighbour neighbour: Int, mutualReachability: Double) -> TreePlace {
    let lambda = density(atDistance: mutualReachability)
    var cluster = pointParents[neighbour]
    while cluster > pointCount && lambda <= births[cluster - pointCount] {
      cluster = parents[cluster - pointCount]
    }
    return TreePlace(cluster: cluster, lambda: lambda)
  }

  /// What is said where no training rows are left: noise, as far out as can be.
  var ofNothing: Prediction {
    Prediction(label: -1, probability: 0, lambda: 0, rawOutlierScore: 1, neighbour: -1)
  }

  private func place(from neighbour: Int, lambda: Double, cluster: Int) -> Prediction {
    let label = labelling.label(cluster: cluster, lambda: lambda)
    return Prediction(
      label: label, probability: labelling.probability(label: label, lambda: lambda),
      lambda: lambda,
      rawOutlierScore: HDBSCAN.outlierScore(
        lambda: lambda, peak: peaks[pointParents[neighbour] - pointCount]),
      neighbour: neighbour)
  }
}
