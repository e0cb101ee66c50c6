import HDBSCAN
import TensorFiles
import Testing
import Vectors

@testable import PhotodbCommands

@Suite("result files of hdbscan")
struct ResultFileTests {
  private func stored() throws -> StoredClustering {
    let points = Points.float64(Matrix(ClusteringFiles.rows))
    var parameters = Parameters()
    parameters.minClusterSize = 3
    let clustering = try fit(points, parameters: parameters, threads: 1)
    return StoredClustering(clustering: clustering, vectors: points, fileRows: nil)
  }

  @Test("a result is read back as it was, infinite lambdas too")
  func roundTrip() async throws {
    let original = try stored()
    #expect(original.clustering.tree.lambdas.contains(.infinity))
    try await ClusteringFiles.withFolder { folder in
      let path = folder + "/r.safetensors"
      try original.content().write(to: path)
      let read = try StoredClustering(path: path).clustering
      let clustering = original.clustering
      #expect(read.labels == clustering.labels)
      #expect(read.probabilities == clustering.probabilities)
      #expect(read.outlierScores == clustering.outlierScores)
      #expect(read.coreDistances == clustering.coreDistances)
      #expect(read.pointLambdas == clustering.pointLambdas)
      #expect(read.spanningTree == clustering.spanningTree)
      #expect(read.tree == clustering.tree)
      #expect(read.selection == clustering.selection)
      #expect(read.exemplars == clustering.exemplars)
    }
  }

  @Test("files of other kinds and of later versions are refused")
  func formats() async throws {
    try await ClusteringFiles.withFolder { folder in
      let path = folder + "/r.safetensors"
      for (name, value, reason) in [
        ("format", "other", "not the result of a fit"), ("kind", "cut", "not the result of a fit"),
        ("format_version", "2", "format version 2"), ("format_version", "x", "no format_version"),
        ("metric", "manhattan", "no usable metric"), ("min_samples", "", "no usable min_samples"),
      ] {
        var content = try stored().content()
        content.metadata[name] = value
        try content.write(to: path)
        let ending = await ClusteringFiles.ending("extract", path, "--out", path)
        #expect(ending.code == 1 && ending.error.contains(reason), "\(ending.error)")
      }
    }
  }

  @Test(
    "tensors that do not fit together are refused",
    arguments: [
      ("labels", Tensor([99])), ("labels", Tensor([0.5])), ("mst", Tensor([0.0, 1, 2])),
      ("probabilities", Tensor([1.0])), ("condensed_size", Tensor([1])),
      ("condensed_child", Tensor([Int]())), ("selected_clusters", Tensor([Int.max, 0, 1])),
      ("exemplars", Tensor([-1])), ("embeddings", Tensor([0.0], shape: [1, 1])),
      ("core_distances", Tensor([Double](repeating: .nan, count: 31))),
      ("labels", Tensor([Int](repeating: 50, count: 31))),
      ("mst", Tensor([Double](repeating: 1e300, count: 90), shape: [30, 3])),
      ("mst", Tensor([Double](repeating: .nan, count: 90), shape: [30, 3])),
      ("rows", Tensor([1, 2])), ("rows", Tensor([Int](repeating: 1, count: 31))),
      ("rows", Tensor(Array(-10..<21))), ("rows", Tensor(Array(0..<30) + [Int.max])),
      ("selected_clusters", Tensor([61])),
    ])
  func inconsistent(name: String, tensor: Tensor) async throws {
    try await ClusteringFiles.withFolder { folder in
      let path = folder + "/r.safetensors"
      var content = try stored().content()
      content.tensors[name] = tensor
      try content.write(to: path)
      #expect(throws: TensorFileError.self) { try StoredClustering(path: path) }
    }
  }

  @Test("damaged results are refused or used, never a crash")
  func mutations() throws {
    let bytes = try stored().content().encode()
    let headerLength = Int(bytes[0]) + Int(bytes[1]) << 8
    var generator = SplitMix64(state: 9)
    var refused = 0
    for round in 0..<3000 {
      var damaged = bytes
      // Half of the damage goes to the data, which a damaged header would hide.
      let lowest = round % 2 == 0 ? 0 : 8 + headerLength
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        let index = Int.random(in: lowest..<damaged.count, using: &generator)
        damaged[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      }
      do {
        let stored = try StoredClustering(SafetensorsFile(bytes: damaged))
        var parameters = stored.clustering.parameters
        parameters.selectionMethod = .leaf
        _ = try reextract(stored.clustering, parameters: parameters)
        _ = try cut(stored.clustering, atDistance: 1, minClusterSize: 2)
        if let vectors = stored.vectors {
          _ = try PredictionModel(points: vectors, clustering: stored.clustering)
            .predict(vectors, threads: 1)
        }
      } catch is TensorFileError {
        refused += 1
      } catch is HDBSCANError {
        refused += 1
      }
    }
    #expect(refused > 1000)
  }
}
