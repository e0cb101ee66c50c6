internal import Vectors

/// Clustered rows in double precision, those of one cluster side by side.
struct LabelledRows {
  /// The clustered rows, by (label, row); noise is left out.
  let rows: Matrix<Double>
  /// Labels that occur, ascending.
  let labels: [Int]
  /// Places in `rows` of each label's cluster.
  let ranges: [Range<Int>]
  /// Number of rows that were given, noise included.
  let givenCount: Int

  /// - Parameters:
  ///   - points: n × d vectors.
  ///   - labels: one a row; below 0 is noise.
  ///   - metric: Euclidean, or cosine, which normalises.
  ///   - smallest: clusters of fewer rows count as noise.
  /// - Throws: ``HDBSCANError`` where the parts do not fit or rows are unusable.
  init(
    _ points: Points, labels given: [Int], metric: Parameters.Metric, smallest: Int = 1
  ) throws(HDBSCANError) {
    if metric == .precomputed {
      throw .invalidParameter(
        name: "metric", value: "precomputed",
        expected: "euclidean or cosine: validity is measured between vectors")
    }
    if given.count != points.count {
      throw .shapeMismatch(
        "\(points.count) points need as many labels, but \(given.count) were given")
    }
    let vectors = try doubleVectors(
      try preparedPoints(points, metric: metric), metric: .euclidean, columns: nil)
    var members: [Int: [Int]] = [:]
    for (row, label) in given.enumerated() where label >= 0 {
      members[label, default: []].append(row)
    }
    members = members.filter { $0.value.count >= smallest }
    labels = members.keys.sorted()
    var order: [Int] = []
    var ranges: [Range<Int>] = []
    for label in labels {
      let rows = members[label, default: []]
      ranges.append(order.count..<order.count + rows.count)
      order += rows
    }
    self.ranges = ranges
    rows = vectors.selecting(rows: order)
    givenCount = given.count
  }

  /// Euclidean distance between two places.
  func distance(_ a: Int, _ b: Int) -> Double { rows.squaredDistance(a, b).squareRoot() }

  /// Mean of each cluster's rows, and of all of them.
  ///
  /// - Complexity: O(n · d).
  func means() -> (ofClusters: Matrix<Double>, ofAll: [Double]) {
    var all = [Double](repeating: 0, count: rows.columns)
    let clusters = Matrix<Double>(rows: ranges.count, columns: rows.columns) { storage, stride in
      for (cluster, range) in ranges.enumerated() {
        let mean = storage + cluster * stride
        for place in range {
          let values = rows.row(place)
          for column in 0..<rows.columns {
            mean[column] += values[column] / Double(range.count)
            all[column] += values[column] / Double(rows.rows)
          }
        }
      }
    }
    return (clusters, all)
  }
}
