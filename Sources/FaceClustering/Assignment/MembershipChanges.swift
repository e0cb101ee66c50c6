internal import PostgresClient
internal import Store

/// What a set of moves does to counts and sums; applied under the clusters' row locks.
struct MembershipChanges {
  private let dimension: Int
  private var counts: [Int64: Int] = [:]
  private var cores: [Int64: Int] = [:]
  private var sums: [Int64: [Double]] = [:]

  init(dimension: Int) { self.dimension = dimension }

  /// Takes a unit vector out of one cluster and puts it into another.
  ///
  /// Wherever it goes, it is core no longer.
  mutating func move(
    _ vector: UnsafePointer<Float>, from old: Int64?, to new: Int64?, wasCore: Bool = false
  ) {
    if let old, wasCore {
      cores[old, default: 0] -= 1
      counts[old, default: 0] += 0
    }
    if old == new { return }
    if let old { add(vector, to: old, sign: -1) }
    if let new { add(vector, to: new, sign: 1) }
  }

  private mutating func add(_ vector: UnsafePointer<Float>, to cluster: Int64, sign: Int) {
    counts[cluster, default: 0] += sign
    for column in 0..<dimension {
      sums[cluster, default: [Double](repeating: 0, count: dimension)][column] +=
        Double(sign) * Double(vector[column])
    }
  }

  /// Locks the clusters in ascending order and writes their new counts, sums and centroids.
  func apply(
    _ clusters: ClusterRepository, on connection: isolated PostgresConnection
  ) throws {
    if counts.isEmpty { return }
    let locked = try clusters.lock(counts.keys, on: connection)
    try clusters.update(
      locked.map { cluster in
        var cluster = cluster
        cluster.faceCount += counts[cluster.id] ?? 0
        cluster.coreCount += cores[cluster.id] ?? 0
        if cluster.faceCount == 0 {
          // Nothing is left of the members; rounding should not leave a direction.
          cluster.sum = [Double](repeating: 0, count: dimension)
        } else if let change = sums[cluster.id] {
          for column in 0..<dimension { cluster.sum[column] += change[column] }
        }
        return cluster
      }, on: connection)
  }
}
