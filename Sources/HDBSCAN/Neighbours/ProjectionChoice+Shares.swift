internal import Vectors

extension ProjectionChoice {
  /// Rows of the sample that a tree spans, and those of them that are asked about.
  private static let (treeSize, questions) = (1024, 256)
  /// What rounding to bytes may hide of a distance, in lengths of the rows.
  private static let rounding = 0.02

  /// Share of the pairs that the first w, 2w, 3w … axes would keep, the limit of a pair being its bottleneck
  /// in a tree of the sample.
  ///
  /// In a larger collection somebody is nearer, but the bottlenecks of a tree are about as long: those between
  /// groups that lie apart are the distances of the groups, however near each row's neighbours are.
  func keptShares(width: Int) -> [Double] {
    let count = sample.rows
    let asked = (0..<min(count, Self.questions)).map { $0 * count / min(count, Self.questions) }
    let questions = sample.selecting(rows: asked)
    let bottlenecks = bottlenecks(asked)
    // Squared distances between questions in the axes so far.
    var squares = [Double](repeating: 0, count: asked.count * asked.count)
    var length = 0.0
    return stride(from: 0, to: axes.columns, by: width).map { first in
      let some = axes.selecting(
        rows: Array(first..<min(first + width, axes.columns)))
      let places = BlockProducts.products(questions, some)
      let products = BlockProducts.products(places, places)
      let norms = asked.indices.map { Double(products.row($0)[$0]) }
      length += norms.reduce(0, +) / Double(asked.count)
      let slack = Self.rounding * length.squareRoot()
      var kept = 0
      for a in asked.indices {
        for b in 0..<a {
          let pair = a * asked.count + b
          squares[pair] += norms[a] + norms[b] - 2 * Double(products.row(a)[b])
          let limit = bottlenecks[pair] + slack
          if squares[pair] <= limit * limit { kept += 1 }
        }
      }
      return Double(kept) / Double(max(asked.count * (asked.count - 1) / 2, 1))
    }
  }

  /// For each pair of questions a > b, at a · their number + b, the longest edge between them in the minimum spanning tree of
  /// a part of the sample.
  ///
  /// - Complexity: O(m² · (d + log m)) for a part of m rows.
  private func bottlenecks(_ asked: [Int]) -> [Double] {
    let count = min(sample.rows, Self.treeSize)
    // The questions first, then others.
    let isAsked = Set(asked)
    let others = (0..<sample.rows).filter { !isAsked.contains($0) }
    let missing = count - asked.count
    let rows = sample.selecting(
      rows: asked + (0..<missing).map { others[$0 * others.count / missing] })
    let products = BlockProducts.products(rows, rows)
    var edges: [CandidateEdge] = []
    edges.reserveCapacity(count * (count - 1) / 2)
    for a in 0..<count {
      for b in 0..<a {
        let norms = Double(products.row(a)[a]) + Double(products.row(b)[b])
        let square = max(norms - 2 * Double(products.row(a)[b]), 0)
        edges.append(CandidateEdge(b, a, weight: square.squareRoot()))
      }
    }
    let tree = Bottlenecks(
      tree: minimumSpanningForest(edges, count: count).edges, count: count)
    var bottlenecks = [Double](repeating: 0, count: asked.count * asked.count)
    for a in asked.indices {
      for b in 0..<a { bottlenecks[a * asked.count + b] = tree.bottleneck(a, b) }
    }
    return bottlenecks
  }
}
