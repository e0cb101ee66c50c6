import HDBSCAN
import TensorFiles
import Testing
import Vectors

@testable import PhotodbCommands

@Suite("photodb hdbscan extract and predict")
struct ExtractAndPredictTests {
  /// Calls `body` with a folder and the path of a result in it.
  private func withResult(
    _ options: [String] = [], _ body: (_ folder: String, _ result: String) async throws -> Void
  ) async throws {
    try await ClusteringFiles.withFolder { folder in
      try ClusteringFiles.write(to: folder + "/in.npy")
      let ending = await ClusteringFiles.ending(
        ["fit", folder + "/in.npy", "--out", folder + "/r.safetensors", "--quiet"] + options)
      try #require(ending.code == 0)
      try await body(folder, folder + "/r.safetensors")
    }
  }

  @Test("fitted rows are predicted to be what they are")
  func predictTraining() async throws {
    try await withResult { folder, result in
      try await ClusteringFiles.run(
        "predict", result, folder + "/in.npy", "--out", folder + "/p.safetensors", "--quiet")
      let fitted = try SafetensorsFile(path: result)
      let predicted = try SafetensorsFile(path: folder + "/p.safetensors")
      for name in ["probabilities", "outlier_scores"] {
        #expect(try predicted.doubles(name) == fitted.doubles(name))
      }
      #expect(try predicted.integers("labels") == fitted.integers("labels"))
    }
  }

  @Test("new rows are placed, and unusable ones left out on request")
  func predictNew() async throws {
    try await withResult { folder, result in
      let out = folder + "/p.safetensors"
      let rows: [[Double]] = [[0.1, 0.1], [.nan, 0], [20.1, -1.9], [-500, 700]]
      try ClusteringFiles.write(rows, to: folder + "/new.csv")
      let ending = await ClusteringFiles.ending(
        "predict", result, folder + "/new.csv", "--out", out)
      #expect(ending.code == 1 && ending.error.contains(": 1;"), "\(ending.error)")
      try await ClusteringFiles.run(
        "predict", result, folder + "/new.csv", "--out", out, "--quarantine", "--quiet")
      let file = try SafetensorsFile(path: out)
      let labels = try StoredClustering(path: result).clustering.labels
      #expect(try file.integers("rows") == [0, 2, 3])
      #expect(try file.integers("labels") == [labels[0], labels[16], -1])
    }
  }

  @Test("another dimension and a result without vectors are refused")
  func predictRefused() async throws {
    try await withResult(["--without-vectors"]) { folder, result in
      let ending = await ClusteringFiles.ending(
        "predict", result, folder + "/in.npy", "--out", folder + "/p.safetensors")
      #expect(ending.code == 1 && ending.error.contains("--without-vectors"), "\(ending.error)")
    }
    try await withResult { folder, result in
      try ClusteringFiles.write([[1, 2, 3]], to: folder + "/wide.npy")
      let ending = await ClusteringFiles.ending(
        "predict", result, folder + "/wide.npy", "--out", folder + "/p.safetensors")
      #expect(ending.code == 1 && ending.error.contains("/wide.npy: "), "\(ending.error)")
    }
  }

  @Test("an extraction is what a fit with its options would have been, and can be used further")
  func extract() async throws {
    try await withResult(["--min-samples", "3"]) { folder, result in
      let out = folder + "/e.safetensors"
      try await ClusteringFiles.run(
        "extract", result, "--out", out, "--quiet", "--cluster-selection-method", "leaf",
        "--min-cluster-size", "3", "--allow-single-cluster")
      var parameters = Parameters()
      parameters.minSamples = 3
      parameters.minClusterSize = 3
      parameters.selectionMethod = .leaf
      parameters.allowSingleCluster = true
      let expected = try fit(
        .float64(Matrix(ClusteringFiles.rows)), parameters: parameters, threads: 1)
      let stored = try StoredClustering(path: out)
      #expect(stored.clustering.parameters == parameters)
      #expect(stored.clustering.labels == expected.labels)
      #expect(stored.clustering.probabilities == expected.probabilities)
      #expect(stored.clustering.exemplars == expected.exemplars)
      #expect(stored.vectors?.count == ClusteringFiles.rows.count)
      try await ClusteringFiles.run(
        "predict", out, folder + "/in.npy", "--out", folder + "/p.safetensors", "--quiet")
      #expect(
        try SafetensorsFile(path: folder + "/p.safetensors").integers("labels") == expected.labels)
    }
  }

  @Test("a result that is extracted onto itself is replaced whole")
  func inPlace() async throws {
    try await withResult { _, result in
      try await ClusteringFiles.run(
        "extract", result, "--out", result, "--quiet", "--no-allow-single-cluster")
      #expect(
        try StoredClustering(path: result).clustering.labels.count == ClusteringFiles.rows.count)
    }
  }

  @Test("a cut writes the labels of DBSCAN* at that distance")
  func cut() async throws {
    try await withResult(["--min-cluster-size", "4"]) { folder, result in
      let out = folder + "/c.safetensors"
      try await ClusteringFiles.run("extract", result, "--cut", "5", "--out", out, "--quiet")
      let file = try SafetensorsFile(path: out)
      #expect(file.arrays.map(\.name) == ["labels"])
      let expected =
        (0..<3).flatMap { [Int](repeating: $0, count: 8) }
        + [Int](repeating: 0, count: 6) + [-1]
      #expect(try file.integers("labels") == expected)
      #expect(file.metadata["cut_distance"] == "5.0")
      for options in [["--ties", "ordered"], ["--single-linkage"]] {
        let ending = await ClusteringFiles.ending(
          ["extract", result, "--cut", "5", "--out", out] + options)
        #expect(ending.code == 2)
      }
      #expect(
        await ClusteringFiles.ending("extract", result, "--cut", "nan", "--out", out).code == 2)
    }
  }

  @Test("a negative number is out of range, and no option")
  func negative() async throws {
    try await withResult { folder, result in
      let out = folder + "/c.safetensors"
      for (option, value, text) in [
        ("--cut", "-1", "--cut must be a distance, at least 0."),
        ("--cut", "-0.5", "--cut must be a distance, at least 0."),
        ("--inside", "-1", "--inside must be a label, at least 0."),
        ("--min-cluster-size", "-1", "--min-cluster-size is -1, but must be at least 2."),
      ] {
        let ending = await ClusteringFiles.ending("extract", result, option, value, "--out", out)
        #expect(ending.code == 2)
        #expect(ending.error.hasPrefix("Error: \(text)\n"), "\(ending.error)")
      }
    }
  }

  @Test("what decides distances cannot be given to an extraction")
  func fixedParameters() async throws {
    try await withResult { folder, result in
      for option in ["--min-samples", "--alpha", "--metric"] {
        let ending = await ClusteringFiles.ending(
          "extract", result, option, "3", "--out", folder + "/e.safetensors")
        #expect(ending.code == 2)
      }
    }
  }

  @Test("pairs steer an extraction as they steer a fit, by the rows of the file that was fitted")
  func pairs() async throws {
    try await ClusteringFiles.withFolder { folder in
      let (result, out) = (folder + "/r.safetensors", folder + "/e.safetensors")
      // Row 0 cannot be used, so the library's points are the file's rows minus one.
      try ClusteringFiles.write([[.nan, 0]] + ClusteringFiles.rows, to: folder + "/in.npy")
      try ClusteringFiles.write([[1, 9], [2, 10]], to: folder + "/must.csv")
      try ClusteringFiles.write([[0, 9]], to: folder + "/gone.csv")
      try await ClusteringFiles.run(
        "fit", folder + "/in.npy", "--quarantine", "--out", result, "--quiet")
      try await ClusteringFiles.run(
        "extract", result, "--must-link", folder + "/must.csv", "--allow-single-cluster", "--out",
        out, "--quiet")
      var parameters = Parameters()
      parameters.allowSingleCluster = true
      let expected = try fit(
        .float64(Matrix(ClusteringFiles.rows)), parameters: parameters,
        constraints: [PairConstraint(0, 8, .mustLink), PairConstraint(1, 9, .mustLink)])
      let plain = try StoredClustering(path: result).clustering
      let steered = try StoredClustering(path: out).clustering
      #expect(steered.labels == expected.labels && steered.labels != plain.labels)
      let gone = await ClusteringFiles.ending(
        "extract", result, "--cannot-link", folder + "/gone.csv", "--out", out)
      #expect(gone.code == 1 && gone.error.contains("names a row that was left out"))
      for options in [["--cut", "5"], ["--inside", "0"], ["--cluster-selection-method", "leaf"]] {
        let ending = await ClusteringFiles.ending(
          ["extract", result, "--must-link", folder + "/must.csv", "--out", out] + options)
        #expect(ending.code == 2, "\(ending)")
      }
    }
  }

  @Test("the clusters inside one cluster are those of the library")
  func inside() async throws {
    try await withResult(["--min-cluster-size", "3", "--allow-single-cluster"]) { folder, result in
      let (whole, out) = (folder + "/w.safetensors", folder + "/i.safetensors")
      // Everything that is nearer than 50 is one cluster; inside are the three groups.
      try await ClusteringFiles.run(
        "extract", result, "--cluster-selection-epsilon", "50", "--out", whole, "--quiet")
      let fitted = try StoredClustering(path: whole).clustering
      try #require(fitted.selection.nodes.count == 1)
      try await ClusteringFiles.run(
        "extract", whole, "--inside", "0", "--cluster-selection-epsilon", "0", "--out", out,
        "--quiet")
      var parameters = fitted.parameters
      parameters.clusterSelectionEpsilon = 0
      let (selection, labels) = try subclusters(
        of: fitted.selection.nodes[0], in: fitted.tree, parameters: parameters)
      let file = try SafetensorsFile(path: out)
      #expect(selection.nodes.count > 1)
      #expect(try file.integers("selected_clusters") == selection.nodes)
      #expect(try file.integers("points") == labels.indices.filter { labels[$0] != nil })
      #expect(try file.integers("labels") == labels.compactMap { $0 })
      #expect(file.metadata["kind"] == "inside")
      let unknown = await ClusteringFiles.ending("extract", whole, "--inside", "7", "--out", out)
      #expect(unknown.code == 1 && unknown.error.contains("none with the label 7"))
      for options in [["--min-cluster-size", "2"], ["--cut", "3"], ["--single-linkage"]] {
        let ending = await ClusteringFiles.ending(
          ["extract", whole, "--inside", "0", "--out", out] + options)
        #expect(ending.code == 2, "\(ending)")
      }
    }
  }
}
