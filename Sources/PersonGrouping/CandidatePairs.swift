internal import HDBSCAN
internal import Vectors

/// Pairs of faces whose groups are worth comparing, with the inner products of their vectors.
struct CandidatePairs: Sequence {
  private var pairs: [Pair] = []

  fileprivate struct Pair {
    var first: Int32
    var second: Int32
    var product: Float
  }

  /// The near neighbours of every face, and the edges of the spanning tree; each pair once.
  ///
  /// - Parameter threads: most threads to use; the result does not depend on it.
  /// - Complexity: O(n · k · d) with k neighbours a face; memory O(n · k).
  init(_ input: GroupingInput, threads: Int) {
    let graph = input.neighbours ?? NeighbourGraph(perPoint: 0, indices: [])
    func lists(_ face: Int, _ other: Int) -> Bool {
      let start = face * graph.perPoint
      return graph.indices[start..<start + graph.perPoint].contains(Int32(other))
    }
    for face in 0..<(graph.perPoint > 0 ? input.embeddings.rows : 0) {
      let start = face * graph.perPoint
      for case let other in graph.indices[start..<start + graph.perPoint]
      where other >= 0 && !(other < face && lists(Int(other), face)) {
        pairs.append(Pair(first: Int32(face), second: other, product: 0))
      }
    }
    for edge in input.spanningTree
    where graph.perPoint == 0 || !(lists(edge.a, edge.b) || lists(edge.b, edge.a)) {
      pairs.append(Pair(first: Int32(edge.a), second: Int32(edge.b), product: 0))
    }
    let count = pairs.count
    pairs.withUnsafeMutableBufferPointer { buffer in
      // Each index is written by one thread.
      nonisolated(unsafe) let target = buffer
      parallelForChunks(count, chunk: 1_024, threads: threads) { chunk in
        for index in chunk {
          target[index].product = Float(
            input.embeddings.dotProduct(Int(target[index].first), Int(target[index].second)))
        }
      }
    }
  }

  mutating func append(_ first: Int, _ second: Int, product: Double) {
    pairs.append(Pair(first: Int32(first), second: Int32(second), product: Float(product)))
  }

  var underestimatedCount: Int { pairs.count }

  func makeIterator() -> Iterator { Iterator(base: pairs.makeIterator()) }

  struct Iterator: IteratorProtocol {
    fileprivate var base: IndexingIterator<[Pair]>

    mutating func next() -> (first: Int, second: Int, product: Double)? {
      base.next().map { (Int($0.first), Int($0.second), Double($0.product)) }
    }
  }
}
