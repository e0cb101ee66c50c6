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
  ///   - known: whether each row of `others` is of no interest to a face that has `enough` rows; empty for no.
  ///   - enough: how many rows are enough.
  /// - Complexity: O(faces · others · d).
  static func within(
    _ faces: Matrix<Float>, of others: Matrix<Float>, screen: RadiusScreen? = nil,
    radii: [Double], known: [Bool] = [], enough: Int = .max, threads: Int
  ) -> [[NearRow]] {
    let results = Mutex([[NearRow]](repeating: [], count: faces.rows))
    func near(_ face: Int, _ rows: some Sequence<Int>) {
      var found: [NearRow] = []
      for row in rows where found.count < enough || !known[row] {
        let distance = NearClusters.distance(faces, face, others, row)
        if distance.value <= radii[row] { found.append(NearRow(row: row, distance: distance)) }
      }
      if !found.isEmpty { results.withLock { $0[face] += found } }
    }
    if let screen {
      let candidates = screen.candidates(
        for: faces, squaredRadii: radii.map { 2 * $0 + normTolerance }, threads: threads)
      parallelFor(faces.rows, threads: threads) { near($0, candidates[$0]) }
    }
    let rest = (screen?.rowCount ?? 0)..<others.rows
    if faces.rows < few {
      parallelForChunks(rest.count, chunk: block, threads: threads) { chunk in
        let columns = rest.dropFirst(chunk.lowerBound).prefix(chunk.count)
        for face in 0..<faces.rows { near(face, columns) }
      }
    } else {
      // Few faces leave threads idle unless they share the rows.
      let blocks = (faces.rows + faceBlock - 1) / faceBlock
      let parts = (rest.count + block - 1) / block
      parallelFor(blocks * parts, threads: threads, makeScratch: newProducts) { index, scratch in
        let (first, part) = (index / parts * faceBlock, index % parts * block)
        let rows = first..<min(first + faceBlock, faces.rows)
        let columns = rest.dropFirst(part).prefix(block)
        forEachScreened(faces, rows, others, columns, radii, &scratch) { near($0, $1) }
      }
    }
    return results.withLock { found in
      for face in found.indices {
        found[face].sort { ($0.distance, $0.row) < ($1.distance, $1.row) }
      }
      return found
    }
  }

  /// Calls `body` with every face and the columns that may be within reach of it.
  private static func forEachScreened(
    _ faces: Matrix<Float>, _ rows: Range<Int>, _ others: Matrix<Float>, _ columns: Range<Int>,
    _ radii: [Double], _ scratch: inout [Float], body: (Int, [Int]) -> Void
  ) {
    // Unit rows, each off by at most 2e-7, and the rounding of the product.
    let margin = BlockProducts.floatErrorBound(columns: faces.columns) * 1.001 + 1e-6
    scratch.withUnsafeMutableBufferPointer { buffer in
      guard let products = buffer.baseAddress else { return }
      BlockProducts.multiply(
        faces, rows: rows, by: others, columns: columns, into: products, stride: block)
      for (index, row) in rows.enumerated() {
        let products = products + index * block - columns.lowerBound
        body(row, columns.filter { !(1 - Double(products[$0]) > radii[$0] + margin) })
      }
    }
  }

  private static func newProducts() -> [Float] {
    [Float](repeating: 0, count: faceBlock * block)
  }
}
