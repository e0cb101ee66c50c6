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
    let margin = BlockProducts.floatErrorBound(columns: pool.embeddings.columns) * 1.001 + 1e-6
    let seeds = pool.ids.indices.filter { newIDs.contains(pool.ids[$0]) }
    let near = neighbours(of: seeds, in: pool.embeddings, margin: margin)
    for (index, seed) in seeds.enumerated() where !taken[seed] {
      let candidates = near[index].filter { !taken[$0.row] }
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

  private func neighbours(
    of seeds: [Int], in embeddings: Matrix<Float>, margin: Double
  ) -> [[(row: Int, distance: Double)]] {
    let seedBlock = 256
    let poolBlock = 4_096
    var products = [Float](repeating: 0, count: seedBlock * poolBlock)
    var result = [[(row: Int, distance: Double)]](repeating: [], count: seeds.count)
    let vectors = embeddings.selecting(rows: seeds)
    for first in stride(from: 0, to: seeds.count, by: seedBlock) {
      let rows = first..<min(first + seedBlock, seeds.count)
      for start in stride(from: 0, to: embeddings.rows, by: poolBlock) {
        let columns = start..<min(start + poolBlock, embeddings.rows)
        products.withUnsafeMutableBufferPointer { buffer in
          guard let base = buffer.baseAddress else { return }
          BlockProducts.multiply(
            vectors, rows: rows, by: embeddings, columns: columns, into: base, stride: poolBlock)
        }
        for row in rows {
          for column in columns where column != seeds[row] {
            let product = products[(row - first) * poolBlock + column - start]
            if 1 - Double(product) > radius.value + margin { continue }
            let exact = NearClusters.distance(embeddings, seeds[row], embeddings, column).value
            if exact <= radius.value { result[row].append((column, exact)) }
          }
        }
      }
      for row in rows { result[row].sort { ($0.distance, $0.row) < ($1.distance, $1.row) } }
    }
    return result
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
