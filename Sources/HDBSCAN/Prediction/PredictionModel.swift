internal import Synchronization
public import Vectors

/// Assigns new points to the clusters of a fit, exactly and without changing them.
///
/// A new point x goes to the training point of least mutual reachability — over all training
/// points — and from there up the condensed tree until its lambda = 1/mr exceeds the birth of the
/// cluster (approximate prediction of the Python package `hdbscan`, there over the nearest
/// 2·min_samples points only). A vector that equals a training vector gets that point's own label,
/// probability and scores.
///
/// The model may hold fewer rows than were fitted, as when faces were deleted since: tree and core
/// distances stay those of the fit, neighbours come from the rows that are left.
public struct PredictionModel: Sendable {
  /// Settings of the fit.
  public let parameters: Parameters
  /// Number of training rows that the model holds.
  public let rowCount: Int
  /// Length of a vector, d.
  public let columns: Int

  let rows: AnyTrainingRows
  /// Training point of each row, ascending.
  let pointOfRow: [Int]
  /// Core distance of each row.
  private let coreDistances: [Double]
  private let weights: [Int]?
  private let neededWeight: Int
  let placement: Placement

  /// Threads share the rows of one query where each has this many of them.
  private static let fewestRows = 4_096

  /// Makes a model from the parts of a fit.
  ///
  /// - Parameters:
  ///   - points: the training vectors as they were given to the fit (normalised here where the
  ///     metric is cosine); m × d, m ≤ n.
  ///   - pointOfRow: training point of each row, ascending; nil when all n are there.
  ///   - coreDistances: core distance of each of the n training points.
  ///   - tree: condensed tree of the fit.
  ///   - selection: its clusters.
  ///   - parameters: its settings.
  /// - Throws: ``HDBSCANError`` where the parts do not fit together, where rows are unusable, or
  ///   where the metric is precomputed, which has no vectors to compare new points with.
  /// - Complexity: O(n + m · d).
  public init(
    points: Points, pointOfRow: [Int]? = nil, coreDistances: [Double], tree: CondensedTree,
    selection: Selection, parameters: Parameters
  ) throws(HDBSCANError) {
    try self.init(
      points: points, pointOfRow: pointOfRow, coreDistances: coreDistances, tree: tree,
      selection: selection, parameters: parameters,
      screening: Screening(kernel: try ScreeningKernel.selected()))
  }

  /// As the public one; the answers do not depend on `screening`.
  init(
    points: Points, pointOfRow: [Int]? = nil, coreDistances: [Double], tree: CondensedTree,
    selection: Selection, parameters: Parameters, screening: Screening
  ) throws(HDBSCANError) {
    let kept = pointOfRow ?? Array(0..<tree.pointCount)
    guard kept.count == points.count, coreDistances.count == tree.pointCount else {
      throw .shapeMismatch(
        "\(points.count) training rows for \(kept.count) points and \(coreDistances.count) core"
          + " distances of \(tree.pointCount) points do not belong together")
    }
    for (row, point) in kept.enumerated()
    where point < (row == 0 ? 0 : kept[row - 1] + 1) || point >= tree.pointCount {
      throw .shapeMismatch(
        "row \(row) is training point \(point), but points ascend and lie in"
          + " 0..<\(tree.pointCount)")
    }
    try tree.check()
    placement = try Placement(tree: tree, selection: selection, parameters: parameters)
    rows = try AnyTrainingRows(points, metric: parameters.metric, screening: screening)
    self.parameters = parameters
    self.pointOfRow = kept
    self.coreDistances = kept.map { coreDistances[$0] }
    rowCount = kept.count
    columns = rows.columns
    let pointWeights = tree.pointWeights
    weights = pointWeights.allSatisfy { $0 == 1 } ? nil : kept.map { pointWeights[$0] }
    let others = pointWeights.reduce(-1, +)
    neededWeight = max(1, min(parameters.minSamples ?? parameters.minClusterSize, others))
  }

  /// Makes a model from a fit and the vectors it was given.
  ///
  /// - Parameters:
  ///   - points: all n training vectors, in the order of the fit.
  ///   - clustering: what the fit returned.
  /// - Throws: as the other initialiser.
  /// - Complexity: O(n · d).
  public init(points: Points, clustering: Clustering) throws(HDBSCANError) {
    try self.init(
      points: points, coreDistances: clustering.coreDistances, tree: clustering.tree,
      selection: clustering.selection, parameters: clustering.parameters)
  }

  /// Predicts label, probability and outlier score of new points.
  ///
  /// - Parameters:
  ///   - queries: q × d vectors. They are rounded or widened to the type of the training vectors.
  ///   - threads: most threads to use; the result does not depend on it.
  /// - Returns: one prediction for each query.
  /// - Throws: ``HDBSCANError/shapeMismatch(_:)`` where d differs from the model's, and
  ///   ``HDBSCANError/unusableRows(indices:reason:)`` where rows are not finite, or zero with the
  ///   cosine metric.
  /// - Complexity: O(q · m · d), as matrix products; memory O(q · d) besides the model.
  public func predict(
    _ queries: Points, threads: Int = availableThreads
  ) throws(HDBSCANError) -> [Prediction] {
    switch rows {
    case .float32(let training):
      predict(
        try floatVectors(queries, metric: parameters.metric, columns: columns), training, threads)
    case .float64(let training):
      predict(
        try doubleVectors(queries, metric: parameters.metric, columns: columns), training, threads)
    }
  }

  private func predict<Scalar: ExactScalar>(
    _ queries: Matrix<Scalar>, _ training: TrainingRows<Scalar>, _ threads: Int
  ) -> [Prediction] {
    search(queries, training, threads) { prediction($0) }
  }

  /// Where each query hangs in the tree.
  ///
  /// - Complexity: that of ``predict(_:threads:)``.
  func places<Scalar: ExactScalar>(
    of queries: Matrix<Scalar>, _ training: TrainingRows<Scalar>, _ threads: Int
  ) -> [TreePlace] {
    search(queries, training, threads) { search in
      if let row = search.identicalRow {
        return placement.treePlace(ofTrainingPoint: pointOfRow[row])
      }
      guard let nearest = search.result() else {
        return TreePlace(cluster: placement.pointCount, lambda: 0)
      }
      return placement.treePlace(
        ofNeighbour: pointOfRow[nearest.row], mutualReachability: nearest.mutualReachability)
    }
  }

  /// The row of a training point; nil where the model no longer holds it.
  func row(ofPoint point: Int) -> Int? {
    let row = pointOfRow.partitioningIndex { $0 >= point }
    return row < pointOfRow.count && pointOfRow[row] == point ? row : nil
  }

  private func search<Scalar: ExactScalar, Value>(
    _ queries: Matrix<Scalar>, _ training: TrainingRows<Scalar>, _ threads: Int,
    _ value: (_ search: ReachabilitySearch) -> Value
  ) -> [Value] {
    let block = QueryBlock(
      training: training, coreDistances: coreDistances, weights: weights,
      neededWeight: neededWeight, alpha: parameters.alpha)
    // Large blocks make good products, but every thread should have as much work.
    let most = max(threads, 1) * QueryBlock<Scalar>.mostQueries
    let chunks = max(threads, 1) * ((queries.rows + most - 1) / most)
    let size = max(1, (queries.rows + chunks - 1) / max(chunks, 1))
    let parts = min(threads, rowCount / Self.fewestRows)
    if queries.rows < threads, parts > 1 {
      return shared(queries, block, parts: parts, threads).map(value)
    }
    return [Value](unsafeUninitializedCapacity: queries.rows) { buffer, count in
      // Every index is written by exactly one chunk.
      nonisolated(unsafe) let results = buffer
      parallelForChunks(queries.rows, chunk: size, threads: threads) { range in
        for (search, query) in zip(block.search(queries, range), range) {
          results.initializeElement(at: query, to: value(search))
        }
      }
      count = queries.rows
    }
  }

  /// One query after the other, each by all threads.
  private func shared<Scalar: ExactScalar>(
    _ queries: Matrix<Scalar>, _ block: QueryBlock<Scalar>, parts: Int, _ threads: Int
  ) -> [ReachabilitySearch] {
    (0..<queries.rows).map { query in
      let found = Mutex<ReachabilitySearch?>(nil)
      parallelFor(parts, threads: threads) { index in
        let part = block.search(
          queries, query..<query + 1, QueryBlock<Scalar>.Part(index: index, count: parts))[0]
        found.withLock { if $0?.merge(part) == nil { $0 = part } }
      }
      return found.withLock { $0 }
        ?? ReachabilitySearch(neededWeight: neededWeight, alpha: parameters.alpha)
    }
  }

  private func prediction(_ search: ReachabilitySearch) -> Prediction {
    if let row = search.identicalRow { return placement.ofTrainingPoint(pointOfRow[row]) }
    guard let nearest = search.result() else { return placement.ofNothing }
    return placement.ofNewPoint(
      neighbour: pointOfRow[nearest.row], mutualReachability: nearest.mutualReachability)
  }
}

extension UnsafeMutableBufferPointer {
  /// Initialises one element of memory that holds none yet.
  func initializeElement(at index: Int, to value: Element) {
    (self.baseAddress.map { $0 + index })?.initialize(to: value)
  }
}
