internal import Glibc
public import Vectors

extension PredictionModel {
  /// How strongly each vector belongs to each cluster: one formula for training and new points.
  ///
  /// A vector has a place in the condensed tree: a cluster c and a lambda λ (its own where it equals
  /// a training vector, else that of its prediction). With d the distance to a label's nearest
  /// exemplar, h = λ for labels whose cluster lies above, at or below c and else the lambda at which
  /// the two branches part, and Λ the largest lambda of c's own rows:
  ///
  ///     value = 1/d · exp(Λ/(Λ − h)), scaled to the sum p
  ///     p     = min(h′, Λ′)/Λ′ for the label of greatest h′, Λ′ the largest lambda of its own rows
  ///
  /// So p is the probability for members of a cluster. All values are finite and not negative, and a
  /// row sums to at most 1 (up to rounding). Limits: at an exemplar, or where h reaches Λ, the labels
  /// concerned share the whole; where distance and tree exclude each other, the tree decides.
  ///
  /// - Parameters:
  ///   - vectors: q × d, training or new.
  ///   - exemplars: training points of each label, as in ``Clustering/exemplars``. Points whose rows
  ///     the model no longer holds are passed over.
  ///   - threads: most threads to use; the result does not depend on it.
  /// - Returns: q × labels.
  /// - Throws: ``HDBSCANError`` where exemplars do not fit the labels or vectors are unusable.
  /// - Complexity: O(q · (m + labels + exemplars) · d) as matrix products and O(distinct places ·
  ///   clusters); memory O(q · labels).
  public func memberships(
    of vectors: Points, exemplars: [[Int]], threads: Int = availableThreads
  ) throws(HDBSCANError) -> Matrix<Double> {
    try checkExemplars(exemplars)
    switch rows {
    case .float32(let training):
      let queries = try floatVectors(vectors, metric: parameters.metric, columns: columns)
      let places = places(of: queries, training, threads)
      return memberships(queries, places, training, exemplars, threads)
    case .float64(let training):
      let queries = try doubleVectors(vectors, metric: parameters.metric, columns: columns)
      let places = places(of: queries, training, threads)
      return memberships(queries, places, training, exemplars, threads)
    }
  }

  /// The same for every row of the model, whose places are known: no neighbours are searched.
  ///
  /// - Parameters: as those of ``memberships(of:exemplars:threads:)``.
  /// - Returns: rows × labels.
  /// - Throws: ``HDBSCANError`` where exemplars do not fit the labels.
  /// - Complexity: O(m · (labels + exemplars) · d) as matrix products and O(clusters²); memory
  ///   O(m · labels).
  public func trainingMemberships(
    exemplars: [[Int]], threads: Int = availableThreads
  ) throws(HDBSCANError) -> Matrix<Double> {
    try checkExemplars(exemplars)
    let places = pointOfRow.map { placement.treePlace(ofTrainingPoint: $0) }
    return switch rows {
    case .float32(let training):
      memberships(training.rows, places, training, exemplars, threads)
    case .float64(let training):
      memberships(training.rows, places, training, exemplars, threads)
    }
  }

  private func checkExemplars(_ exemplars: [[Int]]) throws(HDBSCANError) {
    if exemplars.count != placement.selected.count {
      throw .shapeMismatch(
        "\(placement.selected.count) labels need as many lists of exemplars, but"
          + " \(exemplars.count) were given")
    }
  }

  private func memberships<Scalar: ExactScalar>(
    _ queries: Matrix<Scalar>, _ places: [TreePlace], _ training: TrainingRows<Scalar>,
    _ exemplars: [[Int]], _ threads: Int
  ) -> Matrix<Double> {
    let searches = exemplars.map { points in
      ExemplarSearch(training.rows.selecting(rows: points.compactMap { row(ofPoint: $0) }))
    }
    // Queries at one cluster side by side: its heights are found once in a chunk.
    let order = places.indices.sorted {
      (places[$0].cluster, $0) < (places[$1].cluster, $1)
    }
    return Matrix<Double>(rows: queries.rows, columns: exemplars.count) { storage, stride in
      // Every row is written by exactly one chunk.
      nonisolated(unsafe) let results = storage
      parallelForChunks(queries.rows, chunk: 192, threads: threads) { chunk in
        let queryOfRow = Array(order[chunk])
        let block = queries.selecting(rows: queryOfRow)
        let distances = searches.map { $0.distances(from: block) }
        var heights = MergeHeights(placement)
        for (index, query) in queryOfRow.enumerated() {
          let values = heights.memberships(
            at: places[query], distances: distances.map { $0[index] })
          (results + query * stride).update(from: values, count: values.count)
        }
      }
    }
  }
}

/// Exact distances to the nearest of one label's exemplars.
private struct ExemplarSearch<Scalar: ExactScalar>: Sendable {
  private let block: QueryBlock<Scalar>

  init(_ exemplars: Matrix<Scalar>) {
    // With core distances 0 and one neighbour, mutual reachability is the distance.
    block = QueryBlock(
      training: TrainingRows(exemplars),
      coreDistances: [Double](repeating: 0, count: exemplars.rows), weights: nil, neededWeight: 1,
      alpha: 1)
  }

  /// Infinite where there are no exemplars.
  func distances(from queries: Matrix<Scalar>) -> [Double] {
    block.search(queries, 0..<queries.rows).map { $0.result()?.mutualReachability ?? .infinity }
  }
}
