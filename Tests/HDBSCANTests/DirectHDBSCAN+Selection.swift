import HDBSCAN

extension DirectHDBSCAN {
  /// The selected clusters, by the definitions of the parameters.
  func selected() -> [DirectCluster] {
    guard core.count > 1 else { return [] }
    let chosen: [DirectCluster]
    switch parameters.selectionMethod {
    case .eom: chosen = best(root).clusters
    case .leaf:
      chosen = root.subclusters.isEmpty && !parameters.allowSingleCluster ? [] : root.leaves
    }
    let epsilon = parameters.clusterSelectionEpsilon
    if epsilon == 0 { return chosen }
    var replaced: [DirectCluster] = []
    for cluster in chosen {
      let path = path(to: cluster)  // From the root down to the cluster.
      let ancestor =
        path.last { $0.birth <= 1 / epsilon && ($0 !== root || parameters.allowSingleCluster) }
        ?? path[1]
      if !replaced.contains(where: { $0 === ancestor }) { replaced.append(ancestor) }
    }
    return replaced
  }

  private func best(_ cluster: DirectCluster) -> (clusters: [DirectCluster], value: Double) {
    let below = cluster.subclusters.map(best)
    let total = below.map(\.value).sorted().reduce(0, +)
    let birth = cluster === root ? cluster.departures.map(\.lambda).min() ?? 0 : cluster.birth
    let allowed =
      (cluster !== root || parameters.allowSingleCluster)
      && cluster.points.count <= parameters.maxClusterSize ?? .max
      && birth >= 1 / parameters.clusterSelectionEpsilonMax
    if allowed && total <= cluster.stability * (1 + 1e-12) { return ([cluster], cluster.stability) }
    return (below.flatMap(\.clusters), total)
  }

  private func path(to target: DirectCluster) -> [DirectCluster] {
    var path = [root]
    while let last = path.last, last !== target {
      guard
        let next = last.subclusters.first(where: { Set($0.points).isSuperset(of: target.points) })
      else { return path }
      path.append(next)
    }
    return path
  }

  struct Outcome {
    /// Members of each selected cluster: point → probability.
    var clusters: [[Int: Double]] = []
    var persistences: [Double] = []
    var lambdas: [Double]
    var outlierScores: [Double]
  }

  /// What a fit must say about every point.
  func outcome() -> Outcome {
    var outcome = Outcome(
      lambdas: Array(repeating: 0, count: core.count),
      outlierScores: Array(repeating: 0, count: core.count))
    visit(root) { cluster, point, lambda in
      outcome.lambdas[point] = lambda
      let peak = cluster.peak
      outcome.outlierScores[point] =
        peak == 0 || lambda == .infinity ? 0 : peak == .infinity ? 1 : (peak - lambda) / peak
    }
    for cluster in selected() {
      var members: [Int: Double] = [:]
      let epsilon = parameters.clusterSelectionEpsilon
      let least = cluster !== root ? 0 : epsilon > 0 ? 1 / epsilon : cluster.death
      for point in cluster.points where outcome.lambdas[point] >= least {
        let lambda = outcome.lambdas[point]
        members[point] =
          cluster.death == 0 || cluster.death == .infinity || lambda == .infinity
          ? 1 : min(lambda, cluster.death) / cluster.death
      }
      outcome.clusters.append(members)
      let scale = Double(cluster.points.count) * root.peak
      outcome.persistences.append(
        root.peak == .infinity || root.peak == 0 ? 1 : min(1, cluster.stability / scale))
    }
    return outcome
  }

  private func visit(_ cluster: DirectCluster, _ body: (DirectCluster, Int, Double) -> Void) {
    for event in cluster.events {
      switch event {
      case .point(let point, let lambda): body(cluster, point, lambda)
      case .cluster(let child): visit(child, body)
      }
    }
  }
}
