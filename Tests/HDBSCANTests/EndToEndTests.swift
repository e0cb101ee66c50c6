import Testing
import Vectors

@testable import HDBSCAN

/// `fit` as a whole: geometry and trees together.
@Suite struct EndToEndTests {
  @Test(arguments: Shape.allCases) func fitAgreesWithTheDefinitions(shape: Shape) throws {
    for count in [0, 1, 2, 3, 12, 60] {
      let rows = shape.rows(count: count, seed: 101)
      let matrix = Matrix<Double>(rows: count, columns: 2) { storage, stride in
        for (index, row) in rows.enumerated() {
          (storage[index * stride], storage[index * stride + 1]) = (row[0], row[1])
        }
      }
      for parameters in DefinitionParityTests.settings {
        let fitted = try fit(.float64(matrix), parameters: parameters, threads: 2)
        let expected = extract(rows, parameters)
        #expect(fitted.coreDistances == expected.coreDistances)
        #expect(fitted.labels == expected.labels)
        #expect(fitted.probabilities == expected.probabilities)
        #expect(fitted.outlierScores == expected.outlierScores)
        #expect(fitted.selection.stabilities == expected.selection.stabilities)
        if parameters.ties == .simultaneous { #expect(fitted.tree == expected.tree) }
      }
    }
  }

  @Test(arguments: Shape.allCases) func weightsAreCopies(shape: Shape) throws {
    var random = SplitMix64(state: 6)
    let unique = Array(Set(shape.rows(count: 30, seed: 13)))
      .sorted { $0.lexicographicallyPrecedes($1) }
    let weights = unique.map { _ in Int.random(in: 1...4, using: &random) }
    let owners = unique.indices.flatMap { Array(repeating: $0, count: weights[$0]) }
    for parameters in DefinitionParityTests.settings {
      let copies = try fit(
        .float64(Matrix(owners.map { unique[$0] })), parameters: parameters)
      let weighted = try fit(
        .float64(Matrix(unique)), parameters: parameters, weights: weights)
      for (copy, owner) in owners.enumerated() {
        #expect(copies.coreDistances[copy] == weighted.coreDistances[owner])
        #expect(copies.labels[copy] == weighted.labels[owner])
        #expect(copies.probabilities[copy] == weighted.probabilities[owner])
        #expect(copies.outlierScores[copy] == weighted.outlierScores[owner])
      }
      let again = try reextract(weighted, parameters: parameters)
      #expect(again.labels == weighted.labels)
      #expect(again.tree == weighted.tree)
    }
  }
}
