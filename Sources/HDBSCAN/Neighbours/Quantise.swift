internal import CKernels
internal import Vectors

extension ExactScalar {
  /// Rounds a centred, scaled row to bytes, on the vector unit for the two scalars there are.
  ///
  /// - Parameters:
  ///   - centre: `stride` doubles, aligned as rows are.
  ///   - codes: receives `stride` bytes.
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
}
