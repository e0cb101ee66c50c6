internal import CKernels
internal import Vectors

extension ExactScalar {
  /// Rounds a centred, scaled row to bytes, on the vector unit for the two scalars there are.
  ///
  /// - Parameters:
  ///   - centre: `stride` doubles, aligned as rows are.
  ///   - codes: receives 2 · `stride` bytes: whole numbers, then 256ths.
  static func quantise(
    _ row: UnsafePointer<Self>, centre: UnsafePointer<Double>, stride: Int, scale: Double,
    into codes: UnsafeMutablePointer<Int8>
  ) -> kernel_quantised {
    if Self.self == Float.self {
      return kernel_quantise_float(
        UnsafeRawPointer(row).assumingMemoryBound(to: Float.self), centre, stride, scale, codes)
    }
    precondition(Self.self == Double.self, "rows are of floats or doubles")
    return kernel_quantise_double(
      UnsafeRawPointer(row).assumingMemoryBound(to: Double.self), centre, stride, scale, codes)
  }

  /// Whether the canonical squared distance of two rows surely exceeds a limit; a quick test that
  /// may say no in doubt, and always does for doubles.
  static func isBeyond(
    _ a: UnsafePointer<Self>, _ b: UnsafePointer<Self>, stride: Int, limit: Double
  ) -> Bool {
    guard Self.self == Float.self, limit.isFinite else { return false }
    return kernel_is_beyond_float(
      UnsafeRawPointer(a).assumingMemoryBound(to: Float.self),
      UnsafeRawPointer(b).assumingMemoryBound(to: Float.self), stride, limit) != 0
  }
}
