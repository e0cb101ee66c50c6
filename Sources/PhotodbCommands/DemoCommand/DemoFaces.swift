internal import CDemoFaces
internal import FaceClustering
internal import Store
internal import TensorFiles
internal import Vectors

/// The bundled faces: most of them a library, the rest arriving later.
struct DemoFaces {
  /// Faces of the library.
  let library: FaceFile
  /// Faces that arrive after the bootstrap.
  let arrivals: FaceFile
  /// Identity of each external id.
  let truth: [ExactText: Int]
  /// External ids of the arrivals.
  let arrivalIDs: Set<String>

  init() throws {
    let bytes = UnsafeRawBufferPointer(
      start: photodb_demo_faces_bytes(), count: photodb_demo_faces_length())
    let file = try SafetensorsFile(bytes: Array(bytes), name: "demo-faces.safetensors")
    let embeddings = try file.matrix("embeddings").singlePrecision
    let identities = try file.integers("identity")
    let photos = try file.integers("photo")
    let confidences = try file.floats("confidence")
    let boxes = try file.floats("bbox")
    let held = try file.integers("arrival")
    let faces = (0..<embeddings.rows).map { row in
      IncomingFace(
        externalID: CollectionRepository.demoID(of: row), photo: "demo/\(photos[row]).jpg",
        box: FaceBox(
          x: boxes[4 * row], y: boxes[4 * row + 1], width: boxes[4 * row + 2],
          height: boxes[4 * row + 3]), confidence: confidences[row])
    }
    func part(_ rows: [Int]) -> FaceFile {
      FaceFile(
        faces: rows.map { faces[$0] }, rows: rows, embeddings: embeddings.selecting(rows: rows),
        embeddingModel: file.metadata["model"])
    }
    let arrivalRows = faces.indices.filter { held[$0] == 1 }
    library = part(faces.indices.filter { held[$0] == 0 })
    arrivals = part(arrivalRows)
    truth = Dictionary(
      uniqueKeysWithValues: zip(faces.map { ExactText($0.externalID) }, identities))
    arrivalIDs = Set(arrivalRows.map { faces[$0].externalID })
  }
}
