internal import PostgresClient
internal import Store
internal import Vectors

/// What a set of moves does to counts, sums and medoids; applied under the clusters' row locks.
///
/// ``apply(_:on:)`` comes before the statement that moves the faces, ``settle(_:medoidThreshold:on:)``
/// after it.
struct MembershipChanges {
  private let dimension: Int
  private var counts: [Int64: Int] = [:]
  private var moves: [Int64: Int] = [:]
  private var cores: [Int64: Int] = [:]
  private var sums: [Int64: [Double]] = [:]
  /// Clusters that a face left.
  private var left: Set<Int64> = []
  /// Of each locked cluster, whether its medoid is a member, and what share came or went since.
  private var medoids: [(cluster: Int64, isMember: Bool, changedShare: Double)] = []
  /// Clusters whose sum can only be made anew, from their members.
  private var toSumAgain: Set<Int64> = []

  init(dimension: Int) { self.dimension = dimension }

  /// Takes a unit vector out of one cluster and puts it into another.
  ///
  /// Wherever it goes, it is core no longer. A vector that is no unit vector now may have been one when
  /// it came; what it left in a sum is not known.
  mutating func move(
    _ vector: UnsafePointer<Float>, from old: Int64?, to new: Int64?, wasCore: Bool = false
  ) {
    if let old, wasCore {
      cores[old, default: 0] -= 1
      counts[old, default: 0] += 0
    }
    if old == new { return }
    if let old {
      left.insert(old)
      add(vector, to: old, sign: -1)
    }
    if let new { add(vector, to: new, sign: 1) }
  }

  /// Takes faces out of the clusters they are in.
  ///
  /// - Parameter cores: ids of those that are core.
  mutating func takeOut(_ faces: FaceSnapshot, cores: Set<Int64>) {
    for (row, id) in faces.ids.enumerated() {
      move(
        faces.embeddings.row(row), from: faces.clusterIDs[row], to: nil,
        wasCore: cores.contains(id))
    }
  }

  private mutating func add(_ vector: UnsafePointer<Float>, to cluster: Int64, sign: Int) {
    counts[cluster, default: 0] += sign
    moves[cluster, default: 0] += 1
    guard UnusableEmbeddings.isUsable(vector, count: dimension) else {
      toSumAgain.insert(cluster)
      return
    }
    // One look-up a face, not one a number.
    func add(to sum: inout [Double]) {
      for column in 0..<dimension { sum[column] += Double(sign) * Double(vector[column]) }
    }
    add(to: &sums[cluster, default: [Double](repeating: 0, count: dimension)])
  }

  /// Locks the clusters in ascending order and writes their new counts, sums and centroids.
  mutating func apply(
    _ clusters: ClusterRepository, on connection: isolated PostgresConnection
  ) throws {
    if counts.isEmpty { return }
    let changed = try clusters.lock(counts.keys, on: connection).map { cluster in
      var cluster = cluster
      cluster.faceCount += counts[cluster.id] ?? 0
      cluster.coreCount += cores[cluster.id] ?? 0
      cluster.moves = moves[cluster.id] ?? 0
      if cluster.faceCount == 0 {
        // Nothing is left of the members; rounding should not leave a direction.
        cluster.sum = [Double](repeating: 0, count: dimension)
      } else if let change = sums[cluster.id] {
        for column in 0..<dimension { cluster.sum[column] += change[column] }
      }
      return cluster
    }
    medoids = changed.map {
      (
        $0.id, $0.hasMedoid,
        Double($0.changesSinceMedoid + $0.moves) / Double(max($0.faceCount, 1))
      )
    }
    try clusters.update(changed, on: connection)
  }

  /// Makes sums and medoids anew where the moves made that necessary.
  ///
  /// - Parameter medoidThreshold: share of the members that may come or go before a medoid is old.
  /// - Complexity: O(members of those clusters · d), one query.
  func settle(
    _ clusters: ClusterRepository, medoidThreshold: Double,
    on connection: isolated PostgresConnection
  ) throws {
    if counts.isEmpty { return }
    // Mostly it is plain that no medoid is old, and nobody need be asked.
    let isInDoubt = medoids.contains {
      !$0.isMember || left.contains($0.cluster) || $0.changedShare >= medoidThreshold
    }
    let old =
      isInDoubt
      ? try clusters.withOldMedoid(
        counts.keys.sorted(), changedShare: medoidThreshold, on: connection) : []
    let affected = Set(old).union(toSumAgain)
    if affected.isEmpty { return }
    let faces = try FaceReader(clusters.collection).members(
      ofClusters: affected.sorted(), on: connection)
    var rows: [Int64: [Int]] = [:]
    for (row, cluster) in faces.clusterIDs.enumerated() {
      if let cluster, UnusableEmbeddings.isUsable(faces.embeddings.row(row), count: dimension) {
        rows[cluster, default: []].append(row)
      }
    }
    func members(_ cluster: Int64) -> [Member] {
      (rows[cluster] ?? []).map {
        Member(detectionID: faces.ids[$0], embeddings: faces.embeddings, row: $0, isCore: false)
      }
    }
    if !toSumAgain.isEmpty {
      let locked = try clusters.lock(toSumAgain, on: connection)
      try clusters.update(
        locked.map { cluster in
          var cluster = cluster
          cluster.sum = MemberFacts.sum(members(cluster.id), dimension: dimension)
          return cluster
        }, on: connection)
    }
    var medoids: [Int64: Int64] = [:]
    for cluster in old {
      medoids[cluster] = MemberFacts.medoid(of: members(cluster), dimension: dimension)
    }
    try clusters.setMedoids(medoids, on: connection)
  }
}
