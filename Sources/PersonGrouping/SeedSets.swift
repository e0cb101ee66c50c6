internal import Vectors

/// Groups to start from, as humans want them.
struct SeedSets {
  let input: GroupingInput

  /// Joins faces of one anchor; a set that humans say is several people falls into single faces.
  func separated(_ sets: FaceSets) -> [[Int]] {
    var sets = sets
    let count = input.embeddings.rows
    var anchorOfSet: [Int: Int64] = [:]
    var broken: Set<Int> = []
    for face in 0..<count {
      guard let anchor = input.anchors[face] else { continue }
      let set = sets.find(face)
      if let known = anchorOfSet[set], known != anchor { broken.insert(set) }
      anchorOfSet[set] = anchor
    }
    for (first, second) in input.cannotLink where sets.find(first) == sets.find(second) {
      broken.insert(sets.find(first))
    }
    var result = FaceSets(count: count)
    for face in 0..<count {
      let set = sets.find(face)
      if !broken.contains(set) { result.unite(face, set) }
    }
    var firstOfAnchor: [Int64: Int] = [:]
    for (face, anchor) in input.anchors.enumerated() {
      guard let anchor else { continue }
      if let first = firstOfAnchor[anchor] {
        result.unite(face, first)
      } else {
        firstOfAnchor[anchor] = face
      }
    }
    var positions: [Int: Int] = [:]
    var groups: [[Int]] = []
    for face in 0..<count {
      let set = result.find(face)
      if let position = positions[set] {
        groups[position].append(face)
      } else {
        positions[set] = groups.count
        groups.append([face])
      }
    }
    return groups
  }
}
