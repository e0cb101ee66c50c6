internal import CKernels
internal import Vectors

/// Screening by integer products of rows that are rounded to bytes.
///
/// With z = scale · (x − centre), q its rounded, clipped copy and ρ ≥ |z − q|, the triangle
/// inequality gives |q_i − q_j| ≤ D + ρ_i + ρ_j for the scaled distance D. So a pair within the
/// limit L of i has
///
///     |q_i|² + |q_j|² − 2 q_i·q_j ≤ (A_i + e_j)² ≤ A_i² + 2 A e_j + e_j²,
///     A_i = L + ρ_i + ρ̄,  e_j = max(ρ_j − ρ̄, 0),  A ≥ A_i,
///
/// where ρ̄ is a residual that most rows stay below. Both sides are sums of one part for each row;
/// everything on the left is a whole number and exact. docs/exactness.md has the roundings.
///
/// A second byte for each value, r = 256 (z − q) rounded, makes ρ some hundred times smaller. It
/// is looked at for the pairs only that the first byte keeps.
struct QuantisedRows: ScreeningSource {
  let count: Int
  let halfLower: [Int32]
  let kernel: kernel_integer_kind
  let scale: Double
  /// ρ̄.
  private let commonResidual: Double
  /// A: no two entries are farther apart.
  private let largestDistance: Double
  let facts: [EntryFacts]
  /// The same with the second byte.
  let fine: [kernel_fine_facts]
  private let offsets: [Int32]
  let codes: ByteRows
  private let columns: Int
  /// Row of `codes` of each entry.
  let entries: [Int32]
  private let panels: BytePanels
  private let threads: Int

  /// What rounding kept and lost of a row.
  struct EntryFacts {
    var squares: Int32
    var sum: Int32
    var residual: Double
  }

  /// Rounds rows in a frame.
  ///
  /// - Complexity: O(n · d); 3 · n · d bytes.
  init<Scalar: ExactScalar>(
    _ rows: DistinctRows<Scalar>, frame: IntegerFrame, kernel: kernel_integer_kind, threads: Int
  ) {
    var kept = [kernel_quantised](repeating: kernel_quantised(), count: rows.count)
    let codes = kept.withUnsafeMutableBufferPointer { kept in
      let target = kept
      return ByteRows(rows: rows.count, stride: 2 * rows.stride) { bytes in
        parallelForChunks(rows.count, chunk: 256, threads: threads) { chunk in
          for row in chunk {
            target[row] = Scalar.quantise(
              rows.row(row), centre: frame.centre.base, stride: rows.stride, scale: frame.scale,
              into: bytes + row * 2 * rows.stride)
          }
        }
      }
    }
    let facts = kept.map(EntryFacts.init)
    // Of a row too far from the others for its values to be squared it is infinite, and keeps every pair.
    let residuals = facts.map(\.residual).filter(\.isFinite).sorted()
    let longest = facts.reduce(0) { max($0, $1.squares) }
    self.init(
      facts: facts, fine: kept.map(kernel_fine_facts.init), scale: frame.scale,
      commonResidual: residuals.isEmpty ? 0 : residuals[residuals.count * 9 / 10],
      largestDistance: 2 * Double(longest).squareRoot() * (1 + 0x1p-40), codes: codes,
      columns: rows.columns, entries: Array(0..<Int32(rows.count)), kernel: kernel,
      threads: threads)
  }

  private init(
    facts: [EntryFacts], fine: [kernel_fine_facts], scale: Double, commonResidual: Double,
    largestDistance: Double, codes: ByteRows, columns: Int, entries: [Int32],
    kernel: kernel_integer_kind, threads: Int
  ) {
    count = facts.count
    self.facts = facts
    self.fine = fine
    self.scale = scale
    self.commonResidual = commonResidual
    self.largestDistance = largestDistance
    self.codes = codes
    self.columns = columns
    self.entries = entries
    self.kernel = kernel
    self.threads = threads
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

  /// A bound on the scaled distance of rows whose computed squared distance is at most a limit.
  ///
  /// The canonical kernel errs by at most 2⁻³⁸ of a squared distance, and by underflow.
  func radius(squaredLimit: Double) -> Double {
    if squaredLimit < 0 { return -1 }
    return (squaredLimit * (scale * scale) * (1 + 0x1p-36) + 0x1p-40).squareRoot()
  }

  func reach(_ entry: Int, radius: Double) -> Int32 { reach(of: facts[entry], radius: radius) }

  /// The reach of a row that need not be one of these, against these.
  func reach(of fact: EntryFacts, squaredLimit: Double) -> Int32 {
    reach(of: fact, radius: radius(squaredLimit: squaredLimit))
  }

  private func reach(of fact: EntryFacts, radius: Double) -> Int32 {
    if radius < 0 { return .keepsNone }
    let distance = (radius + fact.residual + commonResidual) * (1 + 0x1p-40)
    if !(distance < largestDistance) { return .keepsAll }
    return Int32(((Double(fact.squares) - distance * distance) / 2).rounded(.down))
  }

  func products(
    _ rows: Range<Int>, with other: QuantisedRows, _ columns: Range<Int>,
    into result: UnsafeMutablePointer<Int32>, stride: Int
  ) {
    withTile(rows, with: other, columns, reaches: nil) {
      kernel_integer_products(kernel, $0, result, stride)
    }
  }

  func screenTile(
    _ rows: Range<Int>, _ columns: Range<Int>, _ scratch: TileScratch<Int32>
  ) -> Int {
    screenTile(rows, with: self, columns, scratch)
  }

  /// As the other, with the columns of another source in this frame.
  func screenTile(
    _ rows: Range<Int>, with other: QuantisedRows, _ columns: Range<Int>,
    _ scratch: TileScratch<Int32>
  ) -> Int {
    withTile(
      rows, with: other, columns, reaches: (row: scratch.rowReach, column: scratch.columnReach)
    ) {
      kernel_integer_screen(kernel, $0, scratch.pairs)
    }
  }

  private func withTile<Result>(
    _ rows: Range<Int>, with other: QuantisedRows, _ columns: Range<Int>,
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

  func selecting(_ selected: [Int]) -> QuantisedRows {
    QuantisedRows(
      facts: selected.map { facts[$0] }, fine: selected.map { fine[$0] }, scale: scale,
      commonResidual: commonResidual, largestDistance: largestDistance, codes: codes,
      columns: columns, entries: selected.map { entries[$0] }, kernel: kernel, threads: threads)
  }
}

extension QuantisedRows.EntryFacts {
  init(_ kept: kernel_quantised) {
    squares = kept.squares
    sum = kept.sum
    let lost = kept.residual_square.squareRoot()
    residual = lost * (1 + 0x1p-30) + kept.rounding
  }
}

extension kernel_fine_facts {
  init(_ kept: kernel_quantised) {
    self.init(
      squares: kept.fine_squares,
      residual: kept.fine_residual_square.squareRoot() * (1 + 0x1p-30) + kept.rounding,
      size: kept.fine_size_square.squareRoot() * (1 + 0x1p-30), sum: Double(kept.fine_sum))
  }
}

extension kernel_quantised {
  /// What the roundings of z, each by at most 2⁻⁵¹ of its values, may hide; those of sums are covered by
  /// 2⁻³⁰.
  fileprivate var rounding: Double {
    (Double(squares).squareRoot() + residual_square.squareRoot()) * 0x1p-50
  }
}
