/// Vectors as they lie in `bytea` columns: float32 or float64, little endian, no header.
public enum VectorBytes {
  /// The bytes of float32 values.
  ///
  /// - Complexity: O(count).
  public static func encode(_ values: UnsafePointer<Float>, count: Int) -> [UInt8] {
    assertLittleEndian()
    return Array(UnsafeRawBufferPointer(start: values, count: count * 4))
  }

  /// The bytes of float32 values.
  public static func encode(_ values: [Float]) -> [UInt8] {
    assertLittleEndian()
    return values.withUnsafeBytes(Array.init)
  }

  /// The bytes of float64 values.
  public static func encode(_ values: [Double]) -> [UInt8] {
    assertLittleEndian()
    return values.withUnsafeBytes(Array.init)
  }

  /// Float32 values of a column, or nil where the length is not `4 · count`.
  public static func floats(_ bytes: [UInt8], count: Int) -> [Float]? {
    assertLittleEndian()
    guard bytes.count == 4 * count else { return nil }
    return bytes.withUnsafeBytes { raw in
      (0..<count).map { raw.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
    }
  }

  /// Float64 values of a column, or nil where the length is not `8 · count`.
  public static func doubles(_ bytes: [UInt8], count: Int) -> [Double]? {
    assertLittleEndian()
    guard bytes.count == 8 * count else { return nil }
    return bytes.withUnsafeBytes { raw in
      (0..<count).map { raw.loadUnaligned(fromByteOffset: 8 * $0, as: Double.self) }
    }
  }

  // The stored format is little endian; copying bytes is only right where the host is too.
  private static func assertLittleEndian() {
    precondition(1.littleEndian == 1, "photodb stores vectors little endian and needs such a host")
  }
}
