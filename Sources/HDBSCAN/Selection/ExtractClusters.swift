/// Turns a spanning tree into clusters: hierarchy, condensed tree, selection, labels and scores.
///
/// - Parameters:
///   - tree: core distances and sorted spanning tree.
///   - pointCount: n.
///   - parameters: already validated.
///   - weights: points that each point stands for; nil means 1 each.
///   - constraints: pairs of points that belong together or apart; already validated.
/// - Complexity: O(n log n + constraints · depth).
func extractClusters(
  from tree: MutualReachabilityTree, pointCount: Int, parameters: Parameters, weights: [Int]?,
  constraints: [PairConstraint] = []
) -> Clustering {
  let linkage = SingleLinkage(
    edges: tree.edges, pointCount: pointCount, weights: weights, ties: parameters.ties)
  let condensed = CondensedTree(
    condensing: linkage, minClusterSize: parameters.minClusterSize,
    coreDistances: tree.coreDistances
  ).mergingSiblings(separatedForLessThan: parameters.clusterSelectionPersistence)
  let selection = condensed.selectClusters(parameters, constraints: constraints)
  let labelling = ClusterLabelling(
    tree: condensed, nodes: selection.nodes, parameters: parameters)
  let lambdas = condensed.pointLambdas
  let labels = zip(condensed.pointParents, lambdas).map { labelling.label(cluster: $0, lambda: $1) }
  return Clustering(
    parameters: parameters,
    labels: labels,
    probabilities: zip(labels, lambdas).map { labelling.probability(label: $0, lambda: $1) },
    outlierScores: condensed.outlierScores(),
    coreDistances: tree.coreDistances,
    pointLambdas: lambdas,
    spanningTree: tree.edges,
    tree: condensed,
    selection: selection,
    exemplars: condensed.exemplars(of: selection.nodes, labels: labels),
    neighbours: tree.neighbours)
}

extension CondensedTree {
  /// Chooses the clusters that become labels, by the method and the limits of the parameters.
  ///
  /// The chosen clusters are an antichain: none is above another. The root is chosen only with
  /// `allowSingleCluster`, and only when there are two points or more.
  ///
  /// With constraints, excess of mass takes the clusters that satisfy most of them and among equals
  /// the most stable (Campello et al. 2013, doi:10.1007/s10618-013-0311-4); leaf selection heeds
  /// none.
  ///
  /// - Parameters:
  ///   - parameters: settings of the selection, whose ranges are not checked here. The persistence
  ///     threshold is not applied; ``mergingSiblings(separatedForLessThan:)`` does that before.
  ///   - constraints: pairs of points of this tree.
  /// - Returns: the clusters, numbered as labels are; none where nothing is selected.
  /// - Complexity: O(rows + constraints · depth).
  public func selectClusters(
    _ parameters: Parameters, constraints: [PairConstraint] = []
  ) -> Selection {
    let facts = ClusterFacts(self)
    guard facts.count > 0, facts.sizes[0] > 1 else {
      return Selection(nodes: [], stabilities: [], persistences: [])
    }
    let chosen =
      switch parameters.selectionMethod {
      case .eom where constraints.isEmpty: excessOfMass(facts, parameters: parameters)
      case .eom:
        constrainedExcessOfMass(
          facts,
          netPairs: netPairs(
            constraints, facts: facts, leastRootLambda: leastLambdaOfRoot(parameters)),
          parameters: parameters)
      case .leaf: leafClusters(facts, parameters: parameters)
      }
    return selection(
      of: mergeBelow(
        epsilon: parameters.clusterSelectionEpsilon, selected: chosen, facts: facts,
        allowSingleCluster: parameters.allowSingleCluster), facts: facts)
  }

  /// The selection of given clusters, with their stabilities.
  func selection(of nodes: [Int], facts: ClusterFacts) -> Selection {
    let largestLambda = lambdas.max() ?? 0
    let stabilities = nodes.map { facts.stabilities[$0 - pointCount] }
    return Selection(
      nodes: nodes, stabilities: stabilities,
      persistences: zip(nodes, stabilities).map { node, stability in
        normalisedPersistence(
          stability: stability, size: facts.sizes[node - pointCount], largestLambda: largestLambda)
      })
  }
}
