/// The leaves of the dendrogram of a spanning tree from left to right, with the gaps between them.
///
/// Merging two clusters puts one's leaves after the other's, and the gap at the seam is the weight
/// of the merging edge. Every gap inside a cluster is then at most the weight that formed it, so
/// the bottleneck of two points in the tree (the largest edge on the path between them) is the
/// largest gap between their positions.
struct LeafOrder {
  /// Row at each position.
  let rows: [Int]
  /// Bottleneck between positions p − 1 and p; entry 0 is 0.
  let gaps: [Double]

  /// - Parameter tree: n − 1 edges that span n rows, ascending.
  /// - Complexity: O(n α(n)).
  init(tree: [CandidateEdge], count: Int) {
    var sets = DisjointSets(count: count)
    var first = Array(0..<count)
    var last = Array(0..<count)
    var next = [Int](repeating: -1, count: count)
    var gapBefore = [Double](repeating: 0, count: count)
    for edge in tree {
      let left = sets.find(Int(edge.a))
      let right = sets.find(Int(edge.b))
      let (head, tail) = (first[left], last[right])
      let seam = first[right]
      next[last[left]] = seam
      gapBefore[seam] = edge.weight
      sets.unite(left, right)
      let root = sets.find(left)
      first[root] = head
      last[root] = tail
    }
    var rows: [Int] = []
    rows.reserveCapacity(count)
    var current = count > 0 ? first[sets.find(0)] : -1
    while current >= 0 {
      rows.append(current)
      current = next[current]
    }
    self.rows = rows
    gaps = rows.map { gapBefore[$0] }
  }
}
