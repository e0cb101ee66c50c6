/// The minimum spanning forest of some edges, by Kruskal's method with the order (weight, a, b).
///
/// That order is total, so the forest does not depend on the order in which edges are given.
///
/// - Returns: the edges of the forest, ascending, and the sets of rows that they connect.
/// - Complexity: O(m log m + n) for m edges.
func minimumSpanningForest(
  _ edges: [CandidateEdge], count: Int
) -> (edges: [CandidateEdge], sets: DisjointSets) {
  var sets = DisjointSets(count: count)
  var forest: [CandidateEdge] = []
  forest.reserveCapacity(max(count - 1, 0))
  for edge in edges.inOrder() where sets.unite(Int(edge.a), Int(edge.b)) {
    forest.append(edge)
    if forest.count == count - 1 { break }
  }
  return (forest, sets)
}

/// The edges of neighbour lists, each pair once.
///
/// - Parameter lists: sorted.
/// - Complexity: O(n · k).
func edges<Scalar>(
  of lists: NeighbourLists, reachability: MutualReachability<Scalar>
) -> [CandidateEdge] {
  var result: [CandidateEdge] = []
  result.reserveCapacity(lists.count * lists.capacity)
  for row in 0..<lists.count {
    for rank in 0..<lists.length(row) {
      let neighbour = lists.neighbour(row, rank)
      let square = lists.radius(row, rank)
      if neighbour < row, lists.contains(neighbour, neighbour: row, radius: square) { continue }
      result.append(
        CandidateEdge(
          row, neighbour, weight: reachability.weight(row, neighbour, square: square)))
    }
  }
  return result
}
