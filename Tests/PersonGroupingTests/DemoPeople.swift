import CDemoFaces
import HDBSCAN
import PersonGrouping
import TensorFiles
import Vectors

/// The bundled faces, or some of their people.
struct DemoPeople {
  let embeddings: Matrix<Float>
  let identities: [Int]

  init(every step: Int = 1) throws {
    let bytes = UnsafeRawBufferPointer(
      start: photodb_demo_faces_bytes(), count: photodb_demo_faces_length())
    let file = try SafetensorsFile(bytes: Array(bytes), name: "demo-faces.safetensors")
    let all = try file.integers("identity")
    let rows = all.indices.filter { all[$0] % step == 0 }
    identities = rows.map { all[$0] }
    embeddings = try file.matrix("embeddings").singlePrecision.selecting(rows: rows)
  }

  static func fit(_ embeddings: Matrix<Float>) throws -> Clustering {
    var parameters = Parameters()
    parameters.minClusterSize = 3
    parameters.minSamples = 2
    return try HDBSCAN.fit(.float32(embeddings), parameters: parameters)
  }

  static func group(
    _ embeddings: Matrix<Float>, steps: GroupingSteps = GroupingSteps(), threads: Int = 2
  ) throws -> PeopleGrouping {
    try groupPeople(
      GroupingInput(embeddings: embeddings, clustering: try fit(embeddings)), steps: steps,
      threads: threads)
  }
}

/// Labels numbered by first appearance; a face on its own has a number of its own.
func canonical(_ labels: [Int]) -> [Int] {
  var numbers: [Int: Int] = [:]
  var next = 0
  return labels.map { label in
    if label >= 0, let known = numbers[label] { return known }
    defer { next += 1 }
    if label >= 0 { numbers[label] = next }
    return next
  }
}

/// Vectors whose similarities are a + (1 − a) · s: as under a model with a shared component.
func withSharedComponent(_ matrix: Matrix<Float>, _ share: Float) -> Matrix<Float> {
  Matrix<Float>(rows: matrix.rows, columns: matrix.columns + 1) { base, stride in
    for row in 0..<matrix.rows {
      for column in 0..<matrix.columns {
        base[row * stride + column] = (1 - share).squareRoot() * matrix.row(row)[column]
      }
      base[row * stride + matrix.columns] = share.squareRoot()
    }
  }
}
