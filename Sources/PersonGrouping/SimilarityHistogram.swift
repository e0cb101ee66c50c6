public import Vectors

/// How similar different people are, and the faces of one person: what calibration rests on.
public struct SimilarityHistogram: Sendable, Equatable {
  /// Lower edge of each bin, a cosine similarity, ascending.
  public let edges: [Double]
  /// Share of the pairs of different people in each bin.
  public let different: [Double]
  /// Share of the pairs within people in each bin.
  public let same: [Double]

  /// Counts pairs of a sample: between people among a thousand faces, within people two a face.
  ///
  /// A face without a person says nothing: it may be anybody. Where nobody has two faces, or there is one
  /// person alone, the shares of what is not there are 0.
  ///
  /// - Parameters:
  ///   - faces: n × d unit vectors; a row that is none, all NaN, is left out.
  ///   - people: person of each face; negative for none.
  ///   - bins: at least 1.
  /// - Complexity: O(n · d) and half a million inner products.
  public init(
    _ faces: Matrix<Float>, people: [Int], bins: Int = 24, threads: Int = availableThreads
  ) {
    precondition(people.count == faces.rows && bins > 0, "one person for each face")
    let known = people.indices.filter {
      people[$0] >= 0 && faces.dotProduct($0, $0).isFinite
    }
    let persons = known.map { people[$0] }
    var between: [Double] = []
    let sampled = known.count == faces.rows ? faces : faces.selecting(rows: known)
    SimilaritySample(sampled, threads: threads).forEachPair { first, second, similarity in
      if persons[first] != persons[second] { between.append(similarity) }
    }
    var within: [Double] = []
    let members = Dictionary(grouping: known) { people[$0] }
    for (_, rows) in members.sorted(by: { $0.key < $1.key }) {
      for distance in 1...2 where rows.count > distance {
        for (first, second) in zip(rows, rows.dropFirst(distance)) {
          within.append(faces.dotProduct(first, second))
        }
      }
    }
    let all = between + within
    let (low, high) = (all.min() ?? 0, all.max() ?? 1)
    let width = max((high - low) / Double(bins), 1e-9)
    edges = (0..<bins).map { low + Double($0) * width }
    func shares(_ values: [Double]) -> [Double] {
      var counts = [Double](repeating: 0, count: bins)
      for value in values { counts[min(max(Int((value - low) / width), 0), bins - 1)] += 1 }
      return counts.map { values.isEmpty ? 0 : $0 / Double(values.count) }
    }
    different = shares(between)
    same = shares(within)
  }
}
