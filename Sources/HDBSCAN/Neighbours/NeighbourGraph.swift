public import Vectors

/// The nearest other points of every point, without their distances.
public struct NeighbourGraph: Sendable, Equatable {
  /// Entries of each point, k.
  public let perPoint: Int
  /// n × k point indices, nearest first; −1 where a point has no entry.
  ///
  /// Of points that are equal only the first has entries, and only it is an entry of others.
  public let indices: [Int32]

  /// Makes a graph from its entries, k for each point.
  public init(perPoint: Int, indices: [Int32]) {
    precondition(
      perPoint > 0 ? indices.count % perPoint == 0 : indices.isEmpty, "k entries for each point")
    self.perPoint = perPoint
    self.indices = indices
  }

  init<Scalar: ExactScalar>(_ lists: NeighbourLists, rows: DistinctRows<Scalar>) {
    let points = rows.rowOfPoint?.count ?? rows.count
    var indices = [Int32](repeating: -1, count: points * lists.capacity)
    for row in 0..<rows.count {
      let start = rows.firstPoints[row] * lists.capacity
      for rank in 0..<lists.length(row) {
        indices[start + rank] = Int32(rows.firstPoints[lists.neighbour(row, rank)])
      }
    }
    self.init(perPoint: lists.capacity, indices: indices)
  }
}

/// Finds the nearest other rows of every row by Euclidean distance, exactly.
///
/// - Parameters:
///   - matrix: n × d, finite.
///   - count: neighbours wanted, at least 1; fewer where there are fewer distinct rows.
///   - threads: most threads to use; the result does not depend on it.
///   - progress: told how far the work is; may cancel it.
/// - Throws: ``HDBSCANError``: `cancelled`, or a screening kernel that cannot be used.
/// - Complexity: O(n² · d) time in matrix products, O(n · (d + k)) memory.
public func nearestNeighbours(
  of matrix: Matrix<Float>, count: Int, threads: Int = availableThreads,
  progress: ProgressHandler? = nil
) throws(HDBSCANError) -> NeighbourGraph {
  if count < 1 {
    throw .invalidParameter(name: "count", value: "\(count)", expected: "at least 1")
  }
  let rows = DistinctRows(matrix, threads: threads)
  if rows.count < 2 { return NeighbourGraph(perPoint: 0, indices: []) }
  let capacity = min(count, rows.count - 1)
  let screening = Screening(kernel: try ScreeningKernel.selected())
  let task = TreeTask(
    rows: rows, minSamples: capacity, capacity: capacity, alpha: 1,
    weights: rows.totalWeights(nil), mostPairs: screening.mostPairs, threads: threads,
    progress: ProgressReporter(progress))
  return NeighbourGraph(try task.tree(screening).lists, rows: rows)
}

/// Finds the nearest rows of a matrix to every query by Euclidean distance, exactly.
///
/// A query that is itself one of the rows finds itself; copies count one by one.
///
/// - Parameters:
///   - queries: q × d, finite.
///   - matrix: n × d, finite.
///   - count: neighbours wanted, at least 1; fewer where there are fewer rows.
///   - threads: most threads to use; the result does not depend on it.
///   - isCancelled: asked between blocks of queries.
/// - Returns: the entries of query i are rows of `matrix`, nearest first, of equally near ones the smaller index.
/// - Throws: ``HDBSCANError``: `cancelled`, `shapeMismatch`, a count below 1, or a screening kernel that cannot be
///   used.
/// - Complexity: O(q · n · d) time in matrix products; O(n · d + q · k) memory.
public func nearestNeighbours(
  of queries: Matrix<Float>, among matrix: Matrix<Float>, count: Int,
  threads: Int = availableThreads, isCancelled: () -> Bool = { false }
) throws(HDBSCANError) -> NeighbourGraph {
  if count < 1 {
    throw .invalidParameter(name: "count", value: "\(count)", expected: "at least 1")
  }
  guard queries.columns == matrix.columns else {
    throw .shapeMismatch(
      "queries of \(queries.columns) columns for a matrix of \(matrix.columns)")
  }
  let perPoint = min(count, matrix.rows)
  if perPoint == 0 || queries.rows == 0 { return NeighbourGraph(perPoint: 0, indices: []) }
  let block = QueryBlock(
    training: TrainingRows(matrix, screening: Screening(kernel: try ScreeningKernel.selected())),
    coreDistances: [Double](repeating: 0, count: matrix.rows), weights: nil,
    neededWeight: perPoint, alpha: 1)
  var indices = [Int32](repeating: -1, count: queries.rows * perPoint)
  indices.withUnsafeMutableBufferPointer { buffer in
    // The entries of a query are written by the one chunk that has it.
    nonisolated(unsafe) let target = buffer
    parallelForChunks(
      queries.rows, chunk: QueryBlock<Float>.mostQueries, threads: threads
    ) { range in
      if isCancelled() { return }
      for (search, query) in zip(block.search(queries, range), range) {
        for (rank, neighbour) in search.nearest.enumerated() {
          target[query * perPoint + rank] = Int32(neighbour.row)
        }
      }
    }
  }
  if isCancelled() { throw .cancelled }
  return NeighbourGraph(perPoint: perPoint, indices: indices)
}
