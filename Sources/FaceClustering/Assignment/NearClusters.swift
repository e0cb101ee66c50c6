internal import Store
internal import Synchronization
internal import Vectors

/// Finds the clusters within reach of many faces by matrix products.
enum NearClusters {
  private static let faceBlock = 512
  private static let clusterBlock = 2_048

  /// Per face the clusters whose reference lies within their radius, nearest first.
  ///
  /// A block product only screens, with the proven margin of its rounding; distances are decided by
  /// the float64 kernel, so they do not depend on how faces are grouped.
  ///
  /// - Parameter radii: of each cluster, a cosine distance.
  /// - Complexity: O(faces · clusters · d).
  static func within(
    faces: Matrix<Float>, clusters: LiveClusters, radii: [Double], threads: Int
  ) -> [[NearCluster]] {
    // Unit rows, each off by at most 2e-7, and the rounding of the product.
    let margin = BlockProducts.floatErrorBound(columns: faces.columns) * 1.001 + 1e-6
    let blocks = (faces.rows + faceBlock - 1) / faceBlock
    let results = Mutex([[NearCluster]](repeating: [], count: faces.rows))
    parallelFor(blocks, threads: threads, makeScratch: newProducts) { block, scratch in
      let rows = block * faceBlock..<min((block + 1) * faceBlock, faces.rows)
      var found = [[NearCluster]](repeating: [], count: rows.count)
      var start = 0
      while start < clusters.count {
        let columns = start..<min(start + clusterBlock, clusters.count)
        scratch.withUnsafeMutableBufferPointer { buffer in
          guard let products = buffer.baseAddress else { return }
          BlockProducts.multiply(
            faces, rows: rows, by: clusters.references, columns: columns, into: products,
            stride: clusterBlock)
          for row in 0..<rows.count {
            for column in 0..<columns.count {
              let cluster = start + column
              let screened = 1 - Double(products[row * clusterBlock + column])
              if screened > radii[cluster] + margin { continue }
              let exact = distance(faces, rows.lowerBound + row, clusters.references, cluster)
              if exact.value <= radii[cluster] {
                found[row].append(NearCluster(cluster: cluster, distance: exact))
              }
            }
          }
        }
        start = columns.upperBound
      }
      for row in found.indices {
        found[row].sort { ($0.distance, $0.cluster) < ($1.distance, $1.cluster) }
      }
      let ready = found
      results.withLock { $0.replaceSubrange(rows, with: ready) }
    }
    return results.withLock { $0 }
  }

  private static func newProducts() -> [Float] {
    [Float](repeating: 0, count: faceBlock * clusterBlock)
  }

  /// Cosine distance of unit rows of two matrices, in float64; NaN stays NaN and is near nothing.
  static func distance(
    _ a: Matrix<Float>, _ row: Int, _ b: Matrix<Float>, _ other: Int
  ) -> CosineDistance {
    CosineDistance(max(1 - a.dotProduct(row, other, of: b), 0))
  }
}
