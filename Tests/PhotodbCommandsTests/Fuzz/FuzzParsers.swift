import Foundation
import HDBSCAN
import TensorFiles
import Vectors

@testable import FaceClustering
@testable import PhotodbCommands

/// One reader of bytes that come from outside.
struct FuzzParser: Sendable {
  let name: String
  /// Good files; small, so that most of their bytes mean something.
  let corpus: [[UInt8]]
  /// Repairs what would hide the rest, such as a checksum.
  var forge: (@Sendable ([UInt8]) -> [UInt8])?
  /// Reads the bytes and uses what they say as the program does.
  let read: @Sendable (_ bytes: [UInt8], _ folder: String) throws -> Void

  /// Bytes of memory that one array may take.
  private static let limit = 1 << 22

  static func all() throws -> [FuzzParser] {
    let embeddings = Matrix(ClusteringFiles.rows.map { $0.map(Float.init) })
    let count = embeddings.rows
    let tensors: [String: Tensor] = [
      "embeddings": Tensor(embeddings), "photo": Tensor((0..<count).map { $0 / 2 }),
      "external_id": Tensor(Array(0..<count)),
      "confidence": Tensor(Matrix([[Float]](repeating: [0.9], count: count))),
      "bbox": Tensor(Matrix([[Float]](repeating: [1, 2, 60, 70], count: count))),
    ]
    let npy = try bytes { try NumpyFile.write(Tensor(Matrix(ClusteringFiles.rows)), to: $0) }
    let npz = try bytes { try NumpyArchive.write(tensors, to: $0) }
    let safetensors = try SafetensorsContent(
      tensors: tensors, metadata: ["model": "sface"]
    ).encode()
    return [
      FuzzParser(name: "npy", corpus: [npy] + (try fixtures("float16.npy", "float32.npy"))) {
        bytes, _ in
        try readAll([NumpyFile(bytes: bytes, limit: limit).array])
      },
      FuzzParser(name: "npz", corpus: [npz] + (try fixtures("deflated.npz", "stored.npz"))) {
        bytes, _ in
        let archive = try NumpyArchive(bytes: bytes, limit: limit)
        try readAll(archive.arrays)
        for name in ["external_id", "names"] { _ = try archive.strings(name) }
      },
      FuzzParser(
        name: "safetensors",
        corpus: [safetensors] + (try fixtures("python.safetensors", "bfloat16.safetensors"))
      ) { bytes, _ in
        try readAll(SafetensorsFile(bytes: bytes, limit: limit).arrays)
      },
      FuzzParser(name: "faces", corpus: [safetensors]) { bytes, folder in
        _ = try FaceFile.read(put(bytes, folder + "/f.safetensors"))
      },
      FuzzParser(name: "jsonl", corpus: [Array(lines.utf8)]) { bytes, folder in
        let file = try FaceFile.read(put(bytes, folder + "/f.jsonl"))
        guard file.faces.count == file.embeddings.rows else { throw FuzzFinding("rows differ") }
        // Lines that are refused keep no other back.
        if let row = file.rejected.first { throw RefusedLine(description: row.reason) }
      },
      FuzzParser(name: "csv", corpus: try fixtures("plain.csv", "header.csv")) { bytes, folder in
        _ = try readMatrix(path: put(bytes, folder + "/x.csv"), limit: limit)
      },
      FuzzParser(name: "truth", corpus: [Array(truth.utf8)]) { bytes, folder in
        _ = try TruthFile.read(put(bytes, folder + "/truth.csv"))
      },
      try storedModel(), try storedResult(),
    ]
  }

  private static let lines = #"""
    {"photo":"é\u00e9","external_id":17,"embedding":[0.1,-2,3e1],"bbox":[1,2,3,4],"confidence":0.7,"taken_at":"2024-05-31T18:04:09+02:00","x":{"a":[1,{"b":null}]}}
    {"photo":"b.jpg","embedding":[1,2,3],"confidence":1}

    """#

  private static let truth =
    "external_id,identity,\"a \"\"note\"\"\"\nf1,7,\nf2,-1,\"x,\ny\"\nf3,Ann,z\n"

  /// The blob of a run: what is damaged gets a checksum that fits.
  private static func storedModel() throws -> FuzzParser {
    let vectors = Points.float64(Matrix(ClusteringFiles.rows))
    var parameters = Parameters()
    parameters.minClusterSize = 3
    let clustering = try fit(vectors, parameters: parameters, threads: 1)
    let model = StoredModel(
      detectionIDs: ClusteringFiles.rows.indices.map { Int64($0) * 3 + 7 }, clustering: clustering)
    return FuzzParser(
      name: "model", corpus: [try model.encode()], forge: forgeChecksum
    ) { bytes, _ in
      let model = try StoredModel(bytes: bytes)
      _ = RunTree(runID: 1, model: model, clusterOfLabel: [0: 1, 1: 2], names: [:])
      _ = Dictionary(uniqueKeysWithValues: zip(model.detectionIDs, model.labels))
      for node in model.selection.nodes {
        _ = try HDBSCAN.subclusters(of: node, in: model.tree, parameters: model.parameters)
      }
      // Some faces were deleted since.
      let kept = model.detectionIDs.indices.filter { $0 % 5 != 0 && $0 < vectors.count }
      let predictor = try PredictionModel(
        points: vectors.selecting(kept), pointOfRow: kept, coreDistances: model.coreDistances,
        tree: model.tree, selection: model.selection, parameters: model.parameters)
      _ = try predictor.predict(vectors, threads: 1)
      _ = try model.clustering()
    }
  }

  /// Puts the right checksum into a damaged model; what is no model any more stays as it is.
  @Sendable private static func forgeChecksum(_ bytes: [UInt8]) -> [UInt8] {
    guard let file = try? SafetensorsFile(bytes: bytes), let old = file.metadata["sha256"],
      let new = try? StoredModel.checksum(file), old.utf8.count == new.utf8.count,
      let place = bytes.firstRange(of: Array(old.utf8))
    else { return bytes }
    var forged = bytes
    forged.replaceSubrange(place, with: Array(new.utf8))
    return forged
  }

  /// What `photodb hdbscan fit` wrote, for `predict` and `extract`.
  private static func storedResult() throws -> FuzzParser {
    let vectors = Points.float64(Matrix(ClusteringFiles.rows))
    var parameters = Parameters()
    parameters.minClusterSize = 3
    let stored = StoredClustering(
      clustering: try fit(vectors, parameters: parameters, threads: 1), vectors: vectors,
      fileRows: nil)
    return FuzzParser(name: "result", corpus: [try stored.content().encode()]) { bytes, _ in
      let stored = try StoredClustering(SafetensorsFile(bytes: bytes, limit: limit))
      _ = try cut(stored.clustering, atDistance: 0.5, minClusterSize: 2)
      _ = try reextract(stored.clustering, parameters: stored.clustering.parameters)
      _ = try stored.content(singleLinkage: true).encode()
      guard let points = stored.vectors else { return }
      let model = try PredictionModel(points: points, clustering: stored.clustering)
      _ = try model.predict(vectors, threads: 1)
      _ = try model.memberships(of: vectors, exemplars: stored.clustering.exemplars, threads: 1)
    }
  }

  private static func readAll(_ arrays: [StoredArray]) throws {
    for array in arrays {
      if array.elementType.isInteger {
        _ = try array.integers()
      } else {
        _ = try array.doubles()
        if array.shape.count == 2 { _ = try array.matrix() }
      }
    }
  }

  private static func put(_ bytes: [UInt8], _ path: String) throws -> String {
    // Nobody else reads it, so it need not be whole at once.
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return path
  }

  private static func bytes(_ write: (String) throws -> Void) throws -> [UInt8] {
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent("photodb-fuzz-\(UUID().uuidString)")
    try write(path.path)
    let bytes = [UInt8](try Data(contentsOf: path))
    try FileManager.default.removeItem(at: path)
    return bytes
  }

  private static func fixtures(_ names: String...) throws -> [[UInt8]] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../TensorFilesTests/Fixtures").standardized
    return try names.map { [UInt8](try Data(contentsOf: folder.appending(path: $0))) }
  }
}

/// Why one line of a file was refused.
struct RefusedLine: Error, CustomStringConvertible {
  let description: String
}

/// Something that a reader accepted and should not have.
struct FuzzFinding: Error {
  let what: String
  init(_ what: String) { self.what = what }
}
