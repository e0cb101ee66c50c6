internal import HDBSCAN
internal import Synchronization
internal import Vectors

/// A row of a matrix that lies near another one.
struct NearRow: Sendable, Equatable {
  var row: Int
  var distance: CosineDistance
}

/// Finds the rows of a matrix that lie within reach of others.
///
/// Products only screen, with the proven margin of their rounding; distances are decided by the float64
/// kernel, so they do not depend on how faces are grouped. A few faces for which nothing was prepared are
/// compared by that kernel alone: a product would first copy the whole matrix into its own order.
enum NearRows {
  private static let faceBlock = 512
  private static let block = 2_048
  /// Fewer faces than this are not worth a product.
  private static let few = 8
  /// What squares of lengths that pass for 1 (`UnusableEmbeddings`) add to twice a cosine distance at most,
  /// and rounding: |a − b|² = 2 (1 − a·b) + (|a|² − 1) + (|b|² − 1).
  private static let normTolerance = 2 * UnusableEmbeddings.normTolerance + 1e-6

  /// Per face the rows of `others` that lie within their radius, nearest first.
  ///
  /// - Parameters:
  ///   - faces: unit rows.
  ///   - others: unit rows.
  ///   - screen: of the first of these rows, or of all; nil where nobody made one.
  ///   - radii: of each row of `others`, a cosine distance.
  /// - Complexity: O(faces · others · d).
  static func within(
    _ faces: Matrix<Float>, of others: Matrix<Float>, screen: RadiusScreen? = nil,
    radii: [Double], threads: Int
  ) -> [[NearRow]] {
    let results = Mutex([[NearRow]](repeating: [], count: faces.rows))
    if let screen {
      let candidates = screen.candidates(
        for: faces, squaredRadii: radii.map { 2 * $0 + normTolerance }, threads: threads)
      parallelFor(faces.rows, threads: threads) { face in
        let found = candidates[face].compactMap { near(faces, face, others, $0, radii) }
        if !found.isEmpty { results.withLock { $0[face] = found } }
      }
    }
    let rest = (screen?.rowCount ?? 0)..<others.rows
    if faces.rows < few {
      parallelForChunks(rest.count, chunk: block, threads: threads) { chunk in
        let columns = rest.dropFirst(chunk.lowerBound).prefix(chunk.count)
        for face in 0..<faces.rows {
          let found = columns.compactMap { near(faces, face, others, $0, radii) }
          if !found.isEmpty { results.withLock { $0[face] += found } }
        }
      }
    } else if !rest.isEmpty {
      let blocks = (faces.rows + faceBlock - 1) / faceBlock
      parallelFor(blocks, threads: threads, makeScratch: newProducts) { index, scratch in
        let rows = index * faceBlock..<min((index + 1) * faceBlock, faces.rows)
        let found = screened(faces, rows, others, rest, radii, &scratch)
        results.withLock { for (row, near) in zip(rows, found) { $0[row] += near } }
      }
    }
    return results.withLock { found in
      found.map { $0.sorted { ($0.distance, $0.row) < ($1.distance, $1.row) } }
    }
  }

  private static func screened(
    _ faces: Matrix<Float>, _ rows: Range<Int>, _ others: Matrix<Float>, _ columns: Range<Int>,
    _ radii: [Double], _ scratch: inout [Float]
  ) -> [[NearRow]] {
    // Unit rows, each off by at most 2e-7, and the rounding of the product.
    let margin = BlockProducts.floatErrorBound(columns: faces.columns) * 1.001 + 1e-6
    var found = [[NearRow]](repeating: [], count: rows.count)
    for start in stride(from: columns.lowerBound, to: columns.upperBound, by: block) {
      let columns = start..<min(start + block, columns.upperBound)
      scratch.withUnsafeMutableBufferPointer { buffer in
        guard let products = buffer.baseAddress else { return }
        BlockProducts.multiply(
          faces, rows: rows, by: others, columns: columns, into: products, stride: block)
        for row in 0..<rows.count {
          for column in columns {
            let product = products[row * block + column - start]
            if 1 - Double(product) > radii[column] + margin { continue }
            if let near = near(faces, rows.lowerBound + row, others, column, radii) {
              found[row].append(near)
            }
          }
        }
      }
    }
    return found
  }

  private static func near(
    _ faces: Matrix<Float>, _ face: Int, _ others: Matrix<Float>, _ row: Int, _ radii: [Double]
  ) -> NearRow? {
    let distance = NearClusters.distance(faces, face, others, row)
    return distance.value <= radii[row] ? NearRow(row: row, distance: distance) : nil
  }

  private static func newProducts() -> [Float] {
    [Float](repeating: 0, count: faceBlock * block)
  }
}
