import Testing
import Vectors

@testable import HDBSCAN

/// What holds for every result, whatever the data.
@Suite struct PropertyTests {
  @Test(arguments: Shape.allCases) func permutationChangesNothing(shape: Shape) {
    for parameters in DefinitionParityTests.settings {
      let rows = shape.rows(count: 41, seed: 7)
      var random = SplitMix64(state: 99)
      let order = Array(rows.indices).shuffled(using: &random)
      let plain = extract(rows, parameters)
      let shuffled = extract(order.map { rows[$0] }, parameters)

      var renamed: [Int: Int] = [:]
      for (position, point) in order.enumerated() {
        let label = plain.labels[point]
        #expect(renamed[label, default: shuffled.labels[position]] == shuffled.labels[position])
        renamed[label] = shuffled.labels[position]
        #expect(plain.probabilities[point] == shuffled.probabilities[position])
        #expect(plain.outlierScores[point] == shuffled.outlierScores[position])
        #expect(plain.pointLambdas[point] == shuffled.pointLambdas[position])
      }
      #expect(Set(renamed.values).count == renamed.count)
      #expect(
        plain.selection.stabilities.sorted() == shuffled.selection.stabilities.sorted())
    }
  }

  @Test(arguments: Shape.allCases) func resultsAreInRangeAndSelectionsAntichains(shape: Shape)
    throws
  {
    for var parameters in DefinitionParityTests.settings {
      for persistence in [0, 0.4, 2] {
        parameters.clusterSelectionPersistence = persistence
        let result = extract(shape.rows(count: 60, seed: 3), parameters)
        try result.tree.check()
        let parents = result.tree.clusterParents
        let selected = Set(result.selection.nodes)
        for node in result.selection.nodes {
          var above = parents[node - result.tree.pointCount]
          while above >= 0 {
            #expect(!selected.contains(above), "\(above) above \(node)")
            above = parents[above - result.tree.pointCount]
          }
        }
        #expect(result.selection.nodes == result.selection.nodes.sorted())
        #expect((result.probabilities + result.outlierScores).allSatisfy { (0...1).contains($0) })
        #expect(result.selection.persistences.allSatisfy { (0...1).contains($0) })
        for (label, exemplars) in result.exemplars.enumerated() {
          #expect(exemplars == exemplars.sorted())
          #expect(exemplars.allSatisfy { result.labels[$0] == label })
          #expect(!exemplars.isEmpty || result.selection.nodes == [result.tree.pointCount])
        }
      }
    }
  }

  @Test(arguments: Shape.allCases) func aWeightIsThatManyCopies(shape: Shape) {
    // Copies of a point are as far apart as its core distance says, and its core distance counts
    // them. So a weighted fit and a fit of the copies must describe one and the same hierarchy.
    var random = SplitMix64(state: 5)
    let unique = Array(Set(shape.rows(count: 25, seed: 11))).sorted {
      $0.lexicographicallyPrecedes($1)
    }
    let weights = unique.map { _ in Int.random(in: 1...5, using: &random) }
    let owners = unique.indices.flatMap { Array(repeating: $0, count: weights[$0]) }
    for parameters in DefinitionParityTests.settings {
      let copies = extract(owners.map { unique[$0] }, parameters)
      var core = [Double](repeating: 0, count: unique.count)
      for (copy, owner) in owners.enumerated() { core[owner] = copies.coreDistances[copy] }
      let distances = distanceMatrix(unique)
      let tree = directTree(distances: distances, core: core, alpha: parameters.alpha)
      let weighted = extractClusters(
        from: tree, pointCount: unique.count, parameters: parameters, weights: weights)
      for (copy, owner) in owners.enumerated() {
        #expect(copies.labels[copy] == weighted.labels[owner])
        #expect(copies.pointLambdas[copy] == weighted.pointLambdas[owner])
        #expect(copies.probabilities[copy] == weighted.probabilities[owner])
        #expect(copies.outlierScores[copy] == weighted.outlierScores[owner])
      }
      #expect(copies.selection.stabilities == weighted.selection.stabilities)
      #expect(weighted.tree.pointWeights == weights)
    }
  }
}
