internal import Glibc
internal import Vectors

extension SimilarityCalibration {
  /// A separation of 6 counts as much as this many faces.
  private static let priorVotes = 5.0

  /// The calibration that groups of faces stand for.
  ///
  /// - Parameters:
  ///   - impostor: similarity of different people.
  ///   - groups: faces of each group, every face in one of them.
  ///   - faces: the faces, as they are seen.
  ///   - votes: vote of each face.
  ///   - threads: most threads to use; the result does not depend on it.
  /// - Complexity: O(n · d).
  init(
    impostor: ImpostorDistribution, groups: [[Int]], of faces: CentredFaces, votes: [Double],
    threads: Int
  ) {
    let total = votes.reduce(0, +)
    var (entropy, withinSum, withinVotes) = (0.0, 0.0, 0.0)
    let vectors = GroupVectors(faces, groups: groups, votes: votes, threads: threads)
    for (group, members) in groups.enumerated() {
      let vote = members.reduce(0) { $0 + votes[$1] }
      let share = vote / total
      if share > 0 { entropy -= share * log(share) }
      guard vote >= 2 - 1e-9 else { continue }
      let within = (vectors.product(group, group) - vote) / (vote * vote - vote)
      withinSum += vote * (within - impostor.mean) / impostor.deviation
      withinVotes += vote
    }
    self.init(
      impostorMean: impostor.mean, impostorDeviation: impostor.deviation,
      separation: Self.separation(sum: withinSum, votes: withinVotes), entropy: max(entropy, 0),
      impostorPairs: impostor.pairs)
  }

  /// Mean similarity within groups in impostor units, shrunk to the prior.
  ///
  /// - Parameters:
  ///   - sum: over the faces in groups of two or more, each with its vote.
  ///   - votes: of those faces.
  static func separation(sum: Double, votes: Double) -> Double {
    (sum + priorVotes * prior.separation) / (votes + priorVotes)
  }
}
