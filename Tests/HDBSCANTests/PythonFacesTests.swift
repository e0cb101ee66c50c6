import Foundation
import TensorFiles
import Testing
import Vectors

@testable import HDBSCAN

/// Whole fits of real faces beside the exact run of the Python package `hdbscan` 0.8.44.
///
/// scripts/goldens/make_face_goldens.py wrote what the package says about the same rows: as they
/// are, with copies of some, and scaled and shifted away from the unit sphere.
@Suite struct PythonFacesTests {
  @Test(arguments: ["faces", "copies", "shifted"], [1, 2, 5])
  func sameGeometry(name: String, minSamples: Int) throws {
    let golden = try FaceGolden(name, minSamples: minSamples)
    let clustering = try golden.fit()
    #expect(clustering.coreDistances.count == golden.coreDistances.count)
    for (ours, theirs) in zip(clustering.coreDistances, golden.coreDistances) {
      #expect(abs(ours - theirs) <= 1e-6)
    }
    let weights = golden.theirTree.edges.map(\.weight).sorted()
    #expect(clustering.spanningTree.count == weights.count)
    for (ours, theirs) in zip(clustering.spanningTree.map(\.weight), weights) {
      #expect(abs(ours - theirs) <= 1e-9 * theirs)
    }
  }

  /// The package's tree code was given photodb's spanning tree in its order.
  @Test(arguments: ["faces", "copies", "shifted"], [1, 2, 5])
  func itsTreeCodeOnOurTree(name: String, minSamples: Int) throws {
    let golden = try FaceGolden(name, minSamples: minSamples)
    let clustering = try golden.fit()
    #expect(clustering.spanningTree.map { [$0.a, $0.b] } == golden.ourEdges)
    let tree = MutualReachabilityTree(
      coreDistances: clustering.coreDistances, edges: clustering.spanningTree)
    for point in golden.grid {
      let result = extractClusters(
        from: tree, pointCount: golden.rows.rows, parameters: point.parameters, weights: nil)
      expectAgreement(result, point.ours, "\(name) \(point.parameters)")
    }
  }

  /// Photodb's tree code is given the package's spanning tree in the package's order.
  @Test(arguments: ["faces", "copies", "shifted"], [1, 2, 5])
  func ourTreeCodeOnItsTree(name: String, minSamples: Int) throws {
    let golden = try FaceGolden(name, minSamples: minSamples)
    for point in golden.grid {
      let result = extractClusters(
        from: golden.theirTree, pointCount: golden.rows.rows, parameters: point.parameters,
        weights: nil)
      expectAgreement(result, point.theirs, "\(name) \(point.parameters)")
    }
  }
}

/// One data set of the fixture at one `min_samples`.
private struct FaceGolden {
  /// Settings, and what the package makes of photodb's tree and of its own with them.
  struct GridPoint {
    var parameters: Parameters
    var ours: PythonGolden.Run
    var theirs: PythonGolden.Run
  }

  let rows: Matrix<Float>
  let coreDistances: [Double]
  let ourEdges: [[Int]]
  let theirTree: MutualReachabilityTree
  let grid: [GridPoint]

  init(_ name: String, minSamples: Int) throws {
    let archive = try NumpyArchive(
      path: URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "Fixtures/python-faces.npz").path)
    func array(_ part: String) throws -> StoredArray {
      try #require(archive.array("\(name)/\(minSamples)/\(part)"), "\(name) \(part)")
    }
    func pairs(_ part: String) throws -> [[Int]] {
      let flat = try array(part).integers()
      return stride(from: 0, to: flat.count, by: 2).map { [flat[$0], flat[$0 + 1]] }
    }
    rows = try Self.rows(name)
    coreDistances = try array("core_distances").doubles()
    ourEdges = try pairs("our_edges")
    theirTree = MutualReachabilityTree(
      coreDistances: coreDistances,
      edges: zip(try pairs("their_edges"), try array("their_weights").doubles()).map {
        WeightedEdge($0[0], $0[1], weight: $1)
      })
    var runs = Runs(
      count: rows.rows, labels: try array("labels").integers(),
      probabilities: try array("probabilities").doubles(),
      persistence: try array("persistence").doubles(), scores: try array("scores").doubles())
    grid = Self.settings(minSamples: minSamples).map {
      GridPoint(parameters: $0, ours: runs.next(), theirs: runs.next())
    }
    try #require(runs.isAtEnd)
  }

  /// A fit of the rows; what the grid varies does not matter for its geometry.
  func fit() throws -> Clustering {
    try HDBSCAN.fit(.float32(rows), parameters: grid[0].parameters)
  }

  /// The grid, in the order of the script.
  private static func settings(minSamples: Int) -> [Parameters] {
    var all: [Parameters] = []
    for minClusterSize in [2, 3, 5, 10] {
      for method in [Parameters.SelectionMethod.eom, .leaf] {
        for epsilon in [0, 0.3, 0.9] {
          var parameters = Parameters()
          parameters.ties = .ordered
          parameters.minClusterSize = minClusterSize
          parameters.minSamples = minSamples
          parameters.selectionMethod = method
          parameters.clusterSelectionEpsilon = epsilon
          all.append(parameters)
        }
      }
    }
    return all
  }

  /// The rows that the script used, by the same float32 operations.
  private static func rows(_ name: String) throws -> Matrix<Float> {
    let path = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../Sources/CDemoFaces/demo-faces.safetensors").standardized.path
    let faces = try readMatrix(path: path).singlePrecision
    switch name {
    case "faces": return faces.selecting(rows: Array(0..<1000))
    case "copies":
      return faces.selecting(rows: Array(0..<300) + Array(0..<60) + Array(0..<20) + Array(0..<20))
    default:
      return Matrix(
        (0..<300).map { row in
          (0..<faces.columns).map { faces.row(row)[$0] * Float(20 + row % 7) + 100 }
        })
    }
  }
}

/// The package's results, one run after the other.
private struct Runs {
  let count: Int
  let labels: [Int]
  let probabilities: [Double]
  let persistence: [Double]
  let scores: [Double]
  private var run = 0
  private var persistenceRead = 0

  init(
    count: Int, labels: [Int], probabilities: [Double], persistence: [Double], scores: [Double]
  ) {
    self.count = count
    self.labels = labels
    self.probabilities = probabilities
    self.persistence = persistence
    self.scores = scores
  }

  var isAtEnd: Bool {
    run * count == labels.count && persistenceRead == persistence.count
  }

  mutating func next() -> PythonGolden.Run {
    let points = run * count..<(run + 1) * count
    let clusters = Int(persistence[persistenceRead])
    let values = persistence[(persistenceRead + 1)...].prefix(clusters)
    run += 1
    persistenceRead += 1 + clusters
    return PythonGolden.Run(
      settings: PythonGolden.Settings(), labels: Array(labels[points]),
      probabilities: probabilities[points].map { PythonGolden.PortableDouble($0) },
      persistence: values.map { PythonGolden.PortableDouble($0) },
      outlierScores: scores[points].map { PythonGolden.PortableDouble($0) })
  }
}
