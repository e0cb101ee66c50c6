internal import Store
internal import Synchronization
internal import Vectors

/// What a bootstrap worked out about clusters for its first plan, for its second one.
///
/// Sums over all faces are most of the work of a plan, and few clusters differ between the two. Vectors
/// of the fit do not change while it is applied, so members tell whether a cluster is the same.
final class FactsMemory: Sendable {
  private struct Known {
    var members: [Int64]
    var cores: [Bool]
    var facts: ClusterFacts
  }

  private let known = Mutex<[Int64: Known]>([:])
  private let sums = Mutex<[Int: (count: Int, sum: [Double])]>([:])

  /// Facts of a cluster, but for its epsilon, birth and persistence, which are the caller's.
  ///
  /// - Parameters:
  ///   - members: by id, at least one.
  ///   - vectors: those that all plans of the fit have; a cluster with other ones is worked out anew.
  func facts(
    of members: [Member], in vectors: [Matrix<Float>], _ make: () -> ClusterFacts
  ) -> ClusterFacts {
    guard let first = members.first,
      members.allSatisfy({ member in vectors.contains { $0 === member.embeddings } })
    else { return make() }
    let (ids, cores) = (members.map(\.detectionID), members.map(\.isCore))
    if let same = known.withLock({ $0[first.detectionID] }), same.members == ids,
      same.cores == cores
    {
      return same.facts
    }
    let facts = make()
    known.withLock { $0[first.detectionID] = Known(members: ids, cores: cores, facts: facts) }
    return facts
  }

  /// The sum of the faces of a label that still exist; while none goes, it is the same.
  func sum(label: Int, count: Int, _ make: () -> [Double]) -> [Double] {
    if let same = sums.withLock({ $0[label] }), same.count == count { return same.sum }
    let sum = make()
    sums.withLock { $0[label] = (count, sum) }
    return sum
  }
}
