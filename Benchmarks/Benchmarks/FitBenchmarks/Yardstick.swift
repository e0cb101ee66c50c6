import Benchmark
import Synchronization
import Vectors

/// `T_gemm`: the time that sgemm needs for all n² inner products on one core, measured in this run.
enum Yardstick {
  /// Time over `T_gemm`, in thousandths: 190 is 0.19 `T_gemm`.
  static let metric = BenchmarkMetric.custom(
    "1/1000 T_gemm", polarity: .prefersSmaller, useScalingFactor: false)

  private static let measured = Mutex<[String: Duration]>([:])

  /// The time for rows of this shape; the least of three, measured once.
  static func time(_ rows: Matrix<Float>) -> Duration {
    let key = "\(rows.rows) × \(rows.columns)"
    if let known = measured.withLock({ $0[key] }) { return known }
    let clock = ContinuousClock()
    let times = (0..<3).map { _ in clock.measure { blackHole(allProducts(rows)) } }
    let least = times.min() ?? .zero
    measured.withLock { $0[key] = least }
    return least
  }

  /// Every inner product of the rows once, in blocks that stay in the cache; nothing is kept.
  ///
  /// - Returns: a value that depends on the last block, so that nothing can be left out.
  static func allProducts(_ rows: Matrix<Float>) -> Float {
    let side = 1024
    let products = UnsafeMutablePointer<Float>.allocate(capacity: side * side)
    defer { products.deallocate() }
    for first in stride(from: 0, to: rows.rows, by: side) {
      for second in stride(from: 0, to: rows.rows, by: side) {
        BlockProducts.multiply(
          rows, rows: first..<min(first + side, rows.rows), by: rows,
          columns: second..<min(second + side, rows.rows), into: products, stride: side)
      }
    }
    return products[0]
  }
}
