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
  /// Whether a component takes part in the merge that is under way.
  private var isNoted: [Bool]

  init(pointCount: Int, weights: [Int]?) {
    self.pointCount = pointCount
    sizes = weights ?? [Int](repeating: 1, count: pointCount)
    smallestPoints = Array(0..<pointCount)
    leafCounts = [Int](repeating: 1, count: pointCount)
    components = DisjointSets(count: pointCount)
    idOfRepresentative = Array(0..<pointCount)
    isNoted = [Bool](repeating: false, count: pointCount)
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
    // Noted before the unions: afterwards a representative stands for the merged component.
    var members: [Member] = []
    for edge in edges {
      note(components.find(edge.a), in: &members)
      note(components.find(edge.b), in: &members)
    }
    for member in members { isNoted[member.representative] = false }
    for edge in edges { components.unite(edge.a, edge.b) }
    for index in members.indices {
      members[index].representative = components.find(members[index].representative)
    }
    members.sort {
      ($0.representative, smallestPoints[$0.id]) < ($1.representative, smallestPoints[$1.id])
    }
    var start = 0
    while start < members.count {
      let representative = members[start].representative
      let end = members[start...].firstIndex { $0.representative != representative }
      let group = members[start..<(end ?? members.count)]
      idOfRepresentative[representative] = appendNode(group.map(\.id), distance: first.weight)
      start = group.endIndex
    }
  }

  /// A component that takes part in a merge, and its id before it.
  private struct Member {
    var representative: Int
    var id: Int
  }

  private mutating func note(_ representative: Int, in members: inout [Member]) {
    if isNoted[representative] { return }
    isNoted[representative] = true
    members.append(Member(representative: representative, id: idOfRepresentative[representative]))
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
