internal import CKernels

extension QuantisedRows {
  static var looksCloser: Bool { true }

  func lookCloser(
    _ rows: Range<Int>, _ columns: Range<Int>, count: Int, _ scratch: TileScratch<Int32>
  ) -> Int {
    lookCloser(rows.lowerBound, at: self, columns.lowerBound) { look in
      (look.row_radius, look.column_radius) = (
        UnsafePointer(scratch.rowRadius), UnsafePointer(scratch.columnRadius)
      )
      return kernel_integer_look_closer(kernel, &look, scratch.pairs, count, scratch.least)
    }
  }

  /// A number that the computed squared distance to an entry of another source in this frame
  /// reaches; infinity if that surely exceeds the limit.
  func leastSquaredDistance(
    _ first: Int, to second: Int, of other: QuantisedRows, product: Int32, squaredLimit: Double
  ) -> Double {
    var pair = kernel_survivor(row: 0, column: 0, product: product)
    var least = 0.0
    let kept = withUnsafePointer(to: radius(squaredLimit: squaredLimit)) { radius in
      lookCloser(first, at: other, second) { look in
        (look.row_radius, look.column_radius) = (radius, radius)
        return kernel_integer_look_closer(kernel, &look, &pair, 1, &least)
      }
    }
    return kept == 1 ? least : .infinity
  }

  /// A closer look at entries from `first` on and entries of another source from `second` on, but for
  /// the radii.
  private func lookCloser(
    _ first: Int, at other: QuantisedRows, _ second: Int,
    _ body: (inout kernel_closer_look) -> Int
  ) -> Int {
    fine.withUnsafeBufferPointer { rows in
      other.fine.withUnsafeBufferPointer { columns in
        entries.withUnsafeBufferPointer { rowEntries in
          other.entries.withUnsafeBufferPointer { columnEntries in
            var look = kernel_closer_look()
            (look.stride, look.unit) = (codes.stride / 2, 1 / (scale * scale))
            look.is_whole = isProjected ? 1 : 0
            (look.row_codes, look.column_codes) = (codes.base, other.codes.base)
            look.row_entries = rowEntries.baseAddress.map { $0 + first }
            look.column_entries = columnEntries.baseAddress.map { $0 + second }
            look.rows = rows.baseAddress.map { $0 + first }
            look.columns = columns.baseAddress.map { $0 + second }
            return body(&look)
          }
        }
      }
    }
  }

  func prefetch(_ entry: Int) { kernel_prefetch(codesOf(entry), codes.stride) }

  private func codesOf(_ entry: Int) -> UnsafePointer<Int8> {
    codes.base + Int(entries[entry]) * codes.stride
  }
}
