import Foundation
import HDBSCAN
import TensorFiles
import Testing
import Vectors

@testable import PhotodbCommands

@Suite("photodb hdbscan fit")
struct FitCommandTests {
  @Test("the result holds every tensor, with its type and shape")
  func tensors() async throws {
    try await ClusteringFiles.withFolder { folder in
      try ClusteringFiles.write(to: folder + "/in.npy")
      try await ClusteringFiles.run(
        "fit", folder + "/in.npy", "--out", folder + "/r.safetensors", "--min-cluster-size", "4",
        "--single-linkage", "--quiet")
      let file = try SafetensorsFile(path: folder + "/r.safetensors")
      let n = ClusteringFiles.rows.count
      let clusters = try file.required("selected_clusters").count
      let rows = try file.required("condensed_parent").count
      let exemplars = try file.required("exemplars").count
      let shapes: [String: (ElementType, [Int])] = [
        "labels": (.int64, [n]), "probabilities": (.float64, [n]),
        "outlier_scores": (.float64, [n]), "core_distances": (.float64, [n]),
        "point_lambdas": (.float64, [n]), "mst": (.float64, [n - 1, 3]),
        "single_linkage": (.float64, [n - 1, 4]), "condensed_parent": (.int64, [rows]),
        "condensed_child": (.int64, [rows]), "condensed_lambda": (.float64, [rows]),
        "condensed_size": (.int64, [rows]), "cluster_persistence": (.float64, [clusters]),
        "cluster_stability": (.float64, [clusters]), "selected_clusters": (.int64, [clusters]),
        "exemplars": (.int64, [exemplars]), "exemplar_labels": (.int64, [exemplars]),
        "embeddings": (.float64, [n, 2]),
      ]
      #expect(Set(file.arrays.map(\.name)) == Set(shapes.keys))
      for array in file.arrays {
        #expect(array.elementType == shapes[array.name]?.0, "\(array.name)")
        #expect(array.shape == shapes[array.name]?.1 ?? [], "\(array.name)")
      }
      #expect(clusters == 3)
      #expect(try file.integers("labels").last == -1)
      #expect(try file.doubles("condensed_lambda").contains(.infinity))
      #expect(file.metadata["min_cluster_size"] == "4")
      #expect(file.metadata["min_samples"] == "4")
      #expect(file.metadata["lambda_distance"] == "euclidean")
      #expect(file.metadata["photodb_version"] == photodbVersion)
    }
  }

  @Test(
    "every kind of file gives the same result",
    arguments: ["in.npy", "in.npz", "in.csv", "in.safetensors"])
  func kinds(name: String) async throws {
    try await ClusteringFiles.withFolder { folder in
      let path = "\(folder)/\(name)"
      let out = folder + "/r.safetensors"
      try ClusteringFiles.write(to: path)
      try await ClusteringFiles.run("fit", path, "--out", out, "--quiet", "--threads", "2")
      let expected = try fit(
        .float64(Matrix(ClusteringFiles.rows)), parameters: Parameters(), threads: 1)
      let stored = try StoredClustering(path: out)
      #expect(stored.clustering.labels == expected.labels)
      #expect(stored.clustering.tree == expected.tree)
      #expect(stored.clustering.selection == expected.selection)
    }
  }

  @Test("distances in a file give the same tree as the vectors, and no vectors")
  func precomputed() async throws {
    try await ClusteringFiles.withFolder { folder in
      let matrix = Matrix<Double>(ClusteringFiles.rows)
      let n = matrix.rows
      let distances = (0..<n).map { row in
        (0..<n).map { matrix.squaredDistance(row, $0).squareRoot() }
      }
      try ClusteringFiles.write(to: folder + "/in.npy")
      try ClusteringFiles.write(distances, to: folder + "/d.npy")
      let outs = [folder + "/a.safetensors", folder + "/b.safetensors"]
      try await ClusteringFiles.run("fit", folder + "/in.npy", "--out", outs[0], "--quiet")
      try await ClusteringFiles.run(
        "fit", folder + "/d.npy", "--out", outs[1], "--quiet", "--metric", "precomputed")
      let vectors = try StoredClustering(path: outs[0])
      let fromDistances = try StoredClustering(path: outs[1])
      #expect(vectors.clustering.tree == fromDistances.clustering.tree)
      #expect(fromDistances.vectors == nil)
      let ending = await ClusteringFiles.ending(
        "predict", outs[1], folder + "/in.npy", "--out", folder + "/p.safetensors")
      #expect(ending.code == 1)
      #expect(ending.error.contains("holds no vectors"))
    }
  }

  @Test("options reach the fit and are stored under the Python package's names")
  func options() async throws {
    try await ClusteringFiles.withFolder { folder in
      try ClusteringFiles.write(to: folder + "/in.npy")
      try await ClusteringFiles.run(
        "fit", folder + "/in.npy", "--out", folder + "/r.safetensors", "--quiet",
        "--min-cluster-size", "3", "--min-samples", "2", "--cluster-selection-method", "leaf",
        "--cluster-selection-epsilon", "0.25", "--cluster-selection-epsilon-max", "50",
        "--cluster-selection-persistence", "0.125", "--max-cluster-size", "20",
        "--allow-single-cluster", "--alpha", "0.5", "--metric", "cosine", "--ties", "ordered",
        "--quarantine")
      let stored = try StoredClustering(path: folder + "/r.safetensors")
      var expected = Parameters()
      expected.minClusterSize = 3
      expected.minSamples = 2
      expected.selectionMethod = .leaf
      expected.clusterSelectionEpsilon = 0.25
      expected.clusterSelectionEpsilonMax = 50
      expected.clusterSelectionPersistence = 0.125
      expected.maxClusterSize = 20
      expected.allowSingleCluster = true
      expected.alpha = 0.5
      expected.metric = .cosine
      expected.ties = .ordered
      #expect(stored.clustering.parameters == expected)
    }
  }

  @Test("unusable rows are refused by number, and left out on request")
  func quarantine() async throws {
    try await ClusteringFiles.withFolder { folder in
      var rows = ClusteringFiles.rows
      rows.insert([.nan, 1], at: 2)
      rows.append([.infinity, 1])
      rows.append([1, -1e200])
      let (input, out) = (folder + "/in.npy", folder + "/r.safetensors")
      try ClusteringFiles.write(rows, to: input)
      let ending = await ClusteringFiles.ending("fit", input, "--out", out)
      #expect(ending.code == 1)
      #expect(ending.error.hasPrefix("photodb: error: \(input): 2 rows "))
      #expect(ending.error.contains(": 2, \(rows.count - 2);"))
      #expect(ending.error.contains("--quarantine"))
      #expect(!FileManager.default.fileExists(atPath: out))

      try await ClusteringFiles.run("fit", input, "--out", out, "--quarantine", "--quiet")
      let stored = try StoredClustering(path: out)
      #expect(stored.fileRows == (0..<rows.count - 2).filter { $0 != 2 })
      let clean = try fit(
        .float64(Matrix(ClusteringFiles.rows)), parameters: Parameters(), threads: 1)
      #expect(stored.clustering.labels == clean.labels)
    }
  }

  @Test("a zero row is a point, but has no direction")
  func zeroRows() async throws {
    try await ClusteringFiles.withFolder { folder in
      let rows = ClusteringFiles.rows + [[0, 0]]
      let (input, out) = (folder + "/in.npy", folder + "/r.safetensors")
      try ClusteringFiles.write(rows, to: input)
      try await ClusteringFiles.run("fit", input, "--out", out, "--quiet", "--quarantine")
      #expect(try StoredClustering(path: out).fileRows == nil)
      // Row 0 of the grid lies in the origin, as do its six copies.
      let ending = await ClusteringFiles.ending("fit", input, "--out", out, "--metric", "cosine")
      #expect(ending.code == 1)
      try await ClusteringFiles.run(
        "fit", input, "--out", out, "--quiet", "--quarantine", "--metric", "cosine")
      #expect(try StoredClustering(path: out).clustering.labels.count == rows.count - 8)
    }
  }

  @Test("a refusal leaves an earlier result as it was")
  func refusalKeepsResult() async throws {
    try await ClusteringFiles.withFolder { folder in
      let out = folder + "/r.safetensors"
      try ClusteringFiles.write([[.nan]], to: folder + "/bad.npy")
      try AtomicFile.write([1, 2, 3], to: out)
      for arguments in [
        ["fit", folder + "/bad.npy", "--out", out],
        ["fit", folder + "/bad.npy", "--out", out, "--quarantine"],
        ["fit", folder + "/missing.npy", "--out", out],
        ["fit", folder + "/bad.npy", "--out", out, "--metric", "precomputed"],
        ["predict", out, folder + "/bad.npy", "--out", out],
        ["extract", out, "--out", out],
      ] {
        let ending = await ClusteringFiles.ending(arguments)
        #expect(ending.code == 1, "\(arguments)")
        #expect(ending.error.filter(\.isNewline).isEmpty, "\(ending.error)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: out)) == Data([1, 2, 3]))
      }
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
          == ["bad.npy", "r.safetensors"])
    }
  }

  @Test(
    "wrong usage ends with code 2",
    arguments: [
      ["--min-cluster-size", "1"], ["--min-cluster-size", "x"], ["--min-samples", "0"],
      ["--alpha", "0"], ["--alpha", "nan"], ["--cluster-selection-epsilon", "inf"],
      ["--cluster-selection-persistence", "nan"], ["--max-cluster-size", "-1"],
      ["--metric", "manhattan"], ["--ties", "none"], ["--threads", "0"], ["--unknown"],
      ["--out", "x.npy"],
    ])
  func wrongUsage(options: [String]) async throws {
    try await ClusteringFiles.withFolder { folder in
      try ClusteringFiles.write(to: folder + "/in.npy")
      let arguments = ["fit", folder + "/in.npy", "--out", folder + "/r.safetensors"] + options
      let ending = await ClusteringFiles.ending(arguments)
      #expect(ending.code == 2, "\(ending)")
      #expect(!FileManager.default.fileExists(atPath: folder + "/r.safetensors"))
    }
  }

  @Test("what only the fit refuses is shown with the usage of the command that was run")
  func usageOfTheCommand() async throws {
    try await ClusteringFiles.withFolder { folder in
      try ClusteringFiles.write(to: folder + "/in.npy")
      let ending = await ClusteringFiles.ending(
        "fit", folder + "/in.npy", "--out", folder + "/r.safetensors", "--min-cluster-size", "1")
      #expect(ending.code == 2)
      #expect(
        ending.error.hasPrefix(
          "Error: --min-cluster-size is 1, but must be at least 2.\nUsage: photodb hdbscan fit "),
        "\(ending.error)")
      #expect(
        ending.error.hasSuffix("\n  See 'photodb hdbscan fit --help' for more information."),
        "\(ending.error)")
    }
  }

  @Test(
    "a negative number is out of range, and no option",
    arguments: [
      "--min-cluster-size", "--min-samples", "--alpha", "--cluster-selection-epsilon",
      "--cluster-selection-epsilon-max", "--cluster-selection-persistence", "--max-cluster-size",
    ], ["-1", "\(Int.min)"])
  func negative(option: String, value: String) async throws {
    try await ClusteringFiles.withFolder { folder in
      try ClusteringFiles.write(to: folder + "/in.npy")
      let ending = await ClusteringFiles.ending(
        "fit", folder + "/in.npy", "--out", folder + "/r.safetensors", option, value)
      #expect(ending.code == 2)
      #expect(ending.error.hasPrefix("Error: \(option) is -"), "\(ending.error)")
    }
  }

  @Test("a negative number of threads is out of range, and no option")
  func negativeThreads() async {
    let ending = await ClusteringFiles.ending(
      "fit", "in.npy", "--out", "r.safetensors", "--threads", "-1")
    #expect(ending.code == 2)
    #expect(ending.error.hasPrefix("Error: --threads must be 1…1024, not -1.\n"))
  }

  @Test("the memory that is reported is the program's, not that of whoever started it")
  func peakMemory() async throws {
    try await ClusteringFiles.withFolder { folder in
      try ClusteringFiles.write(to: folder + "/in.npy")
      let large = [UInt8](repeating: 1, count: 400 << 20)
      let report = try await PhotodbProcess(folder: folder).json(
        "hdbscan", "fit", "in.npy", "--out", "r.safetensors")
      let peak = try #require(report["peak_memory_bytes"] as? Int)
      #expect(peak > 1 << 20 && peak < large.count / 2)
    }
  }

  @Test("a fit takes no more memory than was estimated", arguments: [5, 60])
  func estimatedMemory(minSamples: Int) async throws {
    try await ClusteringFiles.withFolder { folder in
      let photodb = PhotodbProcess(folder: folder)
      func peak(rows: Int) async throws -> Int {
        var random = SplitMix64(state: 1)
        let matrix = Matrix<Float>(rows: rows, columns: 16) { storage, stride in
          for row in 0..<rows {
            for column in 0..<16 {
              storage[row * stride + column] = Float.random(in: 0..<1, using: &random)
            }
          }
        }
        try NumpyFile.write(Tensor(matrix), to: folder + "/in.npy")
        let report = try await photodb.json(
          "hdbscan", "fit", "in.npy", "--out", "r.safetensors", "--without-vectors",
          "--min-samples", "\(minSamples)")
        return try #require(report["peak_memory_bytes"] as? Int)
      }
      let rows = 12_000
      let input = rows * 16 * 4
      let taken = try await peak(rows: rows) - peak(rows: 10) - input
      #expect(taken < estimatedFitMemory(points: rows, dimensions: 16, minSamples: minSamples))
    }
  }

  @Test("a variable of the environment is not called an option")
  func unknownKernel() {
    let error = HDBSCANError.invalidParameter(
      name: "PHOTODB_KERNEL", value: "\"quantum\"", expected: "one of sgemm")
    #expect(
      throws: CommandFailure("PHOTODB_KERNEL is \"quantum\", but must be one of sgemm", code: 2)
    ) {
      try naming("in.npy") { throw error }
    }
  }

  @Test("the largest numbers are no overflow")
  func largestNumbers() async throws {
    try await ClusteringFiles.withFolder { folder in
      let (input, out) = (folder + "/in.npy", folder + "/r.safetensors")
      try ClusteringFiles.write(to: input)
      for option in ["--min-samples", "--min-cluster-size", "--max-cluster-size"] {
        try await ClusteringFiles.run("fit", input, "--out", out, "--quiet", option, "\(Int.max)")
        try await ClusteringFiles.run(
          "predict", out, input, "--out", folder + "/p.safetensors", "--quiet")
        try await ClusteringFiles.run(
          "extract", out, "--min-cluster-size", "\(Int.max)", "--out", out, "--quiet")
      }
    }
  }

  @Test("no rows, one row and two rows have results", arguments: 0...2)
  func tiny(count: Int) async throws {
    try await ClusteringFiles.withFolder { folder in
      let (input, out) = (folder + "/in.npy", folder + "/r.safetensors")
      let matrix = Matrix<Float>(rows: count, columns: 3) { storage, stride in
        for row in 0..<count { storage[row * stride] = Float(row + 1) }
      }
      try NumpyFile.write(Tensor(matrix), to: input)
      try await ClusteringFiles.run("fit", input, "--out", out, "--quiet", "--single-linkage")
      #expect(
        try StoredClustering(path: out).clustering.labels == [Int](repeating: -1, count: count))
      try await ClusteringFiles.run(
        "predict", out, input, "--out", folder + "/p.safetensors", "--quiet")
      try await ClusteringFiles.run(
        "extract", out, "--cut", "9", "--out", folder + "/c.safetensors", "--quiet")
      #expect(
        try SafetensorsFile(path: folder + "/c.safetensors").required("labels").count == count)
    }
  }
}
