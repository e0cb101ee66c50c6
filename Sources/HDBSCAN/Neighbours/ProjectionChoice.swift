internal import Glibc
internal import Vectors

/// Finds out on a sample on how few columns rows can be screened, and whether that pays.
///
/// The directions span the leading principal axes of the sample, which hold most of the distances between rows.
struct ProjectionChoice {
  /// Columns beyond which the principal axes are dear.
  private static let mostColumns = 1024
  /// Rows that the axes come from.
  private static let sampleSize = 2048
  /// Share of all pairs above which a screen keeps too many.
  private static let largestShare = 0.05
  /// Least part of the cost that must be saved.
  private static let leastGain = 0.15

  let sample: Matrix<Float>
  let axes: Matrix<Float>
  private let centre: Matrix<Double>
  private let unit: Double

  /// - Returns: nil where the rows have no usable axes.
  /// - Complexity: O(d³), for a sample of constant size.
  init?<Scalar: ExactScalar>(_ rows: DistinctRows<Scalar>, centre: Matrix<Double>, unit: Double) {
    guard rows.columns <= Self.mostColumns, rows.count > 0 else { return nil }
    let samples = min(rows.count, Self.sampleSize)
    // One of each stretch, but not always the same one: rows may repeat in some rhythm.
    var random = SplitMix64(state: 1)
    let chosen = (0..<samples).map {
      Int.random(in: $0 * rows.count / samples..<($0 + 1) * rows.count / samples, using: &random)
    }
    sample = centredCopies(rows, chosen, centre: centre, unit: unit)
    guard let axes = principalAxes(of: sample) else { return nil }
    self.axes = axes
    self.centre = centre
    self.unit = unit
  }

  /// Rows below which finding the directions costs more than they save.
  static func fewestRows(columns: Int) -> Int { max(16_384, 32 * columns) }

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
      directions: BlockProducts.products(cosines, transposed), sample: sample, centre: centre,
      unit: unit)
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
}
