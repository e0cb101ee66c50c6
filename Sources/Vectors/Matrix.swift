/// A dense row-major matrix whose rows each start on a 64-byte boundary.
///
/// Aligned rows are worth a factor of two in the distance kernels. Columns beyond `columns` up to
/// `stride` are zero, so a kernel may read whole vector registers without looking at the tail.
///
/// The storage is filled once, by the closure given to an initialiser, and never changes after.
/// That is why the class is `@unchecked Sendable`: after `init` nothing can write through it.
public final class Matrix<Scalar: BinaryFloatingPoint & Sendable>: @unchecked Sendable {
  /// Number of rows, n.
  public let rows: Int
  /// Number of columns, d.
  public let columns: Int
  /// Distance between the starts of two rows, in scalars: `columns` rounded up to 64 bytes.
  public let stride: Int
  /// Start of row 0; valid for `rows * stride` scalars and as long as the matrix lives.
  public let base: UnsafePointer<Scalar>

  private let storage: UnsafeMutableRawPointer
  /// The matrix whose rows these are, where they are not its own.
  private let owner: Matrix?

  /// Makes a matrix and lets `fill` write it, row by row addressed through `stride`.
  ///
  /// - Parameters:
  ///   - rows: number of rows, at least 0.
  ///   - columns: number of columns, at least 0.
  ///   - fill: receives the zeroed storage of `rows * stride` scalars and the stride.
  /// - Throws: what `fill` throws.
  /// - Complexity: O(rows · columns).
  public init(
    rows: Int, columns: Int,
    fill: (_ storage: UnsafeMutablePointer<Scalar>, _ stride: Int) throws -> Void
  ) rethrows {
    precondition(rows >= 0 && columns >= 0, "a matrix has no negative extent")
    let perLine = 64 / MemoryLayout<Scalar>.stride
    let stride = max((columns + perLine - 1) / perLine * perLine, perLine)
    let count = max(rows * stride, perLine)
    let byteCount = count * MemoryLayout<Scalar>.stride
    let raw = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
    // As bytes, for which this is one call; a zero is zeros.
    raw.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    let typed = raw.bindMemory(to: Scalar.self, capacity: count)
    self.rows = rows
    self.columns = columns
    self.stride = stride
    self.base = UnsafePointer(typed)
    self.storage = raw
    owner = nil
    try fill(typed, stride)
  }

  /// Makes a matrix from rows of equal length.
  ///
  /// - Complexity: O(n · d).
  public convenience init(_ source: [[Scalar]]) {
    let columns = source.first?.count ?? 0
    self.init(rows: source.count, columns: columns) { storage, stride in
      for (index, row) in source.enumerated() {
        precondition(row.count == columns, "row \(index) has \(row.count) values, not \(columns)")
        for (column, value) in row.enumerated() { storage[index * stride + column] = value }
      }
    }
  }

  /// Consecutive rows of another matrix, whose storage they share.
  private init(_ range: Range<Int>, of owner: Matrix) {
    precondition(range.lowerBound >= 0 && range.upperBound <= owner.rows, "rows that are there")
    rows = range.count
    columns = owner.columns
    stride = owner.stride
    base = owner.base + range.lowerBound * owner.stride
    storage = owner.storage
    self.owner = owner
  }

  deinit { if owner == nil { storage.deallocate() } }

  /// Consecutive rows, not copied; the storage lives as long as any of its matrices.
  ///
  /// - Complexity: O(1).
  public func rows(_ range: Range<Int>) -> Matrix { Matrix(range, of: self) }

  /// Start of a row; valid for `stride` scalars as long as the matrix lives.
  @inlinable
  public func row(_ index: Int) -> UnsafePointer<Scalar> { base + index * stride }

  /// The values of one row, copied.
  ///
  /// - Complexity: O(d).
  public func values(ofRow index: Int) -> [Scalar] {
    Array(UnsafeBufferPointer(start: row(index), count: columns))
  }

  /// A new matrix of the rows at `indices`, in that order.
  ///
  /// - Complexity: O(indices · d).
  public func selecting(rows indices: [Int]) -> Matrix {
    Matrix(rows: indices.count, columns: columns) { storage, stride in
      for (target, source) in indices.enumerated() {
        (storage + target * stride).update(from: row(source), count: columns)
      }
    }
  }
}
