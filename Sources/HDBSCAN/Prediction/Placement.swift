/// Climbs the condensed tree from a neighbour to the cluster that holds a new point.
struct Placement: Sendable {
  private let labelling: ClusterLabelling
  private let pointCount: Int
  private let births: [Double]
  private let parents: [Int]
  private let peaks: [Double]
  private let pointParents: [Int]
  private let pointLambdas: [Double]

  /// - Throws: ``HDBSCANError/shapeMismatch(_:)`` where the selection is no antichain of the tree.
  init(tree: CondensedTree, selection: Selection, parameters: Parameters) throws(HDBSCANError) {
    parents = tree.clusterParents
    pointCount = tree.pointCount
    let clusters = tree.pointCount..<tree.pointCount + tree.clusterCount
    var selected = [Bool](repeating: false, count: clusters.count)
    for node in selection.nodes {
      guard clusters.contains(node), !selected[node - pointCount] else {
        throw .shapeMismatch("selected cluster \(node) is not one cluster of the condensed tree")
      }
      selected[node - pointCount] = true
    }
    var covered = [Bool](repeating: false, count: clusters.count)
    for position in covered.indices.dropFirst() {
      let above = parents[position] - pointCount
      covered[position] = covered[above] || selected[above]
      if covered[position] && selected[position] {
        throw .shapeMismatch(
          "selected cluster \(pointCount + position) lies below another selected cluster")
      }
    }
    labelling = ClusterLabelling(tree: tree, nodes: selection.nodes, parameters: parameters)
    births = tree.clusterBirths
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
    let lambda = density(atDistance: mutualReachability)
    var cluster = pointParents[neighbour]
    while cluster > pointCount && lambda <= births[cluster - pointCount] {
      cluster = parents[cluster - pointCount]
    }
    return place(from: neighbour, lambda: lambda, cluster: cluster)
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
