import Testing
import Vectors

@testable import HDBSCAN

/// Vectors of soft membership: one formula for training points and new ones.
@Suite struct SoftMembershipTests {
  private func values(_ matrix: Matrix<Double>) -> [[Double]] {
    (0..<matrix.rows).map { matrix.values(ofRow: $0) }
  }

  @Test(arguments: Shape.allCases) func trainingAndNewVectorsAgree(shape: Shape) throws {
    var weightUsed = 0
    for parameters in DefinitionParityTests.settings {
      let rows = shape.rows(count: 70, seed: 14)
      let fit = extract(rows, parameters)
      let model = try PredictionModel(points: .float64(Matrix(rows)), clustering: fit)
      let trained = values(try model.trainingMemberships(exemplars: fit.exemplars))
      let asNew = try model.memberships(
        of: .float64(Matrix(rows)), exemplars: fit.exemplars, threads: 2)
      #expect(trained == values(asNew))
      let alone = try model.memberships(of: .float64(Matrix([rows[5]])), exemplars: fit.exemplars)
      #expect(values(alone) == [trained[5]])
      let moved = rows.map { [$0[0] + 0.3, $0[1] - 40] }
      let other = try model.memberships(of: .float64(Matrix(moved)), exemplars: fit.exemplars)
      for row in trained + values(other) {
        #expect(row.count == fit.selection.nodes.count)
        #expect(row.allSatisfy { $0.isFinite && $0 >= 0 })
        #expect(row.reduce(0, +) <= 1 + 1e-12)
      }
      // A member's row sums to its probability.
      for (point, label) in fit.labels.enumerated() where label >= 0 {
        #expect(abs(trained[point].reduce(0, +) - fit.probabilities[point]) < 1e-12)
        weightUsed += 1
      }
    }
    #expect(weightUsed > 0)
  }

  @Test func membersLeanToTheirClusterAndExemplarsAreItsOwn() throws {
    var parameters = Parameters()
    parameters.minClusterSize = 5
    let rows = Shape.groups.rows(count: 120, seed: 2)
    let fit = extract(rows, parameters)
    #expect(fit.selection.nodes.count >= 3)
    let model = try PredictionModel(points: .float64(Matrix(rows)), clustering: fit)
    let result = values(try model.trainingMemberships(exemplars: fit.exemplars))
    for (label, points) in fit.exemplars.enumerated() {
      for point in points {
        let expected = fit.selection.nodes.indices.map {
          $0 == label ? fit.probabilities[point] : 0
        }
        #expect(result[point] == expected)
      }
    }
    let right = fit.labels.enumerated().filter { point, label in
      label >= 0 && result[point].firstIndex(of: result[point].max() ?? 0) == label
    }
    #expect(right.count * 10 > fit.labels.filter { $0 >= 0 }.count * 9)
  }

  @Test func theFormulaByHand() throws {
    // Two clusters under the root: born at lambda 1, their points leave at 2 and 4, and 2 and 2.
    let tree = CondensedTree(
      pointCount: 5, parents: [5, 5, 5, 6, 6, 7, 7], children: [4, 6, 7, 0, 1, 2, 3],
      lambdas: [0.5, 1, 1, 2, 4, 2, 2], sizes: [1, 2, 2, 1, 1, 1, 1])
    try tree.check()
    let selection = Selection(nodes: [6, 7], stabilities: [1, 1], persistences: [1, 1])
    var heights = MergeHeights(
      try Placement(tree: tree, selection: selection, parameters: Parameters()))
    let found = heights.memberships(at: TreePlace(cluster: 6, lambda: 2), distances: [1, 3])
    // exp(4/(4 − 2))/1 and exp(4/(4 − 1))/3, scaled to 2/4.
    let (own, other) = (7.38905609893065, 3.7936678946831774 / 3)
    #expect(abs(found[0] - own / (own + other) / 2) < 1e-15)
    #expect(abs(found[1] - other / (own + other) / 2) < 1e-15)
    // A stray of the root is in line with both: distance alone decides, and 0.5 / 4.
    let stray = heights.memberships(at: TreePlace(cluster: 5, lambda: 0.5), distances: [1, 3])
    #expect(stray == [0.75 * 0.125, 0.25 * 0.125])
    // Where an exemplar of another branch coincides, the tree still gives finite values.
    let clash = heights.memberships(at: TreePlace(cluster: 6, lambda: 4), distances: [1, 0])
    #expect(clash == [1, 0])
  }

  @Test func deletedRowsAndWrongExemplars() throws {
    let rows = Shape.groups.rows(count: 60, seed: 3)
    var parameters = Parameters()
    parameters.minClusterSize = 4
    let fit = extract(rows, parameters)
    let model = try PredictionModel(
      points: .float64(Matrix([rows[2], rows[7]])), pointOfRow: [2, 7],
      coreDistances: fit.coreDistances, tree: fit.tree, selection: fit.selection,
      parameters: parameters)
    let result = try model.memberships(of: .float64(Matrix(rows)), exemplars: fit.exemplars)
    #expect(values(result).allSatisfy { $0.allSatisfy(\.isFinite) && $0.reduce(0, +) <= 1 + 1e-12 })
    #expect(throws: HDBSCANError.self) {
      try model.trainingMemberships(exemplars: [[0]] + fit.exemplars)
    }
  }
}
