internal import Vectors

/// Edges in any order, in pieces of limited length, so that a growing pile copies nothing and holds no
/// room for as much again.
struct EdgePile: Sendable {
  private(set) var pieces: [[CandidateEdge]] = []
  private(set) var count = 0

  private static let length = 1 << 13

  /// All edges in one array.
  var edges: [CandidateEdge] { Array(pieces.joined()) }

  /// - Complexity: O(m) for m edges.
  mutating func append(_ edges: [CandidateEdge]) {
    var rest = edges[...]
    while !rest.isEmpty {
      if pieces.last.map({ $0.count >= Self.length }) ?? true {
        pieces.append([])
        pieces[pieces.count - 1].reserveCapacity(Self.length)
      }
      let part = rest.prefix(Self.length - pieces[pieces.count - 1].count)
      pieces[pieces.count - 1] += part
      rest = rest.dropFirst(part.count)
    }
    count += edges.count
  }

  /// - Complexity: O(pieces).
  mutating func append(_ other: EdgePile) {
    pieces += other.pieces
    count += other.count
  }

  /// Keeps the edges that pass a test, piece by piece, so that it needs no room for a second pile.
  ///
  /// - Complexity: O(count) tests.
  mutating func filter(threads: Int, _ isIncluded: (CandidateEdge) -> Bool) {
    pieces.withUnsafeMutableBufferPointer { pieces in
      let target = pieces
      parallelForChunks(pieces.count, chunk: 1, threads: threads) { range in
        for piece in range { target[piece] = target[piece].filter(isIncluded) }
      }
    }
    var kept = EdgePile()
    while let piece = pieces.popLast() { kept.append(piece) }
    self = kept
  }
}
