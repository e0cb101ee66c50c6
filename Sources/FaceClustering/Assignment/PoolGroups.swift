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
  /// - Throws: `CancellationError` where the task is cancelled meanwhile.
  /// - Complexity: O(new · pool · d) in matrix products; memory O(pool).
  func find(
    in pool: FaceSnapshot, newIDs: Set<Int64>, prohibitions: Prohibitions
  ) throws -> [[Int]] {
    guard pool.count >= minimum else { return [] }
    var groups: [[Int]] = []
    var taken = [Bool](repeating: false, count: pool.count)
    let new = pool.ids.indices.filter { newIDs.contains(pool.ids[$0]) }
    for block in blocks(of: new.count, near: pool.count) {
      try Task.checkCancellation()
      let seeds = new[block].filter { !taken[$0] }
      let near = near(pool.embeddings.selecting(rows: seeds), in: pool.embeddings)
      for (seed, near) in zip(seeds, near) where !taken[seed] {
        let candidates = near.filter { $0.row != seed && !taken[$0.row] }
        if candidates.count + 1 < minimum { continue }
        var group = [seed]
        for candidate in candidates {
          // Of a burst one group takes as long as all blocks together.
          try Task.checkCancellation()
          if fits(candidate.row, group, pool, prohibitions) { group.append(candidate.row) }
        }
        if group.count < minimum { continue }
        for member in group { taken[member] = true }
        groups.append(group.sorted())
      }
    }
    return groups
  }

  /// Those of the new faces around which there may be a group, and all who may be in it.
  ///
  /// - Parameters:
  ///   - pool: the faces that wait, among them some that left meanwhile.
  ///   - screen: of the first part of the pool.
  /// - Returns: detection ids.
  /// - Throws: `CancellationError` where the task is cancelled meanwhile.
  /// - Complexity: O(new · pool · d) in matrix products; memory O(pool).
  func candidates(
    in pool: KnownPool, screen: RadiusScreen? = nil, newIDs: Set<Int64>
  ) throws -> Set<Int64> {
    let seeds = pool.faces(newIDs)
    let screens = [screen, nil]
    var result: Set<Int64> = []
    // Of a burst every face is near every other: what one of them found is not looked for again.
    var found = pool.parts.map { [Bool](repeating: false, count: $0.ids.count) }
    for block in blocks(of: seeds.ids.count, near: pool.parts.map(\.ids.count).max() ?? 0) {
      try Task.checkCancellation()
      let faces = seeds.embeddings.selecting(rows: Array(block))
      let near = pool.parts.indices.map { part in
        self.near(
          faces, in: pool.parts[part].embeddings, screen: screens[part], known: found[part],
          enough: minimum)
      }
      for (index, seed) in block.enumerated() {
        var group: Set = [seeds.ids[seed]]
        for (part, near) in zip(pool.parts, near) {
          group.formUnion(near[index].lazy.map { part.ids[$0.row] })
        }
        if group.count < minimum { continue }
        result.formUnion(group)
        for part in pool.parts.indices {
          for near in near[part][index] { found[part][near.row] = true }
        }
      }
    }
    return result
  }

  /// Seeds that are looked at together: what is near all of them at once is as much as the pool squared.
  private func blocks(of seeds: Int, near others: Int) -> [Range<Int>] {
    let size = min(max((1 << 21) / max(others, 1), 64), 512)
    return stride(from: 0, to: seeds, by: size).map { $0..<min($0 + size, seeds) }
  }

  private func near(
    _ seeds: Matrix<Float>, in others: Matrix<Float>, screen: RadiusScreen? = nil,
    known: [Bool] = [], enough: Int = .max
  ) -> [[NearRow]] {
    NearRows.within(
      seeds, of: others, screen: screen,
      radii: [Double](repeating: radius.value, count: others.rows), known: known, enough: enough,
      threads: threads)
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
