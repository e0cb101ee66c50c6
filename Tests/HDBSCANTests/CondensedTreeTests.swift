import Testing

@testable import HDBSCAN

/// The layout of the condensed tree, and what refuses a damaged one.
@Suite struct CondensedTreeTests {
  /// Two groups of three on a line, 0 1 2 and 10 11 12, and a stray at 40.
  private var line: Clustering {
    var parameters = Parameters()
    parameters.minClusterSize = 3
    parameters.minSamples = 1
    return extract([[40], [11], [0], [1], [10], [2], [12]], parameters)
  }

  @Test func rowsAreOrderedAsDocumented() {
    let tree = line.tree
    #expect(tree.parents == [7, 7, 7, 8, 8, 8, 9, 9, 9])
    #expect(tree.children == [0, 8, 9, 1, 4, 6, 2, 3, 5])
    #expect(tree.lambdas == [1.0 / 28, 0.125, 0.125, 1, 1, 1, 1, 1, 1])
    #expect(tree.sizes == [1, 3, 3, 1, 1, 1, 1, 1, 1])
  }

  @Test func clustersHaveBirthsDeathsAndFamilies() {
    let tree = line.tree
    #expect(tree.clusterBirths == [0, 0.125, 0.125])
    #expect(tree.clusterDeaths == [0.125, 1, 1])
    #expect(tree.clusterPeaks == [1, 1, 1])
    #expect(tree.clusterSizes == [7, 3, 3])
    #expect(tree.clusterParents == [-1, 7, 7])
    #expect(tree.clusterChildren == [8..<10, 0..<0, 0..<0])
    #expect(tree.pointParents == [7, 8, 9, 9, 8, 9, 8])
    #expect(tree.clusterStabilities() == [1.0 / 28 + 6 * 0.125, 3 * 0.875, 3 * 0.875])
    #expect(line.labels == [-1, 0, 1, 1, 0, 1, 0])
    #expect(line.selection.persistences == [0.875, 0.875])
    #expect(line.exemplars == [[1, 4, 6], [2, 3, 5]])
  }

  @Test func equalEdgesMergeAtOnceOrInOrder() {
    // Four points at gaps 1, 1, 1: one node of four, or three nodes of two.
    let edges = (0..<3).map { WeightedEdge($0, $0 + 1, weight: 1) }
    let together = SingleLinkage(edges: edges, pointCount: 4)
    #expect(together.distances == [1])
    #expect(Array(together.children(of: 4)) == [0, 1, 2, 3])
    let ordered = SingleLinkage(edges: edges, pointCount: 4, ties: .ordered)
    #expect(ordered.distances == [1, 1, 1])
    #expect(Array(ordered.children(of: 6)) == [5, 3])
    #expect(ordered.sizes == [1, 1, 1, 1, 2, 3, 4])
  }

  @Test func siblingsThatSeparateBrieflyAreMerged() {
    // The groups live from 0.125 to 1: a threshold of 0.875 keeps them, a larger one does not.
    let tree = line.tree
    #expect(tree.mergingSiblings(separatedForLessThan: 0.875) == tree)
    let merged = tree.mergingSiblings(separatedForLessThan: 0.876)
    #expect(merged.clusterCount == 1)
    #expect(merged.pointLambdas == tree.pointLambdas)
    #expect(merged.children == [0, 1, 2, 3, 4, 5, 6])
  }

  @Test func damagedColumnsAreRefusedByRow() throws {
    let tree = line.tree
    try tree.check()
    func damaged(_ change: (inout [Int], inout [Int], inout [Double], inout [Int]) -> Void)
      -> String
    {
      var (parents, children) = (tree.parents, tree.children)
      var (lambdas, sizes) = (tree.lambdas, tree.sizes)
      change(&parents, &children, &lambdas, &sizes)
      let broken = CondensedTree(
        pointCount: 7, parents: parents, children: children, lambdas: lambdas, sizes: sizes)
      do throws(HDBSCANError) {
        try broken.check()
        return "accepted"
      } catch { return error.description }
    }
    #expect(
      damaged { parents, _, _, _ in parents[4] = 99 }
        == "condensed tree row 4: parent 99 is no cluster known so far")
    #expect(
      damaged { _, children, _, _ in children[4] = 1 }
        == "condensed tree row 4: 1 is a child for the second time")
    #expect(
      damaged { _, children, _, _ in children[4] = -1 }
        == "condensed tree row 4: child -1 is out of order or out of range")
    #expect(
      damaged { _, _, lambdas, _ in lambdas[7] = .nan }
        == "condensed tree row 7: lambda nan is below the birth of its parent")
    #expect(
      damaged { _, _, _, sizes in sizes[1] = 4 }
        == "cluster 8 of the condensed tree holds 3 points, but its row says 4")
    #expect(
      damaged { _, _, _, sizes in sizes[0] = 0 } == "condensed tree row 0: size 0 is below 1")
    #expect(
      damaged { _, children, _, _ in children.swapAt(1, 2) }
        == "condensed tree row 1: child 9 is out of order or out of range")
  }
}
