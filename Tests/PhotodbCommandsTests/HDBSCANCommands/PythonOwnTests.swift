import Foundation
import HDBSCAN
import TensorFiles
import Testing
import Vectors

@testable import PhotodbCommands

/// The Python package's own tests, tests/test_hdbscan.py of `hdbscan` 0.8.44, through the command.
///
/// Each test is named as there, on the data that the package's tests make
/// (scripts/fixtures/python_test_data.py), with its expectations. docs/hdbscan-conventions.md lists
/// which of them apply.
@Suite("the Python package's own tests")
struct PythonOwnTests {
  @Test func missingData() async throws {
    try await PythonFiles.with { files in
      var rows = files.rows("X")
      rows[0] = [.nan, 1]
      rows[5] = [.nan, .nan]
      let result = try await files.fit(rows, "--quarantine")
      let clean = (0..<200).filter { $0 != 0 && $0 != 5 }
      #expect(try result.integers("rows") == clean)
      let cleanResult = try await files.fit(clean.map { rows[$0] })
      #expect(try result.integers("labels") == cleanResult.integers("labels"))
    }
  }

  @Test func distanceMatrix() async throws {
    try await PythonFiles.with { files in
      var distances = files.distances("X")
      let largest = distances.joined().max() ?? 1
      for row in distances.indices {
        for column in distances.indices { distances[row][column] /= largest }
      }
      let result = try await files.fit(distances, "--metric", "precomputed")
      #expect(result.clusterCount == 3)
    }
  }

  /// Also its tests of feature vectors and of six algorithms: here there is one.
  @Test func featureVector() async throws {
    try await PythonFiles.with { files in
      let labels = try await files.fit("X").integers("labels")
      #expect(samePartition(labels, files.integers("labels")))
      #expect(Set(labels).subtracting([-1]).count == 3)
    }
  }

  @Test func dbscanClustering() async throws {
    try await PythonFiles.with { files in
      let cut = try await files.fit("X").extract("--cut", "0.3")
      #expect(cut.clusterCount == 3)
    }
  }

  @Test func highDimensional() async throws {
    try await PythonFiles.with { files in
      let result = try await files.fit("high_dimensional")
      #expect(result.clusterCount == 3)
    }
  }

  @Test func noClusters() async throws {
    try await PythonFiles.with { files in
      let result = try await files.fit("X", "--min-cluster-size", "201")
      #expect(result.clusterCount == 0)
    }
  }

  @Test func minClusterSize() async throws {
    try await PythonFiles.with { files in
      for size in 2...200 {
        let labels = try await files.fit("X", "--min-cluster-size", "\(size)").integers("labels")
        let counts = Dictionary(labels.map { ($0, 1) }, uniquingKeysWith: +)
        #expect(counts.allSatisfy { $0.key == -1 || $0.value >= size }, "\(size)")
      }
    }
  }

  @Test func inputLists() async throws {
    try await PythonFiles.with { files in
      let result = try await files.fit([[1, 2], [3, 4]])
      #expect(try result.integers("labels") == [-1, -1])
    }
  }

  /// Vectors and their distances agree (there: two algorithms but for 15 %).
  @Test func boruvkaMatches() async throws {
    try await PythonFiles.with { files in
      let vectors = try await files.fit("noisy")
      let distances = try await files.fit(files.distances("noisy"), "--metric", "precomputed")
      #expect(vectors.clusterCount > 1)
      #expect(try vectors.integers("labels") == distances.integers("labels"))
      #expect(try vectors.doubles("condensed_lambda") == distances.doubles("condensed_lambda"))
    }
  }

  @Test func treeNumpyOutputFormats() async throws {
    try await PythonFiles.with { files in
      let file = try await files.fit("X", "--single-linkage").file
      #expect(file.array("mst")?.shape == [199, 3])
      #expect(file.array("single_linkage")?.shape == [199, 4])
      let rows = try #require(file.array("condensed_parent")).count
      #expect(rows >= 200)
      for name in ["condensed_child", "condensed_lambda", "condensed_size"] {
        #expect(file.array(name)?.count == rows)
      }
    }
  }

  @Test func outliers() async throws {
    try await PythonFiles.with { files in
      let scores = try await files.fit("X").doubles("outlier_scores")
      #expect(scores.count == 200 && scores.allSatisfy { (0...1).contains($0) })
    }
  }

  @Test func approximatePredict() async throws {
    try await PythonFiles.with { files in
      let result = try await files.fit("X")
      let predicted = try await result.predict([[-1.5, -1], [1.5, -1], [0, 0]]).integers("labels")
      // The package's names of clusters, translated.
      let ours = try result.integers("labels")
      let theirs = files.integers("labels")
      let second = try #require(theirs.firstIndex(of: 2))
      let first = try #require(theirs.firstIndex(of: 1))
      #expect(predicted == [ours[second], ours[first], -1])
    }
  }

  @Test func approximatePredictScore() async throws {
    try await PythonFiles.with { files in
      let withoutVectors = try await files.fit("X", "--without-vectors")
      #expect(await withoutVectors.predictEnding([[1.5, -1]]).code == 1)
      let result = try await files.fit("X")
      #expect(await result.predictEnding([[1, 2, 3]]).code == 1)
      let noClusters = try await files.fit("X", "--min-cluster-size", "200")
      #expect(try await noClusters.predict([[1.5, -1]]).integers("labels") == [-1])
      let scores = try await result.predict(files.rows("X")).doubles("outlier_scores")
      let fitted = try result.doubles("outlier_scores")
      #expect(scores.count == fitted.count && scores.allSatisfy { (0...1).contains($0) })
      for (score, expected) in zip(scores, fitted) { #expect(abs(score - expected) < 1e-6) }
    }
  }

  @Test(arguments: [
    "--min-cluster-size=fail", "--min-samples=fail", "--min-samples=-1", "--metric=imperial",
    "--metric=", "--alpha=-1", "--alpha=fail", "--algorithm=something_else",
    "--cluster-selection-epsilon=-1", "--cluster-selection-persistence=-1",
    "--cluster-selection-epsilon-max=-1",
  ])
  func badArguments(option: String) async throws {
    try await PythonFiles.with { files in
      let path = try files.write(files.rows("X"))
      let ending = await ClusteringFiles.ending(
        "fit", path, "--out", files.folder + "/no.safetensors", option)
      #expect(ending.code == 2, "\(ending)")
      let none = await ClusteringFiles.ending(
        "fit", files.folder + "/fail.npy", "--out", files.folder + "/no.safetensors")
      #expect(none.code == 1)
    }
  }

  /// There a cached tree is used again; here a stored one, and a new fit says the same.
  @Test func caching() async throws {
    try await PythonFiles.with { files in
      let five = try await files.fit("X", "--min-samples", "5")
      let six = try await five.extract("--min-cluster-size", "6")
      let fitted = try await files.fit("X", "--min-samples", "5", "--min-cluster-size", "6")
      #expect(six.clusterCount == five.clusterCount)
      #expect(try six.integers("labels") == fitted.integers("labels"))
      #expect(try six.doubles("probabilities") == fitted.doubles("probabilities"))
    }
  }

  /// Centroids from the result's tensors, weighted by probability as the package does.
  @Test func centroids() async throws {
    try await PythonFiles.with { files in
      let result = try await files.fit("two_centers")
      let labels = try result.integers("labels")
      let weights = try result.doubles("probabilities")
      let rows = files.rows("two_centers")
      #expect(Set(labels).subtracting([-1]) == [0, 1])
      var found: [[Double]] = []
      for label in 0..<2 {
        let members = labels.indices.filter { labels[$0] == label }
        let total = members.reduce(0) { $0 + weights[$1] }
        found.append(
          (0..<2).map { column in
            members.reduce(0) { $0 + weights[$1] * rows[$1][column] } / total
          })
      }
      found.sort { $0[0] < $1[0] }
      for (centroid, center) in zip(found, [0.0, 3.0]) {
        #expect(centroid.allSatisfy { abs($0 - center) < 0.15 }, "\(centroid)")
      }
    }
  }

  @Test func allowSingleClusterWithEpsilon() async throws {
    try await PythonFiles.with { files in
      for (epsilon, noise) in [("0.0", 46), ("0.2", 2)] {
        let labels = try await files.fit(
          "no_structure", "--allow-single-cluster", "--cluster-selection-epsilon", epsilon
        ).integers("labels")
        #expect(Set(labels) == [-1, 0])
        #expect(labels.count { $0 == -1 } == noise, "\(epsilon)")
      }
    }
  }

  @Test func persistenceThreshold() async throws {
    try await PythonFiles.with { files in
      let labels = try await files.fit("no_structure", "--cluster-selection-persistence", "0.5")
        .integers("labels")
      #expect(Set(labels).count == 7)
    }
  }

  @Test func clusterSelectionEpsilonMax() async throws {
    try await PythonFiles.with { files in
      for (limit, labels) in [("2.0", [0, 1]), ("1.0", [-1, 0, 1, 2, 3])] {
        let result = try await files.fit(
          "four_blobs", "--allow-single-cluster", "--cluster-selection-epsilon-max", limit)
        #expect(try Set(result.integers("labels")) == Set(labels), "\(limit)")
      }
    }
  }

  @Test func parametersDoNotTriggerErrors() async throws {
    try await PythonFiles.with { files in
      _ = try await files.fit("four_blobs", "--max-cluster-size", "10", "--allow-single-cluster")
      _ = try await files.fit(
        "four_blobs", "--cluster-selection-epsilon-max", "0.41", "--cluster-selection-epsilon",
        "0.4", "--allow-single-cluster")
    }
  }

  /// Whether two labellings differ in names alone.
  private func samePartition(_ first: [Int], _ second: [Int]) -> Bool {
    var names: [Int: Int] = [-1: -1]
    for (one, other) in zip(first, second) where names[one] == nil { names[one] = other }
    return first.map { names[$0] } == second && Set(names.values).count == names.count
  }
}

/// The package's test data, and a folder in which the command works on it.
private struct PythonFiles {
  let folder: String
  private let arrays: [String: [[Double]]]
  private let labels: [Int]

  static func with(_ body: (PythonFiles) async throws -> Void) async throws {
    let archive = try NumpyArchive(
      path: URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../Fixtures/python-test-data.npz").path)
    var arrays: [String: [[Double]]] = [:]
    for array in archive.arrays where array.name != "labels" {
      let matrix = try array.matrix().doublePrecision
      arrays[array.name] = (0..<matrix.rows).map { row in
        (0..<matrix.columns).map { matrix.row(row)[$0] }
      }
    }
    let labels = try #require(archive.array("labels")).integers()
    let data = arrays
    try await ClusteringFiles.withFolder {
      try await body(PythonFiles(folder: $0, arrays: data, labels: labels))
    }
  }

  func rows(_ name: String) -> [[Double]] { arrays[name] ?? [] }

  func integers(_ name: String) -> [Int] { name == "labels" ? labels : [] }

  func distances(_ name: String) -> [[Double]] {
    let matrix = Matrix<Double>(rows(name))
    return (0..<matrix.rows).map { row in
      (0..<matrix.rows).map { matrix.squaredDistance(row, $0).squareRoot() }
    }
  }

  func write(_ rows: [[Double]]) throws -> String {
    let path = "\(folder)/\(UUID().uuidString).npy"
    try ClusteringFiles.write(rows, to: path)
    return path
  }

  /// `photodb hdbscan fit` of one of the arrays.
  func fit(_ name: String, _ options: String...) async throws -> ResultInFolder {
    let rows = rows(name)
    try #require(!rows.isEmpty, "no array \(name)")
    return try await fit(rows, options)
  }

  /// `photodb hdbscan fit` of rows.
  func fit(_ rows: [[Double]], _ options: String...) async throws -> ResultInFolder {
    try await fit(rows, options)
  }

  private func fit(_ rows: [[Double]], _ options: [String]) async throws -> ResultInFolder {
    let out = "\(folder)/\(UUID().uuidString).safetensors"
    let ending = await ClusteringFiles.ending(
      ["fit", try write(rows), "--out", out, "--quiet"] + options)
    try #require(ending.code == 0, "\(ending)")
    return try ResultInFolder(files: self, path: out)
  }
}

/// A file that the command has written.
private struct ResultInFolder {
  let files: PythonFiles
  let path: String
  let file: SafetensorsFile
  let clusterCount: Int

  init(files: PythonFiles, path: String) throws {
    self.files = files
    self.path = path
    file = try SafetensorsFile(path: path)
    clusterCount = try Set(file.integers("labels")).subtracting([-1]).count
  }

  func integers(_ name: String) throws -> [Int] { try file.integers(name) }

  func doubles(_ name: String) throws -> [Double] { try file.doubles(name) }

  /// `photodb hdbscan extract`.
  func extract(_ options: String...) async throws -> ResultInFolder {
    let out = "\(files.folder)/\(UUID().uuidString).safetensors"
    let ending = await ClusteringFiles.ending(
      ["extract", path, "--out", out, "--quiet"] + options)
    try #require(ending.code == 0, "\(ending)")
    return try ResultInFolder(files: files, path: out)
  }

  /// `photodb hdbscan predict` of rows.
  func predict(_ rows: [[Double]]) async throws -> ResultInFolder {
    let out = "\(files.folder)/\(UUID().uuidString).safetensors"
    let ending = await ClusteringFiles.ending(
      "predict", path, try files.write(rows), "--out", out, "--quiet")
    try #require(ending.code == 0, "\(ending)")
    return try ResultInFolder(files: files, path: out)
  }

  /// How a prediction of rows ends.
  func predictEnding(_ rows: [[Double]]) async -> Ending {
    do {
      return await ClusteringFiles.ending(
        "predict", path, try files.write(rows), "--out", files.folder + "/no.safetensors")
    } catch {
      return Ending(of: error)
    }
  }
}
