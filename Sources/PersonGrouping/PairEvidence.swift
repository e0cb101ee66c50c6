internal import HDBSCAN
internal import Vectors

/// Extraction of sure groups from the hierarchy by pair evidence.
///
/// FOSC (Campello et al. 2013, doi:10.1007/s10618-013-0311-4) with another measure than stability:
/// the evidence of a node is the sum over its pairs of (similarity − threshold), which for unit
/// vectors follows from their sum S as ½(|S|² − Q) − t · ½(W² − Q), W the votes and Q the sum of
/// their squares, less what single faces need beyond the threshold. A node is kept where its
/// evidence is at least the total of the best below it: the antichain of greatest evidence, exactly.
struct PairEvidence {
  let faces: CentredFaces
  let hierarchy: SingleLinkage
  /// Vote of each face.
  let votes: [Double]
  /// Nodes that hold a pair of faces that humans said are different people.
  let forbidden: [Bool]

  /// The group of every face: the id of a node of the hierarchy, of itself where it stays alone.
  ///
  /// - Parameters:
  ///   - threshold: cosine similarity.
  ///   - penalty: what a pair of single faces needs beyond it.
  /// - Complexity: O(n · d); memory O(n + d · log n).
  func extract(threshold: Double, penalty: Double) -> [Int] {
    let count = hierarchy.pointCount
    guard let root = hierarchy.root else { return [] }
    var best = [Double](repeating: 0, count: root + 1)
    var isKept = [Bool](repeating: true, count: root + 1)
    var totals = [Double](repeating: 0, count: root + 1)
    var squares = [Double](repeating: 0, count: root + 1)
    for face in 0..<count {
      totals[face] = votes[face]
      squares[face] = votes[face] * votes[face]
    }
    NodeSums(faces: faces, votes: votes).visit(hierarchy) { node, norm in
      var below = 0.0
      for child in hierarchy.children(of: node) {
        below += best[child]
        totals[node] += totals[child]
        squares[node] += squares[child]
      }
      let pairs = (totals[node] * totals[node] - squares[node]) / 2
      let evidence =
        (norm - squares[node]) / 2 - threshold * pairs
        - penalty
        * Self.singleFaces(
          SimilarityCalibration.weight(
            faces: hierarchy.points(below: node).count, votes: totals[node]))
      isKept[node] = !forbidden[node] && evidence >= below
      best[node] = isKept[node] ? evidence : below
    }
    // From the top: the highest kept nodes.
    var group = [Int](repeating: -1, count: root + 1)
    for node in stride(from: root, through: 0, by: -1) {
      if group[node] < 0, isKept[node] { group[node] = node }
      guard node >= count, group[node] >= 0 else { continue }
      for child in hierarchy.children(of: node) { group[child] = group[node] }
    }
    return Array(group.prefix(count))
  }

  /// √1 + √2 + … + √(w − 1), continued to any w ≥ 1: what a group needs that grew face by face.
  static func singleFaces(_ weight: Double) -> Double {
    let root = weight.squareRoot()
    return max(2.0 / 3 * weight * root - root / 2 - 0.2079, 0)
  }
}

/// Sums of vectors below the nodes of a hierarchy, with few of them alive at once.
struct NodeSums {
  let faces: CentredFaces
  let votes: [Double]

  /// Calls `body` with every inner node, children first, and the squared norm of the sum of its
  /// faces as they are seen.
  ///
  /// The largest child goes first and its sum becomes its parent's, so at most log₂ n sums live.
  ///
  /// - Complexity: O(n · d).
  func visit(_ hierarchy: SingleLinkage, _ body: (_ node: Int, _ squaredNorm: Double) -> Void) {
    guard let root = hierarchy.root, root >= hierarchy.pointCount else { return }
    // Rows of doubles fill whole lines of eight, those of floats of sixteen.
    let columns = faces.vectors.stride
    var pool = SumPool(columns: columns)
    defer { pool.free() }
    var stack = [Frame(root, hierarchy)]
    while var frame = stack.popLast() {
      if let child = frame.nextChild() {
        if child < hierarchy.pointCount {
          let sum = frame.sum ?? pool.take()
          frame.sum = sum
          let weight = votes[child] * faces.scales[child]
          faces.vectors.add(row: child, weight: weight, to: sum)
          frame.weight += weight
          frame.offset += weight * faces.offsets[child]
          stack.append(frame)
        } else {
          stack.append(frame)
          stack.append(Frame(child, hierarchy))
        }
        continue
      }
      guard let sum = frame.sum else { continue }
      let norm = Double.dotProduct(sum, sum, stride: columns)
      // |u − W·c|² of the plain sum u, the weights W and u·c.
      body(
        frame.node,
        norm - 2 * frame.weight * frame.offset + frame.weight * frame.weight * faces.centreSquare)
      guard let above = stack.indices.last else {
        pool.give(sum)
        continue
      }
      stack[above].weight += frame.weight
      stack[above].offset += frame.offset
      if let target = stack[above].sum {
        for column in 0..<columns { target[column] += sum[column] }
        pool.give(sum)
      } else {
        stack[above].sum = sum
      }
    }
  }

  /// A node whose sum is under way.
  private struct Frame {
    let node: Int
    private let children: ArraySlice<Int>
    private let largest: Int
    /// Where the next child is; one before the first stands for the largest.
    private var next: Int
    var sum: UnsafeMutablePointer<Double>?
    var weight = 0.0
    var offset = 0.0

    init(_ node: Int, _ hierarchy: SingleLinkage) {
      self.node = node
      children = hierarchy.children(of: node)
      largest =
        children.max { hierarchy.points(below: $0).count < hierarchy.points(below: $1).count }
        ?? node
      next = children.startIndex - 1
    }

    mutating func nextChild() -> Int? {
      defer { next += 1 }
      if next < children.startIndex { return largest }
      if next < children.endIndex, children[next] == largest { next += 1 }
      return next < children.endIndex ? children[next] : nil
    }
  }
}

/// Vectors of doubles that are used again.
private struct SumPool {
  let columns: Int
  private var all: [UnsafeMutablePointer<Double>] = []
  private var idle: [UnsafeMutablePointer<Double>] = []

  init(columns: Int) { self.columns = columns }

  mutating func take() -> UnsafeMutablePointer<Double> {
    let sum: UnsafeMutablePointer<Double>
    if let old = idle.popLast() {
      sum = old
    } else {
      sum = UnsafeMutableRawPointer.allocate(
        byteCount: columns * MemoryLayout<Double>.stride, alignment: 64
      ).bindMemory(to: Double.self, capacity: columns)
      all.append(sum)
    }
    sum.initialize(repeating: 0, count: columns)
    return sum
  }

  mutating func give(_ sum: UnsafeMutablePointer<Double>) { idle.append(sum) }

  func free() { for sum in all { sum.deallocate() } }
}
