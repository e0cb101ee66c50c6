internal import CKernels
internal import Vectors

/// Screening by integer products of rows that are rounded to bytes, in two looks.
///
/// The first is that of ``CoarseRows``, at every pair: z = scale · (x − centre) rounded to bytes, or where
/// that pays its projection on fewer columns. The second, at the pairs that the first keeps, has all columns and a
/// second byte for each value, r = 256 (z − q) rounded, which makes ρ some hundred times smaller.
struct QuantisedRows: ScreeningSource {
  let coarse: CoarseRows
  let kernel: kernel_integer_kind
  let scale: Double
  /// Of the first look, by this of the second: what a radius is multiplied by.
  private let ratio: Double
  /// Whether the first look has columns of its own.
  let isProjected: Bool
  /// What the second look wants to know of each entry.
  let fine: [kernel_fine_facts]
  let codes: ByteRows
  /// Row of `codes` of each entry.
  let entries: [Int32]
  private let threads: Int

  var count: Int { fine.count }
  var halfLower: [Int32] { coarse.halfLower }

  /// Rounds rows in a frame.
  ///
  /// - Complexity: O(n · d), with a projection on k columns O(n · d · k) in matrix products; 3 · n · d bytes,
  ///   with a projection 2 · n · (d + k).
  init<Scalar: ExactScalar>(
    _ rows: DistinctRows<Scalar>, frame: IntegerFrame, projection: ProjectedFrame? = nil,
    kernel: kernel_integer_kind, threads: Int
  ) {
    var kept = [kernel_quantised](repeating: kernel_quantised(), count: rows.count)
    codes = kept.withUnsafeMutableBufferPointer { kept in
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
    fine = kept.map(kernel_fine_facts.init)
    entries = Array(0..<Int32(rows.count))
    scale = frame.scale
    if let projection {
      coarse = projection.coarse(rows, lengths: fine.map { $0.length / frame.scale }, threads)
    } else {
      coarse = CoarseRows(
        facts: kept.map(CoarseRows.Facts.init), codes: codes, columns: rows.columns,
        entries: entries, scale: frame.scale, threads: threads)
    }
    isProjected = projection != nil
    ratio = isProjected ? coarse.scale / scale * (1 + 0x1p-40) : 1
    self.kernel = kernel
    self.threads = threads
  }

  private init(_ source: QuantisedRows, selected: [Int]) {
    kernel = source.kernel
    scale = source.scale
    ratio = source.ratio
    isProjected = source.isProjected
    codes = source.codes
    threads = source.threads
    fine = selected.map { source.fine[$0] }
    entries = selected.map { source.entries[$0] }
    coarse = source.coarse.selecting(selected, entries: entries, threads: threads)
  }

  func selecting(_ selected: [Int]) -> QuantisedRows { QuantisedRows(self, selected: selected) }

  /// A bound on the scaled distance of rows whose computed squared distance is at most a limit.
  ///
  /// The canonical kernel errs by at most 2⁻³⁸ of a squared distance, and by underflow.
  func radius(squaredLimit: Double) -> Double {
    if squaredLimit < 0 { return -1 }
    return (squaredLimit * (scale * scale) * (1 + 0x1p-36) + 0x1p-40).squareRoot()
  }

  func reach(_ entry: Int, radius: Double) -> Int32 {
    coarse.reach(of: coarse.facts[entry], radius: radius * ratio)
  }

  /// The reach of an entry of another source in this frame, against these.
  func reach(of entry: Int, in other: QuantisedRows, squaredLimit: Double) -> Int32 {
    coarse.reach(
      of: other.coarse.facts[entry], radius: radius(squaredLimit: squaredLimit) * ratio)
  }

  func products(
    _ rows: Range<Int>, with other: QuantisedRows, _ columns: Range<Int>,
    into result: UnsafeMutablePointer<Int32>, stride: Int
  ) {
    coarse.withTile(rows, with: other.coarse, columns, reaches: nil) {
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
    coarse.withTile(
      rows, with: other.coarse, columns,
      reaches: (row: scratch.rowReach, column: scratch.columnReach)
    ) {
      kernel_integer_screen(kernel, $0, scratch.pairs)
    }
  }
}

extension kernel_fine_facts {
  init(_ kept: kernel_quantised) {
    self.init(
      squares: kept.fine_squares,
      residual: kept.fine_residual_square.squareRoot() * (1 + 0x1p-30) + kept.rounding,
      size: kept.fine_size_square.squareRoot() * (1 + 0x1p-30), sum: Double(kept.fine_sum),
      coarse_sum: Double(kept.sum))
  }

  /// At least |z|.
  fileprivate var length: Double { squares.squareRoot() * (1 + 0x1p-30) + residual }
}
