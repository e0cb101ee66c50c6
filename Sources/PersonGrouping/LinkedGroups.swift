internal import Vectors

/// Groups whose faces move one by one, and what links a face with them.
struct LinkedGroups {
  let faces: CentredFaces
  let votes: [Double]
  /// Faces of each group.
  private var members: [[Int]]
  /// The faces of each group that links are looked for among, where they are not all.
  private var sample: [Int: [Int]] = [:]
  private var sums: [Int: [Double]] = [:]
  private var totals: [Double]

  /// Most faces of a group that one face is compared with.
  ///
  /// Without it two alike people with N photos each would take N² comparisons.
  private static let mostCompared = 1_000

  init(faces: CentredFaces, votes: [Double], groups: [[Int]]) {
    self.faces = faces
    self.votes = votes
    members = groups
    totals = groups.map { $0.reduce(0) { $0 + votes[$1] } }
    for (group, all) in groups.enumerated() where all.count > Self.mostCompared {
      // Drawn by hash, so that the order of the faces does not matter.
      sample[group] = Array(
        SimilaritySample.inOrder(all, of: faces.vectors).prefix(Self.mostCompared))
    }
  }

  /// The groups, each ascending; empty ones are left out.
  var groups: [[Int]] { members.filter { !$0.isEmpty }.map { $0.sorted() } }

  /// Faces that are looked at, and move, together.
  struct Unit {
    let sum: [Double]
    let votes: Double
    let count: Int

    init(_ members: [Int], faces: CentredFaces, votes: [Double]) {
      sum = faces.sum(members, votes: votes)
      self.votes = members.reduce(0) { $0 + votes[$1] }
      count = members.count
    }
  }

  /// Faces of a group.
  func faces(of group: Int) -> [Int] { members[group] }

  /// Mean similarity of faces to a group, which has so many faces and votes without them.
  ///
  /// - Parameter including: whether the faces are of the group; then they are left out of it.
  /// - Complexity: O(d); O(size · d) the first time for a group.
  mutating func mean(
    of unit: Unit, to group: Int, including: Bool
  ) -> (similarity: Double, votes: Double, count: Int) {
    let sum = sums[group] ?? faces.sum(members[group], votes: votes)
    sums[group] = sum
    var product = sum.indices.reduce(0) { $0 + sum[$1] * unit.sum[$1] }
    var (others, count) = (totals[group], members[group].count)
    if including {
      product -= unit.sum.reduce(0) { $0 + $1 * $1 }
      others -= unit.votes
      count -= unit.count
    }
    if others < 1e-9 { return (-1, 0, 0) }
    return (product / (unit.votes * others), others, count)
  }

  /// Mean similarity of a face that is not in it to a group.
  mutating func mean(of face: Int, to group: Int) -> Double {
    mean(
      of: Unit([face], faces: faces, votes: votes), to: group, including: false
    ).similarity
  }

  /// Votes of a face's links to a group, one a burst, and their similarity in all above strangers'.
  ///
  /// - Parameters:
  ///   - least: similarity of a pair that is a link.
  ///   - strangers: mean similarity of different people.
  func links(
    of face: Int, to group: Int, from least: Double, above strangers: Double
  ) -> (votes: Double, strength: Double) {
    let compared = sample[group] ?? members[group]
    var (sum, strength) = (0.0, 0.0)
    for other in compared where other != face {
      let similarity = faces.dotProduct(face, other)
      if similarity < least { continue }
      sum += votes[other]
      strength += votes[other] * (similarity - strangers)
    }
    // A sample stands for all.
    let share = Double(members[group].count) / Double(max(compared.count, 1))
    return (sum * share, strength * share)
  }

  /// Moves a face.
  mutating func move(_ face: Int, from own: Int, to group: Int) {
    members[own].removeAll { $0 == face }
    sample[own]?.removeAll { $0 == face }
    members[group].append(face)
    totals[own] -= votes[face]
    totals[group] += votes[face]
    let moved = faces.sum([face], votes: votes)
    for column in moved.indices {
      sums[own]?[column] -= moved[column]
      sums[group]?[column] += moved[column]
    }
  }
}
