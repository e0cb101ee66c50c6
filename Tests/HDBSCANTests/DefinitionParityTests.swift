import Testing

@testable import HDBSCAN

/// The library against the direct implementation of the definitions.
@Suite struct DefinitionParityTests {
  static let settings: [Parameters] = {
    var result: [Parameters] = []
    for method in Parameters.SelectionMethod.allCases {
      for single in [false, true] {
        for (size, samples) in [(2, 1), (3, 2), (5, 5), (4, 8)] {
          for epsilon in [0, 0.3, 1.1] {
            var parameters = Parameters()
            parameters.selectionMethod = method
            parameters.allowSingleCluster = single
            parameters.minClusterSize = size
            parameters.minSamples = samples
            parameters.clusterSelectionEpsilon = epsilon
            result.append(parameters)
          }
        }
      }
    }
    var limited = Parameters()
    limited.minClusterSize = 3
    limited.maxClusterSize = 9
    result.append(limited)
    limited.maxClusterSize = nil
    limited.clusterSelectionEpsilonMax = 0.4
    result.append(limited)
    limited.allowSingleCluster = true
    limited.alpha = 1.5
    result.append(limited)
    return result
  }()

  @Test(arguments: Shape.allCases) func everythingAgrees(shape: Shape) {
    for count in [2, 3, 5, 9, 30, 47] {
      let rows = shape.rows(count: count, seed: UInt64(count))
      for parameters in Self.settings { compare(rows, parameters) }
    }
  }

  private func compare(_ rows: [[Double]], _ parameters: Parameters) {
    let expected = DirectHDBSCAN(distances: distanceMatrix(rows), parameters: parameters).outcome()
    let result = extract(rows, parameters)
    #expect(result.pointLambdas == expected.lambdas)
    #expect(result.outlierScores == expected.outlierScores)

    var members = [[Int: Double]](repeating: [:], count: result.selection.nodes.count)
    for (point, label) in result.labels.enumerated() {
      if label >= 0 {
        members[label][point] = result.probabilities[point]
      } else {
        #expect(result.probabilities[point] == 0)
      }
    }
    #expect(members.count == expected.clusters.count, "\(parameters)")
    for (index, cluster) in expected.clusters.enumerated() {
      let label = members.firstIndex(of: cluster)
      #expect(label != nil, "no cluster of \(cluster.keys.sorted()) with \(parameters)")
      if let label {
        let difference = result.selection.persistences[label] - expected.persistences[index]
        #expect(abs(difference) < 1e-12)
      }
    }
  }
}
