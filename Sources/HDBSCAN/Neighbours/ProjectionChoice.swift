internal import Glibc
internal import Vectors

/// Finds out on a sample on how few columns rows can be screened, and whether that pays.
///
/// The directions span the leading principal axes of the sample, which hold most of the distances between rows.
struct ProjectionChoice {
  /// Rows below which finding the directions costs more than they save.
  static let fewestRows = 16_384
  /// Columns beyond which the principal axes are dear.
  private static let mostColumns = 1024
  /// Rows that the axes come from, and those of them that a tree spans and that are asked about.
  private static let (sampleSize, treeSize, questions) = (2048, 1024, 256)
  /// What rounding to bytes may hide of a distance, in lengths of the rows.
  private static let rounding = 0.02
  /// Share of all pairs above which a screen keeps too many.
  private static let largestShare = 0.05
  /// Least part of the cost that must be saved.
  private static let leastGain = 0.15

  private let sample: Matrix<Float>
  private let axes: Matrix<Float>
  private let centre: Matrix<Double>
  private let unit: Double

  /// - Returns: nil where the rows have no usable axes.
  /// - Complexity: O(d³), for a sample of constant size.
  init?<Scalar: ExactScalar>(_ rows: DistinctRows<Scalar>, centre: Matrix<Double>, unit: Double) {
    guard rows.columns <= Self.mostColumns, rows.count > 0 else { return nil }
    let samples = min(rows.count, Self.sampleSize)
    sample = centredCopies(
      rows, (0..<samples).map { $0 * rows.count / samples }, centre: centre, unit: unit)
    guard let axes = principalAxes(of: sample) else { return nil }
    self.axes = axes
    self.centre = centre
    self.unit = unit
  }

  /// The frame of the first `count` axes.
  ///
  /// They are mixed by an orthogonal matrix, the cosine transform: along the axes themselves the first values are the
  /// largest by far, and one step of a byte must do for all.
  ///
  /// - Returns: nil where bytes cannot serve.
  /// - Complexity: O(count² · d).
  func frame(columns count: Int) -> ProjectedFrame? {
    let transposed = Matrix<Float>(rows: axes.columns, columns: count) { storage, stride in
      for column in 0..<axes.columns {
        for axis in 0..<count { storage[column * stride + axis] = axes.row(axis)[column] }
      }
    }
    let cosines = Matrix<Float>(rows: count, columns: count) { storage, stride in
      for row in 0..<count {
        let size = (row == 0 ? 1 : 2.0).squareRoot() / Double(count).squareRoot()
        for column in 0..<count {
          let angle = Double.pi * (Double(column) + 0.5) * Double(row) / Double(count)
          storage[row * stride + column] = Float(size * cos(angle))
        }
      }
    }
    return ProjectedFrame(
      directions: Matrix(rows: count, columns: axes.columns) { storage, stride in
        BlockProducts.multiply(
          cosines, rows: 0..<count, by: transposed, columns: 0..<axes.columns, into: storage,
          stride: stride)
      }, sample: sample, centre: centre, unit: unit)
  }

  /// The number of columns by which screening costs least; nil where all of them are as good.
  ///
  /// - Parameter closerLook: what a closer look at a pair costs, in products of all columns.
  func columns(closerLook: Double) -> Int? {
    let width = max(16, axes.columns / 16 / 16 * 16)
    let shares = keptShares(width: width)
    func cost(_ part: Int) -> Double {
      Double(min((part + 1) * width, axes.columns)) / Double(axes.columns)
        + shares[part] * closerLook
    }
    guard
      let best = shares.indices.dropLast().filter({ shares[$0] <= Self.largestShare })
        .min(by: { cost($0) < cost($1) }),
      cost(best) <= (1 - Self.leastGain) * cost(shares.count - 1)
    else { return nil }
    return (best + 1) * width
  }

  /// Share of the pairs that the first w, 2w, 3w … axes would keep, the limit of a pair being its bottleneck
  /// in a tree of the sample.
  ///
  /// In a larger collection somebody is nearer, but the bottlenecks of a tree are about as long: those between
  /// groups that lie apart are the distances of the groups, however near each row's neighbours are.
  private func keptShares(width: Int) -> [Double] {
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
