public import Vectors

/// A matrix in the precision in which its file holds it.
public enum LoadedMatrix: Sendable {
  /// n × d numbers from F32, F16 or BF16.
  case float32(Matrix<Float>)
  /// n × d numbers from F64, or from text.
  case float64(Matrix<Double>)

  /// Number of rows, n.
  public var rows: Int {
    switch self {
    case .float32(let matrix): matrix.rows
    case .float64(let matrix): matrix.rows
    }
  }

  /// Number of columns, d.
  public var columns: Int {
    switch self {
    case .float32(let matrix): matrix.columns
    case .float64(let matrix): matrix.columns
    }
  }

  /// The rows in single precision; numbers beyond its range become infinite.
  ///
  /// - Complexity: O(n · d) where the file holds double precision, else O(1).
  public var singlePrecision: Matrix<Float> {
    switch self {
    case .float32(let matrix): matrix
    case .float64(let matrix):
      Matrix(rows: matrix.rows, columns: matrix.columns) { storage, stride in
        for row in 0..<matrix.rows {
          let source = matrix.row(row)
          for column in 0..<matrix.columns {
            storage[row * stride + column] = Float(source[column])
          }
        }
      }
    }
  }

  /// The rows in double precision, exactly.
  ///
  /// - Complexity: O(n · d) where the file holds single precision, else O(1).
  public var doublePrecision: Matrix<Double> {
    switch self {
    case .float64(let matrix): matrix
    case .float32(let matrix):
      Matrix(rows: matrix.rows, columns: matrix.columns) { storage, stride in
        for row in 0..<matrix.rows {
          let source = matrix.row(row)
          for column in 0..<matrix.columns {
            storage[row * stride + column] = Double(source[column])
          }
        }
      }
    }
  }
}

extension StoredArray {
  /// The n × d matrix that the array is, read straight into aligned rows.
  ///
  /// - Throws: `TensorFileError` where the array has not two dimensions, its type is not a
  ///   floating-point one, it has rows without columns, or memory does not suffice.
  /// - Complexity: O(n · d).
  public func matrix() throws -> LoadedMatrix {
    switch elementType {
    case .float32: .float32(try matrix(UInt32.self) { Float(bitPattern: $0) })
    case .float64: .float64(try matrix(UInt64.self) { Double(bitPattern: $0) })
    case .float16: .float32(try matrix(UInt16.self) { Float(Float16(bitPattern: $0)) })
    case .bfloat16: .float32(try matrix(UInt16.self) { Float(bitPattern: UInt32($0) << 16) })
    default: throw wrongType("F32 or F64 (float32 or float64)")
    }
  }

  private func matrix<Bits: FixedWidthInteger, Scalar: BinaryFloatingPoint & Sendable>(
    _: Bits.Type, _ decode: (Bits) -> Scalar
  ) throws -> Matrix<Scalar> {
    guard shape.count == 2 else {
      throw problem(
        "has \(shape.count) dimension\(shape.count == 1 ? "" : "s"), not 2",
        advice: "reshape it to n × d")
    }
    let rows = shape[0]
    let columns = shape[1]
    try checkMatrix(rows: rows, columns: columns, scalarSize: MemoryLayout<Scalar>.stride)
    return try Matrix(rows: rows, columns: columns) { storage, stride in
      try forEachPiece(of: Bits.self) { bits, first in
        // Row by row, so that the inner loop has neither a division nor a branch.
        var index = 0
        while index < bits.count {
          let (row, column) = (first + index).quotientAndRemainder(dividingBy: columns)
          let length = min(columns - column, bits.count - index)
          let target = storage + (row * stride + column)
          for step in 0..<length { target[step] = decode(bits[index + step]) }
          index += length
        }
      }
    }
  }

  private func checkMatrix(rows: Int, columns: Int, scalarSize: Int) throws {
    do {
      try MatrixMemory(rows: rows, columns: columns, scalarSize: scalarSize).check(limit: limit)
    } catch {
      throw problem(error.what, advice: error.advice)
    }
  }
}

/// The memory that a matrix with rows on 64-byte boundaries takes.
struct MatrixMemory {
  let rows: Int
  let columns: Int
  let scalarSize: Int

  /// What is wrong with a size, and what helps.
  struct Problem: Error {
    let what: String
    let advice: String
  }

  /// Refuses extents that `Matrix` could not allocate, before it is asked to.
  func check(limit: Int) throws(Problem) {
    guard columns > 0 || rows == 0 else {
      throw Problem(what: "has \(rows) rows of no columns", advice: "give rows with numbers")
    }
    let perLine = 64 / scalarSize
    let (padded, overflow) = columns.addingReportingOverflow(perLine - 1)
    let lines = max(padded / perLine, 1)
    let (all, tooMany) = max(rows, 1).multipliedReportingOverflow(by: lines)
    let (bytes, tooLarge) = all.multipliedReportingOverflow(by: 64)
    guard !overflow, !tooMany, !tooLarge, rows == 0 || bytes <= limit else {
      throw Problem(
        what: "a matrix of \(rows) × \(columns) needs more memory than the limit of \(limit) bytes",
        advice: "give fewer rows, or use a machine with more memory")
    }
  }
}
