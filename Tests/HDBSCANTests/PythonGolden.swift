import Foundation

@testable import HDBSCAN

/// The fixture that scripts/goldens/make_goldens.py writes.
struct PythonGolden: Decodable {
  struct Case: Decodable {
    var name: String
    var points: [[Double]]
    var minClusterSize: Int
    var minSamples: Int
    var coreDistances: [PortableDouble]
    var edges: [[Double]]
    var runs: [Run]
  }

  struct Run: Decodable {
    var settings: Settings
    var labels: [Int]
    var probabilities: [PortableDouble]
    var persistence: [PortableDouble]
    var outlierScores: [PortableDouble]
  }

  struct Settings: Decodable {
    var allowSingleCluster: Bool?
    var clusterSelectionMethod: Parameters.SelectionMethod?
    var clusterSelectionEpsilon: Double?
    var clusterSelectionEpsilonMax: Double?
    var clusterSelectionPersistence: Double?
    var maxClusterSize: Int?
  }

  /// A number, or "inf" or "nan" where JSON has none.
  struct PortableDouble: Decodable {
    var value: Double

    init(_ value: Double) { self.value = value }

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let number = try? container.decode(Double.self) {
        value = number
        return
      }
      let text = try container.decode(String.self)
      guard let parsed = Double(text) else {
        throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a number")
      }
      value = parsed
    }
  }

  var cases: [Case]

  static func load() throws -> PythonGolden {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Fixtures/python-hdbscan.json")
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(PythonGolden.self, from: Data(contentsOf: file))
  }
}

extension PythonGolden.Case {
  var tree: MutualReachabilityTree {
    MutualReachabilityTree(
      coreDistances: coreDistances.map(\.value),
      edges: edges.map { WeightedEdge(Int($0[0]), Int($0[1]), weight: $0[2]) })
  }

  func parameters(_ settings: PythonGolden.Settings) -> Parameters {
    var parameters = Parameters()
    parameters.ties = .ordered
    parameters.minClusterSize = minClusterSize
    parameters.minSamples = minSamples
    parameters.allowSingleCluster = settings.allowSingleCluster ?? false
    parameters.selectionMethod = settings.clusterSelectionMethod ?? .eom
    parameters.clusterSelectionEpsilon = settings.clusterSelectionEpsilon ?? 0
    parameters.clusterSelectionEpsilonMax = settings.clusterSelectionEpsilonMax ?? .infinity
    parameters.clusterSelectionPersistence = settings.clusterSelectionPersistence ?? 0
    parameters.maxClusterSize = settings.maxClusterSize
    return parameters
  }
}
