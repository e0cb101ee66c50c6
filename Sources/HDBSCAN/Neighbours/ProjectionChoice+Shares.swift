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
      let places = Matrix<Float>(rows: asked.count, columns: some.rows) { storage, stride in
        BlockProducts.multiply(
          questions, rows: 0..<asked.count, by: some, columns: 0..<some.rows, into: storage,
          stride: stride)
      }
      let products = productsOfRows(places, places)
      let norms = asked.indices.map { Double(products[$0 * asked.count + $0]) }
      length += norms.reduce(0, +) / Double(asked.count)
      let slack = Self.rounding * length.squareRoot()
      var kept = 0
      for a in asked.indices {
        for b in 0..<a {
          let pair = a * asked.count + b
          squares[pair] += norms[a] + norms[b] - 2 * Double(products[pair])
          let limit = bottlenecks[pair] + slack
          if squares[pair] <= limit * limit { kept += 1 }
        }
      }
      return Double(kept) / Double(max(asked.count * (asked.count - 1) / 2, 1))
    }
  }

  /// For each pair of questions, row by row, the longest edge between them in the minimum spanning tree of
  /// a part of the sample.
  ///
  /// - Complexity: O(m² · d) in matrix products for a part of m rows.
  private func bottlenecks(_ asked: [Int]) -> [Double] {
    let count = min(sample.rows, Self.treeSize)
    // The questions first, then others.
    let isAsked = Set(asked)
    let others = (0..<sample.rows).filter { !isAsked.contains($0) }
    let missing = count - asked.count
    let rows = sample.selecting(
      rows: asked + (0..<missing).map { others[$0 * others.count / missing] })
    let products = productsOfRows(rows, rows)
    func product(_ a: Int, _ b: Int) -> Double { Double(products[a * count + b]) }
    // Prim's method: between two rows it is the longest of the edges that came after the first, up to the second.
    var bottlenecks = [Double](repeating: 0, count: asked.count * asked.count)
    var (outside, squares) = (Array(1..<count), [Double](repeating: .infinity, count: count))
    var longest: [(row: Int, square: Double)] = []
    var current = 0
    while true {
      if current < asked.count {
        for (row, square) in longest {
          bottlenecks[row * asked.count + current] = square.squareRoot()
          bottlenecks[current * asked.count + row] = square.squareRoot()
        }
        longest.append((current, 0))
      }
      if outside.isEmpty { return bottlenecks }
      var best = 0
      for place in outside.indices {
        let row = outside[place]
        let square = product(row, row) + product(current, current) - 2 * product(row, current)
        squares[row] = min(squares[row], max(square, 0))
        if squares[row] < squares[outside[best]] { best = place }
      }
      current = outside[best]
      outside.swapAt(best, outside.count - 1)
      outside.removeLast()
      for place in longest.indices {
        longest[place].square = max(longest[place].square, squares[current])
      }
    }
  }

  private func productsOfRows(_ rows: Matrix<Float>, _ columns: Matrix<Float>) -> [Float] {
    var products = [Float](repeating: 0, count: rows.rows * columns.rows)
    BlockProducts.multiply(
      rows, rows: 0..<rows.rows, by: columns, columns: 0..<columns.rows, into: &products,
      stride: columns.rows)
    return products
  }
}
