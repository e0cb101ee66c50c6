internal import Vectors

/// Training vectors in the precision in which they were fitted.
enum AnyTrainingRows: Sendable {
  case float32(TrainingRows<Float>)
  case float64(TrainingRows<Double>)

  init(
    _ points: Points, metric: Parameters.Metric, screening: Screening
  ) throws(HDBSCANError) {
    if metric == .precomputed {
      throw .invalidParameter(
        name: "metric", value: "precomputed",
        expected: "euclidean or cosine to predict: a matrix of distances holds no vectors")
    }
    switch points {
    case .float32:
      self = .float32(
        TrainingRows(
          try floatVectors(points, metric: metric, columns: nil), screening: screening))
    case .float64:
      self = .float64(
        TrainingRows(
          try doubleVectors(points, metric: metric, columns: nil), screening: screening))
    case .distances:
      throw .shapeMismatch("a model is made from vectors, not from distances")
    }
  }

  var columns: Int {
    switch self {
    case .float32(let training): training.rows.columns
    case .float64(let training): training.rows.columns
    }
  }
}

/// Vectors as floats, checked, and normalised where the metric is cosine.
///
/// - Parameter columns: the length that vectors must have; nil for any. No rows fit any length.
func floatVectors(
  _ points: Points, metric: Parameters.Metric, columns: Int?
) throws(HDBSCANError) -> Matrix<Float> {
  let matrix: Matrix<Float>
  switch points {
  case .float32(let floats): matrix = floats
  case .float64(let doubles): matrix = converted(doubles)
  case .distances: throw distancesAreNoVectors
  }
  try checkColumns(rows: matrix.rows, matrix.columns, columns)
  try refuse(matrix.defectiveRows(), metric)
  if metric != .cosine { return matrix }
  do { return try matrix.normalised() } catch { throw unusable(error.rows.map(\.row)) }
}

/// Vectors as doubles, checked, and normalised where the metric is cosine.
///
/// - Parameter columns: the length that vectors must have; nil for any. No rows fit any length.
func doubleVectors(
  _ points: Points, metric: Parameters.Metric, columns: Int?
) throws(HDBSCANError) -> Matrix<Double> {
  let matrix: Matrix<Double>
  switch points {
  case .float32(let floats): matrix = converted(floats)
  case .float64(let doubles): matrix = doubles
  case .distances: throw distancesAreNoVectors
  }
  try checkColumns(rows: matrix.rows, matrix.columns, columns)
  try refuse(matrix.defectiveRows(), metric)
  if metric != .cosine { return matrix }
  do { return try matrix.normalisedInDouble() } catch { throw unusable(error.rows.map(\.row)) }
}

private let distancesAreNoVectors = HDBSCANError.shapeMismatch(
  "new points are vectors, not distances")

private func checkColumns(rows: Int, _ columns: Int, _ expected: Int?) throws(HDBSCANError) {
  if let expected, rows > 0, columns != expected {
    throw .shapeMismatch(
      "new points have \(columns) values each, but the model was fitted on \(expected)")
  }
}

private func refuse(_ defects: [DefectiveRow], _ metric: Parameters.Metric) throws(HDBSCANError) {
  let bad = defects.filter { $0.defect == .nonFinite || metric == .cosine }
  if !bad.isEmpty { throw unusable(bad.map(\.row)) }
}

private func unusable(_ rows: [Int]) -> HDBSCANError {
  .unusableRows(indices: rows, reason: "not finite, or zero where the metric is cosine")
}

private func converted<Source: ExactScalar, Target: ExactScalar>(
  _ matrix: Matrix<Source>
) -> Matrix<Target> {
  Matrix(rows: matrix.rows, columns: matrix.columns) { storage, stride in
    for row in 0..<matrix.rows {
      let source = matrix.row(row)
      for column in 0..<matrix.columns { storage[row * stride + column] = Target(source[column]) }
    }
  }
}
