import HDBSCAN

/// HDBSCAN written down from its definitions, in O(n³) and with recursion: the judge of the tests.
///
/// It knows no spanning tree, no union-find and no n-ary nodes. A group of points comes apart at
/// the least distance D at which it hangs together: all links of length D are cut at once, and the
/// parts are the components of what remains.
struct DirectHDBSCAN {
  indirect enum Event {
    case point(Int, lambda: Double)
    case cluster(DirectCluster)
  }

  final class DirectCluster {
    let points: [Int]
    let birth: Double
    var events: [Event] = []
    init(points: [Int], birth: Double) {
      self.points = points
      self.birth = birth
    }

    var subclusters: [DirectCluster] {
      events.compactMap { if case .cluster(let cluster) = $0 { cluster } else { nil } }
    }
    /// (lambda, size) of everything that leaves this cluster.
    var departures: [(lambda: Double, size: Int)] {
      events.map {
        switch $0 {
        case .point(_, let lambda): (lambda, 1)
        case .cluster(let cluster): (cluster.birth, cluster.points.count)
        }
      }
    }
    var death: Double { departures.map(\.lambda).max() ?? 0 }
    var peak: Double { ([death] + subclusters.map(\.peak)).max() ?? 0 }
    var stability: Double {
      departures.reduce(0) { sum, departure in
        departure.lambda > birth ? sum + (departure.lambda - birth) * Double(departure.size) : sum
      }
    }
    var leaves: [DirectCluster] {
      subclusters.isEmpty ? [self] : subclusters.flatMap(\.leaves)
    }
  }

  let reach: [[Double]]
  let core: [Double]
  let root: DirectCluster
  let parameters: Parameters

  init(distances: [[Double]], parameters: Parameters) {
    let count = distances.count
    let nearest = max(1, min(parameters.minSamples ?? parameters.minClusterSize, count - 1))
    var core: [Double] = []
    for row in 0..<count {
      let others = (0..<count).filter { $0 != row }.map { distances[row][$0] }.sorted()
      core.append(others.isEmpty ? 0 : others[nearest - 1])
    }
    self.core = core
    reach = (0..<count).map { a in
      (0..<count).map { b in max(core[a], core[b], distances[a][b] / parameters.alpha) }
    }
    self.parameters = parameters
    root = DirectCluster(points: Array(0..<count), birth: 0)
    grow(root)
  }

  private func grow(_ cluster: DirectCluster) {
    var group = cluster.points
    while group.count > 1 {
      let distance = connectingDistance(of: group)
      let lambda = distance > 0 ? 1 / distance : .infinity
      let parts = components(of: group) { $0 < distance }
      let large = parts.filter { $0.count >= parameters.minClusterSize }
      for part in parts where part.count < parameters.minClusterSize {
        for point in part { cluster.events.append(.point(point, lambda: lambda)) }
      }
      if large.count == 1 {
        group = large[0]
        continue
      }
      for part in large {
        let child = DirectCluster(points: part, birth: lambda)
        cluster.events.append(.cluster(child))
        grow(child)
      }
      return
    }
    for point in group { cluster.events.append(.point(point, lambda: 0)) }
  }

  /// The least distance at which links no longer than it connect the group.
  private func connectingDistance(of group: [Int]) -> Double {
    // Grow from one point by the shortest link outwards; the longest such link is the answer.
    var longest = 0.0
    var inside = [group[0]]
    var outside = Array(group.dropFirst())
    while !outside.isEmpty {
      var best = (index: 0, distance: Double.infinity)
      for (index, point) in outside.enumerated() {
        for member in inside where reach[point][member] < best.distance {
          best = (index, reach[point][member])
        }
      }
      longest = max(longest, best.distance)
      inside.append(outside.remove(at: best.index))
    }
    return longest
  }

  private func components(of group: [Int], where linked: (Double) -> Bool) -> [[Int]] {
    var rest = Set(group)
    var parts: [[Int]] = []
    for seed in group where rest.contains(seed) {
      var part: [Int] = []
      var queue = [seed]
      rest.remove(seed)
      while let point = queue.popLast() {
        part.append(point)
        for other in group where rest.contains(other) && linked(reach[point][other]) {
          rest.remove(other)
          queue.append(other)
        }
      }
      parts.append(part.sorted())
    }
    return parts
  }
}
