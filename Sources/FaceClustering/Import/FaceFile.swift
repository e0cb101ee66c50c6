public import Store
internal import TensorFiles
public import Vectors

/// A row that was not taken, and why.
public struct RejectedRow: Sendable, Codable, Equatable {
  /// Row from 0 in arrays; line from 1 in `.jsonl`.
  public var row: Int
  /// Why, in one line.
  public var reason: String

  /// A rejected row.
  public init(row: Int, reason: String) {
    self.row = row
    self.reason = reason
  }
}

/// The faces of a file, as they stand in it: vectors are neither normalised nor checked.
public struct FaceFile: Sendable {
  /// Facts of each face; position i belongs to row i of `embeddings`.
  public var faces: [IncomingFace]
  /// Row or line in the file of each face, for messages.
  public var rows: [Int]
  /// n × d vectors.
  public var embeddings: Matrix<Float>
  /// Rows that could not even be read.
  public var rejected: [RejectedRow]
  /// The embedding model that the file names.
  public var embeddingModel: String?

  /// Faces with their vectors.
  public init(
    faces: [IncomingFace], rows: [Int], embeddings: Matrix<Float>,
    rejected: [RejectedRow] = [], embeddingModel: String? = nil
  ) {
    self.faces = faces
    self.rows = rows
    self.embeddings = embeddings
    self.rejected = rejected
    self.embeddingModel = embeddingModel
  }

  /// Reads `.safetensors`, `.npy`, `.npz` or `.jsonl`.
  ///
  /// The rows of a `.jsonl` file may have different lengths: those of another length than `dimension`,
  /// or than most rows where it is nil, are rejected. `.safetensors` and `.npz` hold `embeddings` and may hold `photo`, `external_id` (integers),
  /// `confidence` (n) and `bbox` (n × 4). Rows without an external id get `FILE:row`.
  ///
  /// - Parameter dimension: that of the collection, where it exists already.
  /// - Throws: `TensorFileError`, one line that names the file and what is wrong.
  public static func read(_ path: String, dimension: Int? = nil) throws -> FaceFile {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    switch fileExtension(of: path) {
    case "jsonl": return try readLines(path, name: name, dimension: dimension)
    case "safetensors":
      let file = try SafetensorsFile(path: path)
      return try assemble(
        try file.matrix("embeddings"), name: name, array: file.array,
        model: file.metadata["model"] ?? file.metadata["embedding_model"])
    case "npz":
      let file = try NumpyArchive(path: path)
      return try assemble(try readMatrix(path: path), name: name, array: file.array, model: nil)
    case "npy":
      return try assemble(try readMatrix(path: path), name: name, array: { _ in nil }, model: nil)
    default:
      throw TensorFileError(
        path: path, what: "has an unknown ending",
        advice: "use .safetensors, .npy, .npz or .jsonl")
    }
  }

  private static func assemble(
    _ matrix: LoadedMatrix, name: String, array: (String) -> StoredArray?, model: String?
  ) throws -> FaceFile {
    let count = matrix.rows
    func column(_ tensor: String, width: Int = 1) throws -> StoredArray? {
      guard let found = array(tensor) else { return nil }
      guard found.shape.first == count, found.count == count * width else {
        throw found.problem(
          "has the shape \(found.shape), but there are \(count) embeddings",
          advice: width == 1 ? "give one value a row" : "give \(width) values a row")
      }
      return found
    }
    let photos = try column("photo")?.int64s()
    let ids = try column("external_id")?.int64s()
    let confidences = try column("confidence")?.floats()
    let boxes = try column("bbox", width: 4)?.floats()
    let faces = (0..<count).map { row in
      IncomingFace(
        externalID: ids.map { "\($0[row])" } ?? "\(name):\(row)",
        photo: photos.map { "\($0[row])" },
        box: boxes.map {
          FaceBox(
            x: $0[4 * row], y: $0[4 * row + 1], width: $0[4 * row + 2], height: $0[4 * row + 3])
        }, confidence: confidences?[row])
    }
    return FaceFile(
      faces: faces, rows: Array(0..<count), embeddings: matrix.singlePrecision,
      embeddingModel: model)
  }

  private static func readLines(
    _ path: String, name: String, dimension: Int?
  ) throws -> FaceFile {
    var faces: [IncomingFace] = []
    var lines: [Int] = []
    var lengths: [Int] = []
    var values: [Float] = []
    var rejected: [RejectedRow] = []
    try readDetectionLines(path: path) { row in
      values += row.embedding
      lengths.append(row.embedding.count)
      lines.append(row.line)
      faces.append(
        IncomingFace(
          externalID: row.externalID ?? "\(name):\(row.line)", photo: row.photo,
          box: row.box.map {
            FaceBox(
              x: Float($0[0]), y: Float($0[1]), width: Float($0[2]), height: Float($0[3]))
          }, confidence: row.confidence.map(Float.init), takenAt: row.takenAt))
    } rejected: { line, reason in
      rejected.append(RejectedRow(row: line, reason: reason))
    }
    let width = dimension ?? mostFrequent(lengths) ?? 0
    let kept = lengths.indices.filter { lengths[$0] == width }
    for row in lengths.indices where lengths[row] != width {
      rejected.append(
        RejectedRow(
          row: lines[row],
          reason: "the embedding has \(lengths[row]) values, not \(width) like "
            + (dimension == nil ? "most of the file" : "the collection")))
    }
    let starts = lengths.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
    let embeddings = Matrix<Float>(rows: kept.count, columns: width) { base, stride in
      values.withUnsafeBufferPointer { source in
        guard let start = source.baseAddress else { return }
        for (index, row) in kept.enumerated() {
          (base + index * stride).update(from: start + starts[row], count: width)
        }
      }
    }
    return FaceFile(
      faces: kept.map { faces[$0] }, rows: kept.map { lines[$0] }, embeddings: embeddings,
      rejected: rejected.sorted { $0.row < $1.row })
  }

  /// The value that occurs most often; of several the one that comes first.
  private static func mostFrequent(_ values: [Int]) -> Int? {
    var counts: [Int: Int] = [:]
    for value in values { counts[value, default: 0] += 1 }
    let most = counts.values.max()
    return values.first { counts[$0] == most }
  }
}
