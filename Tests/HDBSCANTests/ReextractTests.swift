import Testing

@testable import HDBSCAN

/// Other clusters from a stored fit, without fitting again.
@Suite struct ReextractTests {
  @Test(arguments: Shape.allCases) func sameAsAFitWithTheNewSettings(shape: Shape) throws {
    let rows = shape.rows(count: 50, seed: 21)
    var fitted = Parameters()
    fitted.minClusterSize = 2
    fitted.minSamples = 3
    let stored = extract(rows, fitted)
    for var wanted in DefinitionParityTests.settings where wanted.alpha == 1 {
      wanted.minSamples = 3
      let again = try reextract(stored, parameters: wanted)
      let fresh = extract(rows, wanted)
      #expect(again.labels == fresh.labels)
      #expect(again.tree == fresh.tree)
      #expect(again.selection == fresh.selection)
      #expect(again.probabilities == fresh.probabilities)
      #expect(again.exemplars == fresh.exemplars)
    }
  }

  @Test func theDefaultOfMinSamplesStaysThatOfTheFit() throws {
    var fitted = Parameters()
    fitted.minClusterSize = 4
    let stored = extract(Shape.groups.rows(count: 40, seed: 1), fitted)
    var wanted = fitted
    wanted.minClusterSize = 8
    #expect(try reextract(stored, parameters: wanted).parameters.minSamples == 4)
  }

  @Test func whatDecidesDistancesMayNotChange() {
    var fitted = Parameters()
    fitted.minSamples = 3
    let stored = extract(Shape.groups.rows(count: 20, seed: 1), fitted)
    var wanted = fitted
    wanted.minSamples = 4
    #expect(
      throws: HDBSCANError.invalidParameter(
        name: "min_samples", value: "4",
        expected: "3, as at the fit, whose distances depend on it; fit again to change it")
    ) { try reextract(stored, parameters: wanted) }
    wanted = fitted
    wanted.alpha = 2
    #expect(throws: HDBSCANError.self) { try reextract(stored, parameters: wanted) }
    wanted = fitted
    wanted.metric = .cosine
    #expect(throws: HDBSCANError.self) { try reextract(stored, parameters: wanted) }
    wanted = fitted
    wanted.minClusterSize = 1
    #expect(throws: HDBSCANError.self) { try reextract(stored, parameters: wanted) }
    wanted = fitted
    wanted.clusterSelectionEpsilon = .nan
    #expect(throws: HDBSCANError.self) { try reextract(stored, parameters: wanted) }
  }

  @Test func aDamagedTreeIsRefused() {
    let stored = extract(Shape.groups.rows(count: 20, seed: 1), Parameters())
    var damaged = stored
    damaged.spanningTree[3].b = 40
    #expect(throws: HDBSCANError.self) { try reextract(damaged, parameters: stored.parameters) }
    damaged = stored
    damaged.spanningTree[4] = damaged.spanningTree[3]
    #expect(throws: HDBSCANError.self) { try reextract(damaged, parameters: stored.parameters) }
    damaged = stored
    damaged.spanningTree.removeLast()
    #expect(throws: HDBSCANError.self) { try reextract(damaged, parameters: stored.parameters) }
  }

  @Test func cutsAreComponentsOfCoreObjectsStrictlyBelow() throws {
    for shape in Shape.allCases {
      let rows = shape.rows(count: 45, seed: 8)
      var parameters = Parameters()
      parameters.minSamples = 2
      let stored = extract(rows, parameters)
      let reach = DirectHDBSCAN(distances: distanceMatrix(rows), parameters: parameters)
      let distances = stored.spanningTree.map(\.weight) + [0, 0.2, .infinity]
      for distance in distances {
        for size in [1, 2, 4] {
          let labels = try cut(stored, atDistance: distance, minClusterSize: size)
          for a in rows.indices {
            #expect(labels[a] < 0 || reach.core[a] < distance)
            for b in rows.indices where a != b && reach.reach[a][b] < distance {
              #expect(labels[a] == labels[b])
            }
          }
          for label in 0..<(labels.max() ?? -1) + 1 {
            let members = rows.indices.filter { labels[$0] == label }
            #expect(members.count >= size)
            // Connected: no edge of the tree at or above the cut lies between two members
            // unless a lighter path does, which the tree of n − 1 edges cannot have.
            let inner = stored.spanningTree.filter {
              labels[$0.a] == label && labels[$0.b] == label && $0.weight < distance
            }
            #expect(inner.count == members.count - 1)
          }
        }
      }
      #expect(throws: HDBSCANError.self) { try cut(stored, atDistance: .nan, minClusterSize: 2) }
      #expect(throws: HDBSCANError.self) { try cut(stored, atDistance: 1, minClusterSize: 0) }
    }
  }

  @Test func subclustersSplitOneClusterAlongTheTree() throws {
    var parameters = Parameters()
    parameters.minClusterSize = 3
    parameters.minSamples = 2
    let result = extract(Shape.groups.rows(count: 60, seed: 4), parameters)
    let root = try subclusters(of: result.tree.pointCount, in: result.tree, parameters: parameters)
    #expect(root.selection == result.selection)
    #expect(root.labels == result.labels.map { $0 })

    let children = result.tree.clusterChildren
    let parents = result.tree.clusterParents
    for position in 1..<result.tree.clusterCount {
      let node = position + result.tree.pointCount
      let split = try subclusters(of: node, in: result.tree, parameters: parameters)
      #expect(split.selection.nodes.isEmpty == children[position].isEmpty)
      for inner in split.selection.nodes {
        var above = inner
        while above > node { above = parents[above - result.tree.pointCount] }
        #expect(above == node)
      }
      let members = split.labels.compactMap { $0 }.count
      #expect(members == result.tree.clusterSizes[position])
    }
    #expect(throws: HDBSCANError.self) {
      try subclusters(of: 3, in: result.tree, parameters: parameters)
    }
  }
}
