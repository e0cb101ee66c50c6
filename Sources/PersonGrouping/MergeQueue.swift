/// A possible merge of two groups as they were when it was entered.
struct PossibleMerge {
  var evidence: Double
  var first: Int32
  var second: Int32
  var firstVersion: Int32
  var secondVersion: Int32

  /// Whether this one is to be done before another: more evidence, then smaller groups' numbers.
  func precedes(_ other: PossibleMerge) -> Bool {
    (other.evidence, first, second) < (evidence, other.first, other.second)
  }
}

/// A binary heap of possible merges, the best on top.
struct MergeQueue {
  private var heap: [PossibleMerge] = []

  var best: PossibleMerge? { heap.first }

  mutating func insert(_ merge: PossibleMerge) {
    heap.append(merge)
    var hole = heap.count - 1
    while hole > 0 {
      let above = (hole - 1) / 2
      if !merge.precedes(heap[above]) { break }
      heap[hole] = heap[above]
      hole = above
    }
    heap[hole] = merge
  }

  mutating func removeBest() {
    guard let last = heap.popLast(), !heap.isEmpty else { return }
    var hole = 0
    while true {
      var below = 2 * hole + 1
      if below >= heap.count { break }
      if below + 1 < heap.count, heap[below + 1].precedes(heap[below]) { below += 1 }
      if !heap[below].precedes(last) { break }
      heap[hole] = heap[below]
      hole = below
    }
    heap[hole] = last
  }
}
