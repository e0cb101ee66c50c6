import Foundation
import HDBSCAN
import TensorFiles
import Testing
import Vectors

@testable import PhotodbCommands

@Suite("photodb hdbscan fit with weights and pairs, predict with memberships")
struct SteeredFitTests {
  private func write(_ text: String, to path: String) throws {
    try AtomicFile.write(Array(text.utf8), to: path)
  }

  @Test(
    "weights in .npy and .safetensors are those of the library", arguments: ["npy", "safetensors"])
  func weights(kind: String) async throws {
    try await ClusteringFiles.withFolder { folder in
      let weights = ClusteringFiles.rows.indices.map { 1 + $0 % 3 }
      let (input, path) = (folder + "/in.npy", "\(folder)/w.\(kind)")
      try ClusteringFiles.write(to: input)
      if kind == "npy" {
        try NumpyFile.write(Tensor(weights), to: path)
      } else {
        try SafetensorsContent(tensors: ["weights": Tensor(weights)]).write(to: path)
      }
      try await ClusteringFiles.run(
        "fit", input, "--weights", path, "--out", folder + "/r.safetensors", "--quiet",
        "--validity")
      let expected = try fit(
        .float64(Matrix(ClusteringFiles.rows)), parameters: Parameters(), weights: weights)
      let stored = try StoredClustering(path: folder + "/r.safetensors").clustering
      #expect(stored.labels == expected.labels)
      #expect(stored.coreDistances == expected.coreDistances)
      #expect(stored.tree == expected.tree)
    }
  }

  @Test("pairs steer the selection, by the file's rows also where rows were left out")
  func pairs() async throws {
    try await ClusteringFiles.withFolder { folder in
      // Row 0 cannot be used, so the library's points are the file's rows minus one.
      let rows = [[Double.nan, 0]] + ClusteringFiles.rows
      try ClusteringFiles.write(rows, to: folder + "/in.npy")
      try write("a,b\n1,9\n2,10\n", to: folder + "/must.csv")
      try write("1,2\n", to: folder + "/cannot.csv")
      try await ClusteringFiles.run(
        "fit", folder + "/in.npy", "--quarantine", "--must-link", folder + "/must.csv",
        "--cannot-link", folder + "/cannot.csv", "--out", folder + "/r.safetensors", "--quiet")
      let pairs = [
        PairConstraint(0, 8, .mustLink), PairConstraint(1, 9, .mustLink),
        PairConstraint(0, 1, .cannotLink),
      ]
      let expected = try fit(
        .float64(Matrix(ClusteringFiles.rows)), parameters: Parameters(), constraints: pairs)
      let stored = try StoredClustering(path: folder + "/r.safetensors").clustering
      #expect(stored.labels == expected.labels)
    }
  }

  @Test("what is wrong with weights and pairs is said with the file and the place")
  func mistakes() async throws {
    try await ClusteringFiles.withFolder { folder in
      try ClusteringFiles.write(to: folder + "/in.npy")
      try NumpyFile.write(Tensor([1, 2]), to: folder + "/short.npy")
      try NumpyFile.write(
        Tensor([Int](repeating: 0, count: ClusteringFiles.rows.count)), to: folder + "/zero.npy")
      try write("0,31\n", to: folder + "/range.csv")
      try write("3,3\n", to: folder + "/same.csv")
      try write("1.5,2\n", to: folder + "/half.csv")
      try write("1,2,3\n", to: folder + "/wide.csv")
      try write("a,b\n", to: folder + "/header.csv")
      for (option, file, text) in [
        ("--weights", "short.npy", "there are 31 rows"),
        ("--weights", "zero.npy", "the weight of row 0 is 0"),
        ("--must-link", "range.csv", "pair 1 (0.0, 31.0) must be two different rows in 0…30"),
        ("--cannot-link", "same.csv", "two different rows"),
        ("--cannot-link", "half.csv", "two different rows"),
        ("--must-link", "wide.csv", "has 3 columns"),
        ("--must-link", "header.csv", "holds no pair of rows; give two row numbers a line"),
        ("--cannot-link", "header.csv", "holds no pair of rows"),
      ] {
        let message = await failure {
          try await ClusteringFiles.run(
            "fit", folder + "/in.npy", option, "\(folder)/\(file)", "--out",
            folder + "/r.safetensors", "--quiet")
        }
        #expect(message.contains(file) && message.contains(text), "\(message)")
      }
    }
  }

  @Test("memberships are those of the library: one row a vector, sums of at most 1")
  func memberships() async throws {
    try await ClusteringFiles.withFolder { folder in
      let (input, result) = (folder + "/in.npy", folder + "/r.safetensors")
      try ClusteringFiles.write(to: input)
      try await ClusteringFiles.run("fit", input, "--out", result, "--quiet")
      try await ClusteringFiles.run(
        "predict", result, input, "--memberships", "--out", folder + "/p.safetensors", "--quiet")
      let array = try SafetensorsFile(path: folder + "/p.safetensors").required("memberships")
      let clustering = try StoredClustering(path: result).clustering
      let clusters = clustering.selection.nodes.count
      #expect(array.shape == [ClusteringFiles.rows.count, clusters] && clusters > 1)
      let values = try array.doubles()
      let points = Points.float64(Matrix(ClusteringFiles.rows))
      let expected = try PredictionModel(points: points, clustering: clustering)
        .memberships(of: points, exemplars: clustering.exemplars)
      for row in ClusteringFiles.rows.indices {
        let stored = values[row * clusters..<(row + 1) * clusters]
        #expect(Array(stored) == (0..<clusters).map { expected.row(row)[$0] })
        #expect(stored.reduce(0, +) < 1 + 1e-9)
      }
    }
  }
}
