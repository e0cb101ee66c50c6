public import Vectors

/// An array to be written: type, shape and elements in C order.
///
/// ```swift
/// let labels = Tensor([0, 0, 1, -1])             // I64, shape [4]
/// let edges = Tensor([0.0, 1, 0.5], shape: [1, 3]) // F64
/// ```
public struct Tensor: Sendable {
  enum Payload: Sendable {
    case bytes([UInt8])
    // Matrices are written row by row, so that large embeddings are not copied first.
    case float32(Matrix<Float>)
    case float64(Matrix<Double>)
  }

  /// Type of the elements.
  public let elementType: ElementType
  /// Extents, slowest first; empty for a single number.
  public let shape: [Int]
  let payload: Payload

  /// Bytes of all elements.
  public var byteCount: Int {
    // Every initialiser has made sure that the product fits.
    shape.reduce(elementType.size, *)
  }

  /// Makes a tensor of raw little-endian bytes.
  ///
  /// - Precondition: `bytes` has as many bytes as type and shape say.
  public init(elementType: ElementType, shape: [Int], bytes: [UInt8]) {
    precondition(
      TensorFiles.byteCount(of: shape, size: elementType.size) == bytes.count,
      "\(bytes.count) bytes are not a tensor of shape \(shape)")
    self.elementType = elementType
    self.shape = shape
    payload = .bytes(bytes)
  }

  /// Makes an I64 tensor; the shape is one-dimensional unless given.
  public init(_ values: [Int], shape: [Int]? = nil) {
    self.init(.int64, values, shape) { append(Int64($0), to: &$1) }
  }

  /// Makes an I64 tensor; the shape is one-dimensional unless given.
  public init(_ values: [Int64], shape: [Int]? = nil) {
    self.init(.int64, values, shape) { append($0, to: &$1) }
  }

  /// Makes an I32 tensor; the shape is one-dimensional unless given.
  public init(_ values: [Int32], shape: [Int]? = nil) {
    self.init(.int32, values, shape) { append($0, to: &$1) }
  }

  /// Makes a U8 tensor; the shape is one-dimensional unless given.
  public init(_ values: [UInt8], shape: [Int]? = nil) {
    self.init(elementType: .uint8, shape: shape ?? [values.count], bytes: values)
  }

  /// Makes a BOOL tensor; the shape is one-dimensional unless given.
  public init(_ values: [Bool], shape: [Int]? = nil) {
    self.init(.bool, values, shape) { $1.append($0 ? 1 : 0) }
  }

  /// Makes an F64 tensor; the shape is one-dimensional unless given.
  public init(_ values: [Double], shape: [Int]? = nil) {
    self.init(.float64, values, shape) { append($0.bitPattern, to: &$1) }
  }

  /// Makes an F32 tensor; the shape is one-dimensional unless given.
  public init(_ values: [Float], shape: [Int]? = nil) {
    self.init(.float32, values, shape) { append($0.bitPattern, to: &$1) }
  }

  /// Makes an n × d F32 tensor that refers to the matrix.
  public init(_ matrix: Matrix<Float>) {
    elementType = .float32
    shape = [matrix.rows, matrix.columns]
    payload = .float32(matrix)
  }

  /// Makes an n × d F64 tensor that refers to the matrix.
  public init(_ matrix: Matrix<Double>) {
    elementType = .float64
    shape = [matrix.rows, matrix.columns]
    payload = .float64(matrix)
  }

  private init<Value>(
    _ elementType: ElementType, _ values: [Value], _ shape: [Int]?,
    encode: (Value, inout [UInt8]) -> Void
  ) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(values.count * elementType.size)
    for value in values { encode(value, &bytes) }
    self.init(elementType: elementType, shape: shape ?? [values.count], bytes: bytes)
  }

  /// Hands the elements' bytes over in order, in pieces.
  func write(to sink: (UnsafeRawBufferPointer) throws -> Void) throws {
    switch payload {
    case .bytes(let bytes): try bytes.withUnsafeBytes { try sink($0) }
    case .float32(let matrix): try writeRows(of: matrix, to: sink)
    case .float64(let matrix): try writeRows(of: matrix, to: sink)
    }
  }

  /// Rows without their padding, gathered into pieces: a call of the sink may be a system call.
  private func writeRows<Scalar>(
    of matrix: Matrix<Scalar>, to sink: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let rowBytes = matrix.columns * MemoryLayout<Scalar>.stride
    guard rowBytes > 0 else { return }
    var piece: [UInt8] = []
    for row in 0..<matrix.rows {
      piece += UnsafeRawBufferPointer(start: matrix.row(row), count: rowBytes)
      if piece.count >= 1 << 18 || row == matrix.rows - 1 {
        try piece.withUnsafeBytes { try sink($0) }
        piece.removeAll(keepingCapacity: true)
      }
    }
  }
}

#if _endian(big)
#error("matrices are written as they lie in memory, which must be little endian")
#endif
