public import Vectors

/// The pool as it was read at a moment, and what is needed to read only what changed since.
///
/// Faces of every size and confidence are in it.
/// Faces that left the pool may still be in it, so whoever relies on a face reads that one anew.
public struct KnownPool: Sendable {
  /// Some of the faces.
  public struct Part: Sendable {
    /// Detection ids, ascending.
    public var ids: [Int64]
    /// Unit vectors, n × d; row i is face i.
    public var embeddings: Matrix<Float>
  }

  /// Most of the faces, and those that came or changed lately.
  ///
  /// Of a face that is in both, the second has what holds.
  public private(set) var parts: [Part]
  /// When it was last looked which faces are in the pool.
  var horizon: TransactionHorizon
  /// When it was last looked whether vectors of those changed.
  var vectorHorizon: TransactionHorizon
  /// Number of faces when it was last looked at as a whole.
  var countWhenChecked: Int

  /// As many faces that came one by one are put among the others at once.
  private static let mostRecent = 1_024

  init(_ faces: FaceSnapshot, horizon: TransactionHorizon) {
    let none = Part(
      ids: [],
      embeddings: Matrix<Float>(rows: 0, columns: faces.embeddings.columns) { _, _ in })
    parts = [Part(ids: faces.ids, embeddings: faces.embeddings), none]
    self.horizon = horizon
    vectorHorizon = horizon
    countWhenChecked = faces.count
  }

  /// Number of faces; one that changed lately counts twice.
  var count: Int { parts.reduce(0) { $0 + $1.ids.count } }

  /// Whether so many came since it was last looked at as a whole that many of them may have left.
  public var hasGrown: Bool { isMany(count, than: countWhenChecked) }

  func isMany(_ count: Int, than other: Int) -> Bool { count > other + other / 4 + 1_000 }

  /// Those of these faces that are known, by id.
  ///
  /// - Complexity: O(faces · (log pool + d)).
  public func faces(_ ids: Set<Int64>) -> Part {
    let found = parts.map { part in
      part.selecting(ids.compactMap { part.row(of: $0) }.sorted())
    }
    return found[0].merging(found[1])
  }

  mutating func add(_ faces: FaceSnapshot) {
    if faces.count == 0 { return }
    parts[1] = parts[1].merging(Part(ids: faces.ids, embeddings: faces.embeddings))
    if parts[1].ids.count > Self.mostRecent {
      parts = [parts[0].merging(parts[1]), parts[1].selecting([])]
    }
  }
}

extension KnownPool.Part {
  /// Row of a face, by bisection.
  func row(of id: Int64) -> Int? {
    let row = ids.firstPosition(notBelow: id)
    return row < ids.count && ids[row] == id ? row : nil
  }

  func selecting(_ rows: [Int]) -> KnownPool.Part {
    KnownPool.Part(ids: rows.map { ids[$0] }, embeddings: embeddings.selecting(rows: rows))
  }

  /// Both, by id; a face of both is the other's.
  ///
  /// - Complexity: O(n · d).
  func merging(_ other: KnownPool.Part) -> KnownPool.Part {
    var order: [(id: Int64, from: Matrix<Float>, row: Int)] = []
    var (mine, theirs) = (0, 0)
    while mine < ids.count || theirs < other.ids.count {
      let isMine = theirs == other.ids.count || mine < ids.count && ids[mine] < other.ids[theirs]
      if isMine {
        order.append((ids[mine], embeddings, mine))
        mine += 1
      } else {
        if mine < ids.count, ids[mine] == other.ids[theirs] { mine += 1 }
        order.append((other.ids[theirs], other.embeddings, theirs))
        theirs += 1
      }
    }
    let columns = embeddings.columns
    return KnownPool.Part(
      ids: order.map(\.id),
      embeddings: Matrix<Float>(rows: order.count, columns: columns) { base, stride in
        for (index, source) in order.enumerated() {
          (base + index * stride).update(from: source.from.row(source.row), count: columns)
        }
      })
  }
}
