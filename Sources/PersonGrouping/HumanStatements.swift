internal import HDBSCAN

/// What humans said about pairs of faces, as nodes of the hierarchy see it.
enum HumanStatements {
  /// For each id of the hierarchy whether it holds two faces that humans said are different people.
  ///
  /// - Complexity: O(n + pairs · depth).
  static func forbiddenNodes(
    _ hierarchy: SingleLinkage, anchors: [Int64?], cannotLink: [(Int, Int)]
  ) -> [Bool] {
    guard let root = hierarchy.root else { return [] }
    var parents = [Int](repeating: -1, count: root + 1)
    var forbidden = [Bool](repeating: false, count: root + 1)
    // The one anchor below each id.
    var anchor = [Int64?](repeating: nil, count: root + 1)
    for (face, value) in anchors.enumerated() { anchor[face] = value }
    for node in stride(from: hierarchy.pointCount, through: root, by: 1) {
      for child in hierarchy.children(of: node) {
        parents[child] = node
        if forbidden[child] { forbidden[node] = true }
        guard let other = anchor[child] else { continue }
        if let known = anchor[node], known != other { forbidden[node] = true }
        anchor[node] = other
      }
    }
    for (first, second) in cannotLink {
      var above: Set<Int> = []
      var node = first
      while node >= 0 {
        above.insert(node)
        node = parents[node]
      }
      node = second
      while node >= 0, !above.contains(node) { node = parents[node] }
      while node >= 0, !forbidden[node] {
        forbidden[node] = true
        node = parents[node]
      }
    }
    return forbidden
  }
}
