internal import Vectors

/// Refuses parameters of the geometric half that are out of range; `checkExtraction` does the rest.
func checkParameters(_ parameters: Parameters, threads: Int) throws(HDBSCANError) {
  if let minSamples = parameters.minSamples, minSamples < 1 {
    throw .invalidParameter(
      name: "min_samples", value: "\(minSamples)", expected: "a whole number, at least 1")
  }
  if !(parameters.alpha >= leastAlpha && parameters.alpha.isFinite) {
    throw .invalidParameter(
      name: "alpha", value: "\(parameters.alpha)",
      expected: "a finite number, at least \(leastAlpha)")
  }
  if threads < 1 {
    throw .invalidParameter(
      name: "threads", value: "\(threads)", expected: "a whole number, at least 1")
  }
  try checkExtraction(parameters)
}

/// Refuses weights that are not one whole number of at least 1 for each point.
func checkWeights(_ weights: [Int]?, count: Int) throws(HDBSCANError) {
  guard let weights else { return }
  if weights.count != count {
    throw .shapeMismatch("\(count) points need as many weights, but \(weights.count) were given")
  }
  var total = 0
  for (point, weight) in weights.enumerated() {
    let sum = total.addingReportingOverflow(weight)
    if weight < 1 || sum.overflow {
      throw .invalidParameter(
        name: "weight of point \(point)", value: "\(weight)",
        expected: "a whole number, at least 1, of a sum below 2^63")
    }
    total = sum.partialValue
  }
}

/// Values beyond this have squares and sums of squares outside the range of a double.
private let largestValue = 1e150
/// Distances of such values, divided by less than this, would be infinite.
private let leastAlpha = 1e-150

/// The points as the geometry wants them: checked, and normalised where the metric is cosine.
func preparedPoints(
  _ points: Points, metric: Parameters.Metric, alpha: Double = 1
) throws(HDBSCANError) -> Points {
  switch (points, metric) {
  case (.distances(let matrix), .precomputed):
    try checkDistances(matrix, alpha: alpha)
    return points
  case (.distances, _):
    throw .shapeMismatch(
      "distances were given, but the metric is \(metric.rawValue): set it to precomputed")
  case (_, .precomputed):
    throw .shapeMismatch(
      "the metric is precomputed, but vectors were given: give an n × n matrix of distances")
  case (.float32, _): return .float32(try floatVectors(points, metric: metric, columns: nil))
  case (.float64, _):
    let matrix = try doubleVectors(points, metric: metric, columns: nil)
    let tooLarge = (0..<matrix.rows).filter { row in
      (0..<matrix.columns).contains { matrix.row(row)[$0].magnitude > largestValue }
    }
    if !tooLarge.isEmpty {
      throw .unusableRows(
        indices: tooLarge,
        reason: "with values beyond ±1e150, whose squares overflow (divide the data)")
    }
    return .float64(matrix)
  }
}

/// Refuses what is no matrix of distances; names the first entry that is wrong.
private func checkDistances(
  _ matrix: Matrix<Double>, alpha: Double
) throws(HDBSCANError) {
  let count = matrix.rows
  if count > 0, matrix.columns != count {
    throw .invalidDistances("\(count) rows and \(matrix.columns) columns, but it must be square")
  }
  for row in 0..<count {
    let values = matrix.row(row)
    if values[row] != 0 {
      throw .invalidDistances("entry (\(row), \(row)) is \(values[row]), but the diagonal is 0")
    }
    for column in 0..<row {
      let value = values[column]
      if !value.isFinite || value < 0 {
        throw .invalidDistances(
          "entry (\(row), \(column)) is \(value), but distances are finite and not negative")
      }
      if !(value / alpha).isFinite {
        throw .invalidDistances(
          "entry (\(row), \(column)) is \(value), which divided by alpha (\(alpha)) overflows")
      }
      if value != matrix.row(column)[row] {
        throw .invalidDistances(
          "entries (\(row), \(column)) and (\(column), \(row)) differ: "
            + "\(value) and \(matrix.row(column)[row])")
      }
    }
  }
}
