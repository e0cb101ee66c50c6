/// Takes clusters from a stored fit again, with other settings of the extraction and no second fit.
///
/// May change: minimum cluster size, selection method, epsilon and its maximum, persistence
/// threshold, maximum size, single cluster, ties. What decides distances may not: `minSamples`,
/// `alpha` and `metric` must be those of the fit.
///
/// - Parameters:
///   - clustering: a fit, with its spanning tree.
///   - parameters: the new settings. A `minSamples` of nil keeps that of the fit.
///   - constraints: pairs of points that belong together or apart. The clusters are those that
///     satisfy most of them, stability breaking ties; a pair given twice counts twice.
/// - Returns: what a fit with these parameters would return.
/// - Throws: ``HDBSCANError/invalidParameter(name:value:expected:)`` where a setting is out of range
///   or may not change, ``HDBSCANError/shapeMismatch(_:)`` where the parts do not fit together.
/// - Complexity: O(n log n + constraints · depth).
public func reextract(
  _ clustering: Clustering, parameters: Parameters, constraints: [PairConstraint] = []
) throws(HDBSCANError) -> Clustering {
  var wanted = parameters
  let fitted = clustering.parameters
  // The fit's default followed its own minimum cluster size; it is spelled out before that changes.
  let minSamples = fitted.minSamples ?? fitted.minClusterSize
  wanted.minSamples = wanted.minSamples ?? minSamples
  try requireSame("min_samples", wanted.minSamples ?? minSamples, minSamples)
  try requireSame("alpha", wanted.alpha, fitted.alpha)
  try requireSame("metric", wanted.metric.rawValue, fitted.metric.rawValue)
  try checkExtraction(wanted)
  try checkConstraints(
    constraints, count: clustering.coreDistances.count, parameters: wanted)
  try checkStoredTree(clustering)
  let weights = clustering.tree.pointWeights
  return extractClusters(
    from: MutualReachabilityTree(
      coreDistances: clustering.coreDistances, edges: clustering.spanningTree,
      neighbours: clustering.neighbours),
    pointCount: clustering.coreDistances.count, parameters: wanted,
    weights: weights.allSatisfy { $0 == 1 } ? nil : weights, constraints: constraints)
}

private func requireSame<Value: Equatable & CustomStringConvertible>(
  _ name: String, _ value: Value, _ fitted: Value
) throws(HDBSCANError) {
  if value != fitted {
    throw .invalidParameter(
      name: name, value: value.description,
      expected: "\(fitted), as at the fit, whose distances depend on it; fit again to change it")
  }
}

/// Refuses extraction settings outside their ranges.
func checkExtraction(_ parameters: Parameters) throws(HDBSCANError) {
  if parameters.minClusterSize < 2 {
    throw .invalidParameter(
      name: "min_cluster_size", value: "\(parameters.minClusterSize)", expected: "at least 2")
  }
  if let largest = parameters.maxClusterSize, largest < 1 {
    throw .invalidParameter(
      name: "max_cluster_size", value: "\(largest)", expected: "at least 1, or absent for no limit")
  }
  let epsilon = parameters.clusterSelectionEpsilon
  if !(epsilon >= 0 && epsilon.isFinite) {
    throw .invalidParameter(
      name: "cluster_selection_epsilon", value: "\(epsilon)", expected: "finite and at least 0")
  }
  if !(parameters.clusterSelectionEpsilonMax >= 0) {
    throw .invalidParameter(
      name: "cluster_selection_epsilon_max", value: "\(parameters.clusterSelectionEpsilonMax)",
      expected: "at least 0; infinity switches it off")
  }
  let persistence = parameters.clusterSelectionPersistence
  if !(persistence >= 0 && persistence.isFinite) {
    throw .invalidParameter(
      name: "cluster_selection_persistence", value: "\(persistence)",
      expected: "finite and at least 0")
  }
}

/// Refuses a stored spanning tree that no fit can have written.
func checkStoredTree(_ clustering: Clustering) throws(HDBSCANError) {
  let count = clustering.coreDistances.count
  try clustering.tree.check()
  guard clustering.tree.pointCount == count, clustering.spanningTree.count == max(count - 1, 0)
  else {
    throw .shapeMismatch(
      "\(count) core distances, \(clustering.spanningTree.count) edges and a condensed tree of"
        + " \(clustering.tree.pointCount) points do not belong to one fit")
  }
  var components = DisjointSets(count: count)
  var heaviest = 0.0
  for (index, edge) in clustering.spanningTree.enumerated() {
    guard edge.a >= 0, edge.a < edge.b, edge.b < count, edge.weight >= heaviest,
      edge.weight.isFinite, components.unite(edge.a, edge.b)
    else {
      throw .shapeMismatch(
        "edge \(index) of the spanning tree (\(edge.a), \(edge.b), \(edge.weight)) is out of range,"
          + " out of order or closes a cycle")
    }
    heaviest = edge.weight
  }
}
