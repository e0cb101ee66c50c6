/// The state while a spanning tree is turned into a single-linkage hierarchy.
struct SingleLinkageBuilder {
  private(set) var distances: [Double] = []
  private(set) var sizes: [Int]
  private(set) var smallestPoints: [Int]
  private(set) var leafCounts: [Int]
  private(set) var childOffsets: [Int] = [0]
  private(set) var childIDs: [Int] = []

  private let pointCount: Int
  private var components: DisjointSets
  /// Hierarchy id of the component with a given representative.
  private var idOfRepresentative: [Int]
  /// Position of a representative in the group that is being merged; −1 outside.
  private var slots: [Int]

  init(pointCount: Int, weights: [Int]?) {
    self.pointCount = pointCount
    sizes = weights ?? [Int](repeating: 1, count: pointCount)
    smallestPoints = Array(0..<pointCount)
    leafCounts = [Int](repeating: 1, count: pointCount)
    components = DisjointSets(count: pointCount)
    idOfRepresentative = Array(0..<pointCount)
    slots = [Int](repeating: -1, count: pointCount)
    let total = max(2 * pointCount - 1, 0)
    sizes.reserveCapacity(total)
    smallestPoints.reserveCapacity(total)
    leafCounts.reserveCapacity(total)
  }

  /// Merges along edges of one weight; components that they connect become children of one node.
  mutating func merge(_ edges: ArraySlice<WeightedEdge>) {
    guard let first = edges.first else { return }
    if edges.count == 1 {
      mergePair(first)
      return
    }
    var representatives: [Int] = []
    for edge in edges {
      for point in [edge.a, edge.b] {
        let representative = components.find(point)
        if slots[representative] < 0 {
          slots[representative] = 0
          representatives.append(representative)
        }
      }
    }
    for representative in representatives { slots[representative] = -1 }
    // Taken before the unions: afterwards a representative stands for the merged component.
    let before = representatives.map { (representative: $0, id: idOfRepresentative[$0]) }
      .sorted { smallestPoints[$0.id] < smallestPoints[$1.id] }
    for edge in edges { components.unite(edge.a, edge.b) }

    var groups: [[Int]] = []
    var merged: [Int] = []
    for entry in before {
      let representative = components.find(entry.representative)
      if slots[representative] < 0 {
        slots[representative] = groups.count
        groups.append([])
        merged.append(representative)
      }
      groups[slots[representative]].append(entry.id)
    }
    for (representative, children) in zip(merged, groups) {
      slots[representative] = -1
      idOfRepresentative[representative] = appendNode(children, distance: first.weight)
    }
  }

  /// Where the points below each id lie when the tree is drawn, and the points in that order.
  func leafLayout() -> (starts: [Int], order: [Int]) {
    var starts = [Int](repeating: 0, count: leafCounts.count)
    for merge in stride(from: distances.count - 1, through: 0, by: -1) {
      var offset = starts[pointCount + merge]
      for child in childIDs[childOffsets[merge]..<childOffsets[merge + 1]] {
        starts[child] = offset
        offset += leafCounts[child]
      }
    }
    var order = [Int](repeating: 0, count: pointCount)
    for point in 0..<pointCount { order[starts[point]] = point }
    return (starts, order)
  }

  private mutating func mergePair(_ edge: WeightedEdge) {
    let first = idOfRepresentative[components.find(edge.a)]
    let second = idOfRepresentative[components.find(edge.b)]
    precondition(first != second, "the edges of a spanning tree have no cycle")
    components.unite(edge.a, edge.b)
    let children =
      smallestPoints[first] < smallestPoints[second] ? [first, second] : [second, first]
    idOfRepresentative[components.find(edge.a)] = appendNode(children, distance: edge.weight)
  }

  private mutating func appendNode(_ children: [Int], distance: Double) -> Int {
    var size = 0
    var leaves = 0
    for child in children {
      size += sizes[child]
      leaves += leafCounts[child]
    }
    sizes.append(size)
    leafCounts.append(leaves)
    smallestPoints.append(smallestPoints[children[0]])
    distances.append(distance)
    childIDs.append(contentsOf: children)
    childOffsets.append(childIDs.count)
    return sizes.count - 1
  }
}
