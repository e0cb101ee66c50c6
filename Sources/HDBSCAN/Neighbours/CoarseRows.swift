internal import CKernels
internal import Vectors

/// Rows rounded to bytes whose products screen pairs: the first of the two looks of ``QuantisedRows``.
///
/// Let z be any image of the rows x with |z_i − z_j| ≤ scale · |x_i − x_j|, q its rounded, clipped copy and
/// ρ ≥ |z − q|. The triangle inequality gives |q_i − q_j| ≤ D + ρ_i + ρ_j for the scaled distance D. So a
/// pair within the limit L of i has
///
///     |q_i|² + |q_j|² − 2 q_i·q_j ≤ (A_i + e_j)² ≤ A_i² + 2 A e_j + e_j²,
///     A_i = L + ρ_i + ρ̄,  e_j = max(ρ_j − ρ̄, 0),  A ≥ A_i,
///
/// where ρ̄ is a residual that most rows stay below. Both sides are sums of one part for each row;
/// everything on the left is a whole number and exact. docs/exactness.md has the roundings.
struct CoarseRows: Sendable {
  /// What rounding kept and lost of a row.
  struct Facts {
    var squares: Int32
    var sum: Int32
    var residual: Double
  }

  /// What a distance is multiplied by to bound that of two images.
  let scale: Double
  let facts: [Facts]
  /// See ``ScreeningSource``.
  let halfLower: [Int32]
  private let codes: ByteRows
  private let columns: Int
  /// ρ̄.
  private let commonResidual: Double
  /// A: no two entries are farther apart.
  private let largestDistance: Double
  private let offsets: [Int32]
  private let panels: BytePanels

  /// - Parameters:
  ///   - codes: q of each row in its first `columns` bytes.
  ///   - entries: row of `codes` of each entry.
  /// - Complexity: O(n · columns).
  init(
    facts: [Facts], codes: ByteRows, columns: Int, entries: [Int32], scale: Double, threads: Int
  ) {
    // A row too far from the others for its values to be squared has an infinite one, and keeps every pair.
    let residuals = facts.map(\.residual).filter(\.isFinite).sorted()
    let longest = facts.reduce(0) { max($0, $1.squares) }
    self.init(
      facts: facts, codes: codes, columns: columns, entries: entries, scale: scale,
      commonResidual: residuals.isEmpty ? 0 : residuals[residuals.count * 9 / 10],
      largestDistance: 2 * Double(longest).squareRoot() * (1 + 0x1p-40), threads: threads)
  }

  private init(
    facts: [Facts], codes: ByteRows, columns: Int, entries: [Int32], scale: Double,
    commonResidual: Double, largestDistance: Double, threads: Int
  ) {
    self.scale = scale
    self.facts = facts
    self.codes = codes
    self.columns = columns
    self.commonResidual = commonResidual
    self.largestDistance = largestDistance
    // Kernels read whole registers: up to the next multiple of 16.
    let padding = [Int32](repeating: 0, count: BytePanels.rowsOfPanel)
    offsets = facts.map { -128 * $0.sum } + padding
    halfLower =
      facts.map { fact in
        let excess = max(fact.residual - commonResidual, 0)
        let half =
          Double(fact.squares) / 2 - (largestDistance + excess / 2) * excess * (1 + 0x1p-40)
        // Below this every pair is kept anyway.
        return Int32(max(half, -0x1p29).rounded(.down))
      } + padding
    panels = BytePanels(codes, entries: entries, columns: columns, threads: threads)
  }

  /// Some of the entries, in the order given.
  ///
  /// - Parameter entries: row of the codes of each selected entry.
  func selecting(_ selected: [Int], entries: [Int32], threads: Int) -> CoarseRows {
    CoarseRows(
      facts: selected.map { facts[$0] }, codes: codes, columns: columns, entries: entries,
      scale: scale, commonResidual: commonResidual, largestDistance: largestDistance,
      threads: threads)
  }

  /// The reach of a row that need not be one of these, against these.
  ///
  /// - Parameter radius: a bound on the scaled distance; negative for no pair.
  func reach(of fact: Facts, radius: Double) -> Int32 {
    if radius < 0 { return .keepsNone }
    let distance = (radius + fact.residual + commonResidual) * (1 + 0x1p-40)
    if !(distance < largestDistance) { return .keepsAll }
    return Int32(((Double(fact.squares) - distance * distance) / 2).rounded(.down))
  }

  /// Calls a function with the tile of some entries and some of another source in this frame.
  func withTile<Result>(
    _ rows: Range<Int>, with other: CoarseRows, _ columns: Range<Int>,
    reaches: (row: UnsafeMutablePointer<Int32>, column: UnsafeMutablePointer<Int32>)?,
    _ body: (UnsafePointer<kernel_integer_tile>) -> Result
  ) -> Result {
    offsets.withUnsafeBufferPointer { offsets in
      halfLower.withUnsafeBufferPointer { rowHalf in
        other.halfLower.withUnsafeBufferPointer { columnHalf in
          var tile = kernel_integer_tile(
            rows: panels.panel(ofRow: rows.lowerBound),
            columns: other.panels.panel(ofRow: columns.lowerBound), steps: panels.steps,
            row_count: rows.count, column_count: columns.count,
            row_offset: offsets.baseAddress.map { $0 + rows.lowerBound },
            row_half: rowHalf.baseAddress.map { $0 + rows.lowerBound }, row_reach: reaches?.row,
            column_half: columnHalf.baseAddress.map { $0 + columns.lowerBound },
            column_reach: reaches?.column)
          return body(&tile)
        }
      }
    }
  }
}

extension CoarseRows.Facts {
  init(_ kept: kernel_quantised) {
    squares = kept.squares
    sum = kept.sum
    let lost = kept.residual_square.squareRoot()
    residual = lost * (1 + 0x1p-30) + kept.rounding
  }
}

extension kernel_quantised {
  /// What the roundings of z, each by at most 2⁻⁵¹ of its values, may hide; those of sums are covered by
  /// 2⁻³⁰.
  var rounding: Double {
    (Double(squares).squareRoot() + residual_square.squareRoot()) * 0x1p-50
  }
}
