import Testing

@testable import HDBSCAN

/// Ordered mode against the tree code of the Python package `hdbscan` fed with the same tree.
///
/// The differences that are wanted are listed in docs/hdbscan-conventions.md and spelled out here.
@Suite struct PythonParityTests {
  @Test func sameLabelsProbabilitiesPersistenceAndScores() throws {
    for golden in try PythonGolden.load().cases {
      for run in golden.runs {
        let parameters = golden.parameters(run.settings)
        let result = extractClusters(
          from: golden.tree, pointCount: golden.points.count, parameters: parameters, weights: nil)
        let context = "\(golden.name) \(golden.minClusterSize)/\(golden.minSamples) \(run.settings)"
        expectAgreement(result, run, context)
      }
    }
  }
}

/// Expects what the package says, but for the differences that are wanted.
func expectAgreement(_ result: Clustering, _ run: PythonGolden.Run, _ context: String) {
  compareLabels(result, run, context)
  compareScores(result, run, context)
}

private func compareLabels(_ result: Clustering, _ run: PythonGolden.Run, _ context: String) {
  var theirs: [Int: Int] = [:]
  for (ours, label) in zip(result.labels, run.labels) {
    let known = theirs[ours] ?? label
    theirs[ours] = label
    #expect(known == label && (ours == -1) == (label == -1), "\(context)")
  }
  #expect(Set(theirs.values).count == theirs.count, "\(context)")
  #expect(result.selection.nodes.count == run.persistence.count, "\(context)")

  let rootAlone = result.selection.nodes == [result.tree.pointCount]
  let below = result.tree.clusterChildren
  for (ours, label) in theirs where ours >= 0 && label >= 0 && label < run.persistence.count {
    // The package divides by the number of labelled points, which for the root exceeds 1.
    if rootAlone { continue }
    // Where epsilon brings an ancestor back that EOM had rejected, the package reports the
    // stability of what EOM had kept below it instead of its own.
    let node = result.selection.nodes[ours] - result.tree.pointCount
    let broughtBack =
      result.parameters.selectionMethod == .eom && result.parameters.clusterSelectionEpsilon > 0
      && !below[node].isEmpty
    if broughtBack { continue }
    let difference = result.selection.persistences[ours] - run.persistence[label].value
    #expect(abs(difference) < 1e-6, "\(context)")
  }
}

private func compareScores(_ result: Clustering, _ run: PythonGolden.Run, _ context: String) {
  let deaths = result.tree.clusterDeaths
  for point in result.labels.indices {
    let label = result.labels[point]
    if label >= 0 {
      // The package says λ/∞ = 0 for a full member of a cluster that ends in duplicates.
      let endless = deaths[result.selection.nodes[label] - result.tree.pointCount] == .infinity
      let expected = endless ? 1 : run.probabilities[point].value
      #expect(abs(result.probabilities[point] - expected) < 1e-6, "\(context) point \(point)")
    } else {
      #expect(result.probabilities[point] == 0)
    }
    let theirs = run.outlierScores[point].value
    let expected = theirs.isNaN ? 1 : theirs
    #expect(abs(result.outlierScores[point] - expected) < 1e-6, "\(context) point \(point)")
  }
}
