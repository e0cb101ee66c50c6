internal import HDBSCAN
internal import Store
internal import Vectors

/// Finds groups of mutually close faces in the pool.
struct PoolGroups {
  /// Every two members of a group lie within this.
  var radius: CosineDistance
  /// Smallest group.
  var minimum: Int
  /// Whether two faces of one photo may not be in one group.
  var samePhotoExclusion: Bool
  /// For matrix products.
  var threads = 1

  /// Groups that at least one of the new faces belongs to, as rows of `pool`.
  ///
  /// Around each new face, in order of id, the nearest faces are added while every two of the group
  /// stay within the radius (complete linkage), so chains do not form.
  ///
  /// - Parameters:
  ///   - pool: the faces that wait, by id.
  ///   - newIDs: those that came since groups were last looked for.
  ///   - prohibitions: pairs that must not share a cluster.
  /// - Complexity: O(new · pool · d) in matrix products.
  func find(in pool: FaceSnapshot, newIDs: Set<Int64>, prohibitions: Prohibitions) -> [[Int]] {
    guard pool.count >= minimum else { return [] }
    var groups: [[Int]] = []
    var taken = [Bool](repeating: false, count: pool.count)
    let seeds = pool.ids.indices.filter { newIDs.contains(pool.ids[$0]) }
    let near = near(pool.embeddings.selecting(rows: seeds), in: pool.embeddings)
    for (index, seed) in seeds.enumerated() where !taken[seed] {
      let candidates = near[index].filter { $0.row != seed && !taken[$0.row] }
      if candidates.count + 1 < minimum { continue }
      var group = [seed]
      for candidate in candidates where fits(candidate.row, group, pool, prohibitions) {
        group.append(candidate.row)
      }
      if group.count < minimum { continue }
      for member in group { taken[member] = true }
      groups.append(group.sorted())
    }
    return groups
  }

  /// Those of the new faces around which there may be a group, and all who may be in it.
  ///
  /// - Parameters:
  ///   - pool: the faces that wait, among them some that left meanwhile.
  ///   - screen: of the first part of the pool.
  /// - Returns: detection ids.
  /// - Complexity: O(new · pool · d) in matrix products.
  func candidates(
    in pool: KnownPool, screen: RadiusScreen? = nil, newIDs: Set<Int64>
  ) -> Set<Int64> {
    let seeds = pool.faces(newIDs)
    var near = seeds.ids.map { Set([$0]) }
    for (part, screen) in zip(pool.parts, [screen, nil]) {
      let found = self.near(seeds.embeddings, in: part.embeddings, screen: screen)
      for (seed, rows) in found.enumerated() {
        near[seed].formUnion(rows.map { part.ids[$0.row] })
      }
    }
    return near.reduce(into: []) { if $1.count >= minimum { $0.formUnion($1) } }
  }

  private func near(
    _ seeds: Matrix<Float>, in others: Matrix<Float>, screen: RadiusScreen? = nil
  ) -> [[NearRow]] {
    NearRows.within(
      seeds, of: others, screen: screen,
      radii: [Double](repeating: radius.value, count: others.rows), threads: threads)
  }

  private func fits(
    _ row: Int, _ group: [Int], _ pool: FaceSnapshot, _ prohibitions: Prohibitions
  ) -> Bool {
    group.allSatisfy { member in
      if samePhotoExclusion, let photo = pool.photoIDs[row], photo == pool.photoIDs[member] {
        return false
      }
      if prohibitions.detections[pool.ids[row]]?.contains(pool.ids[member]) ?? false {
        return false
      }
      return NearClusters.distance(pool.embeddings, row, pool.embeddings, member) <= radius
    }
  }
}
