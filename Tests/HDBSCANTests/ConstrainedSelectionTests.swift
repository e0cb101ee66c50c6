import Testing
import Vectors

@testable import HDBSCAN

/// Must-link and cannot-link pairs against a search through every selection there is.
@Suite struct ConstrainedSelectionTests {
  /// All ways to take one allowed cluster on every branch at and below a position.
  private func selections(_ position: Int, _ facts: ClusterFacts, single: Bool) -> [[Int]] {
    var below: [[Int]] = [[]]
    for child in facts.children[position] {
      let options = selections(child - facts.root, facts, single: single)
      below = below.flatMap { chosen in options.map { chosen + $0 } }
    }
    if position == 0 && !single { return below }
    return (facts.children[position].isEmpty ? [] : below) + [[facts.root + position]]
  }

  private func pairs(count: Int, of points: Int, seed: UInt64) -> [PairConstraint] {
    var random = SplitMix64(state: seed)
    return (0..<count).map { _ in
      let a = Int.random(in: 0..<points, using: &random)
      let b = (a + Int.random(in: 1..<points, using: &random)) % points
      return PairConstraint(a, b, Bool.random(using: &random) ? .mustLink : .cannotLink)
    }
  }

  private func labels(_ nodes: [Int], _ tree: CondensedTree, _ parameters: Parameters) -> [Int] {
    let labelling = ClusterLabelling(tree: tree, nodes: nodes.sorted(), parameters: parameters)
    return zip(tree.pointParents, tree.pointLambdas).map {
      labelling.label(cluster: $0, lambda: $1)
    }
  }

  @Test(arguments: Shape.allCases) func satisfiesAsManyAsAnySelection(shape: Shape) throws {
    var differs = 0
    for seed in UInt64(1)...12 {
      for single in [false, true] {
        for epsilon in [0, 0.4] {
          var parameters = Parameters()
          parameters.minClusterSize = 3
          parameters.minSamples = 2
          parameters.allowSingleCluster = single
          parameters.clusterSelectionEpsilon = epsilon
          let stored = extract(shape.rows(count: 30, seed: seed), parameters)
          let constraints = pairs(count: 8, of: 30, seed: seed)
          let result = try reextract(stored, parameters: parameters, constraints: constraints)
          let facts = ClusterFacts(stored.tree)
          var best = (satisfied: -1, stability: 0.0)
          for raw in selections(0, facts, single: single) {
            let nodes = mergeBelow(
              epsilon: epsilon, selected: raw.sorted(), facts: facts, allowSingleCluster: single)
            let found = labels(nodes, stored.tree, parameters)
            let satisfied = constraints.filter { $0.isSatisfied(by: found) }.count
            let stability = nodes.reduce(0) { $0 + facts.stabilities[$1 - facts.root] }
            best = max(best, (satisfied, stability), by: <)
          }
          #expect(constraints.filter { $0.isSatisfied(by: result.labels) }.count == best.satisfied)
          if epsilon == 0 {
            let total = result.selection.stabilities.reduce(0, +)
            #expect(total == best.stability || abs(total - best.stability) <= 1e-9 * total)
          }
          if result.labels != stored.labels { differs += 1 }
        }
      }
    }
    // The pairs must have had something to say; a chain has no choice to offer.
    #expect(shape == .chain || differs > 0)
  }

  @Test(arguments: Shape.allCases) func pairsThatCancelChangeNothing(shape: Shape) throws {
    for parameters in DefinitionParityTests.settings where parameters.selectionMethod == .eom {
      let rows = shape.rows(count: 40, seed: 5)
      let stored = extract(rows, parameters)
      let both = [PairConstraint(3, 9, .mustLink), PairConstraint(3, 9, .cannotLink)]
      let again = try reextract(stored, parameters: parameters, constraints: both)
      #expect(again.selection == stored.selection)
      let fresh = try fit(.float64(Matrix(rows)), parameters: parameters, constraints: both)
      #expect(fresh.labels == stored.labels)
    }
  }

  @Test func aCorrectionSplitsAndJoins() throws {
    var parameters = Parameters()
    parameters.minClusterSize = 4
    parameters.minSamples = 1
    // Two groups of four with a gap, and two more far away.
    let rows = [0.0, 1, 2, 3, 7, 8, 9, 10, 100, 101, 102, 103, 130, 131, 132, 133].map { [$0] }
    let free = try fit(.float64(Matrix(rows)), parameters: parameters)
    let joined = try reextract(
      free, parameters: parameters, constraints: [PairConstraint(8, 12, .mustLink)])
    #expect(free.labels[8] != free.labels[12])
    #expect(joined.labels[8] == joined.labels[12] && joined.labels[8] >= 0)
    #expect(joined.labels[0] != joined.labels[8])
    let split = try reextract(
      joined, parameters: parameters, constraints: [PairConstraint(8, 12, .cannotLink)])
    #expect(split.labels[8] != split.labels[12] && split.labels[8] >= 0)
  }

  @Test func badPairsAreRefused() throws {
    var parameters = Parameters()
    let stored = extract(Shape.groups.rows(count: 20, seed: 1), parameters)
    for pair in [(3, 3), (-1, 2), (0, 20)] {
      #expect(
        throws: HDBSCANError.invalidParameter(
          name: "constraint 0", value: "(\(pair.0), \(pair.1))",
          expected: "a pair of different points in 0..<20")
      ) {
        try reextract(
          stored, parameters: parameters, constraints: [PairConstraint(pair.0, pair.1, .mustLink)])
      }
    }
    parameters.selectionMethod = .leaf
    #expect(throws: HDBSCANError.self) {
      try reextract(stored, parameters: parameters, constraints: [PairConstraint(0, 1, .mustLink)])
    }
  }
}

private func max(
  _ a: (satisfied: Int, stability: Double), _ b: (satisfied: Int, stability: Double),
  by isLess: ((Int, Double), (Int, Double)) -> Bool
) -> (satisfied: Int, stability: Double) { isLess(a, b) ? b : a }
