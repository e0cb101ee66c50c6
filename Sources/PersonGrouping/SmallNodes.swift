internal import HDBSCAN

/// Takes strangers out of small nodes of the hierarchy.
///
/// With few samples to a core distance somebody's two photos are often no node: their core distance is that of
/// the next face, so the smallest node holds a third face, or somebody else's two. The evidence of the pair then
/// pays for a face that is far from sure, and what starts a group is never taken back. Nodes of a few faces are
/// looked at pair by pair instead: average linkage (UPGMA) for as long as two parts are surely one person.
struct SmallNodes {
  let faces: CentredFaces
  let calibration: SimilarityCalibration

  /// Faces of a node that is looked at; in a larger one a stranger weighs little.
  static let mostFaces = 5

  /// The parts of a node, each surely one person.
  ///
  /// - Complexity: O(k² · d + k⁴) for k faces.
  func parts(_ node: some Collection<Int>) -> [[Int]] {
    var parts = node.sorted().map { [$0] }
    while let (a, b) = surest(parts) {
      parts[a] += parts[b]
      parts.remove(at: b)
    }
    return parts
  }

  /// The two parts that are most evidently one person; nil where none are sure.
  private func surest(_ parts: [[Int]]) -> (Int, Int)? {
    var best: (evidence: Double, a: Int, b: Int)?
    for b in parts.indices {
      for a in 0..<b {
        let evidence = evidence(parts[a], parts[b])
        if evidence >= SimilarityCalibration.sure, evidence > best?.evidence ?? -.infinity {
          best = (evidence, a, b)
        }
      }
    }
    return best.map { ($0.a, $0.b) }
  }

  private func evidence(_ one: [Int], _ other: [Int]) -> Double {
    let pairs = Double(one.count * other.count)
    let sum = one.reduce(0) { sum, a in other.reduce(sum) { $0 + faces.dotProduct(a, $1) } }
    return calibration.evidence(
      meanSimilarity: sum / pairs, weight: Double(one.count), otherWeight: Double(other.count))
  }
}
