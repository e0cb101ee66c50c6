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
      let vectors = faces.vectors
      sample[group] = Array(
        all.map { (face: $0, hash: SimilaritySample.hash(vectors.row($0), count: vectors.columns)) }
          .sorted { ($0.hash, $0.face) < ($1.hash, $1.face) }.prefix(Self.mostCompared).map(\.face))
    }
  }

  /// The groups, each ascending; empty ones are left out.
  var groups: [[Int]] { members.filter { !$0.isEmpty }.map { $0.sorted() } }

  /// Mean similarity of a face that is not in it to a group.
  ///
  /// - Complexity: O(d); O(size · d) the first time for a group.
  mutating func mean(of face: Int, to group: Int) -> Double {
    if totals[group] < 1e-9 { return -.infinity }
    let sum = sums[group] ?? faces.sum(members[group], votes: votes)
    sums[group] = sum
    let own = faces.sum([face], votes: votes)
    return sum.indices.reduce(0) { $0 + sum[$1] * own[$1] } / (votes[face] * totals[group])
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
