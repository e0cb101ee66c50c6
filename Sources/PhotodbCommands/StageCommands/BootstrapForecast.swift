internal import FaceClustering
internal import HDBSCAN
internal import Vectors

/// What a bootstrap is expected to take, said before it begins.
struct BootstrapForecast {
  let estimate: BootstrapEstimate
  /// Seconds from reading to the commit.
  let seconds: Double

  /// Measures this machine for some tenths of a second, and extrapolates.
  ///
  /// - Throws: `HDBSCANError` where `PHOTODB_KERNEL` names a kernel that there is not.
  init(_ estimate: BootstrapEstimate, threads: Int) throws {
    self.estimate = estimate
    let (faces, dimension) = (Double(estimate.faces), Double(max(estimate.dimension, 1)))
    let rate = ProductRate.measure(dimension: estimate.dimension, threads: threads)
    let share = Self.shareOfProducts(try ScreeningKernel.selected())
    let all = faces + Double(estimate.leftOut)
    // A pair of a fit is looked at once; of those who are left out each looks at all others.
    let products =
      (estimate.withoutFit ? 0 : faces * faces) + 2.4 * Double(estimate.leftOut) * all
    seconds = share * products * dimension / rate + all * (40e-6 + 0.065e-6 * dimension)
  }

  /// Time of a fit over that of n² · d products in float32.
  ///
  /// Measured on fits of 40,000 vectors of 128 and of 512 numbers on all columns (fewer may do, and take two
  /// thirds of it); the rest, reading, planning and writing, took 48 and 72 µs a face.
  private static func shareOfProducts(_ kernel: ScreeningKernel) -> Double {
    switch kernel {
    case .vnni, .amx: 0.2
    case .avx2: 0.4
    case .sgemm: 0.5
    case .portable: 5
    }
  }

  private var beside: String {
    estimate.leftOut > 0 ? " and \(Formatting.count(estimate.leftOut)) that are not fitted" : ""
  }

  /// One line for people.
  var line: String {
    "\(Formatting.count(estimate.faces)) faces of dimension \(estimate.dimension)"
      + "\(estimate.withoutFit ? " with the fit that is there" : "")\(beside): about "
      + "\(Formatting.seconds(seconds)) and \(Formatting.bytes(Int(estimate.memoryBytes))) of memory"
  }
}

/// How fast this machine multiplies vectors, measured now and not assumed.
enum ProductRate {
  /// Multiply–add operations a second of blocked float32 products on `threads` threads.
  ///
  /// - Parameter dimension: length of the vectors.
  /// - Complexity: some 0.1 to 0.2 s.
  static func measure(dimension: Int, threads: Int) -> Double {
    let size = 256
    let columns = max(dimension, 1)
    let block = Matrix<Float>(rows: size, columns: columns) { base, stride in
      for row in 0..<size {
        for column in 0..<columns {
          base[row * stride + column] = Float((row * 31 + column * 17) % 64) / 64
        }
      }
    }
    let clock = ContinuousClock()
    let perProduct = Double(size * size * columns)
    var rounds = 1
    var fastest = 0.0
    var measurements = 0
    while measurements < 3 {
      let start = clock.now
      parallelFor(threads, threads: threads) { _ in
        withUnsafeTemporaryAllocation(of: Float.self, capacity: size * size) { buffer in
          guard let result = buffer.baseAddress else { return }
          for _ in 0..<rounds {
            BlockProducts.multiply(
              block, rows: 0..<size, by: block, columns: 0..<size, into: result, stride: size)
          }
        }
      }
      let elapsed = (clock.now - start) / .seconds(1)
      if elapsed < 0.02 {
        // Too short for threads to be awake and the clock to be precise.
        rounds *= 4
        continue
      }
      // The fastest: what else runs on the machine disturbs so short a measurement most.
      fastest = max(fastest, Double(threads * rounds) * perProduct / elapsed)
      measurements += 1
    }
    return fastest
  }
}
