internal import FaceClustering
internal import Vectors

/// What a bootstrap is expected to take, said before it begins.
struct BootstrapForecast {
  let estimate: BootstrapEstimate
  /// Seconds from reading to the commit.
  let seconds: Double

  /// Measures this machine for some hundredths of a second, and extrapolates.
  init(_ estimate: BootstrapEstimate, threads: Int) {
    self.estimate = estimate
    let pairs = Double(estimate.faces) * Double(estimate.faces)
    let rate = ProductRate.measure(dimension: estimate.dimension, threads: threads)
    seconds =
      Self.productsOfAFit * pairs * Double(max(estimate.dimension, 1)) / rate
      + Self.secondsAFace * Double(estimate.faces)
  }

  /// A fit takes as long as this share of the n² · d products in float32.
  ///
  /// Less than one: half of the pairs and cheaper products of bytes. See the table in README.
  static let productsOfAFit = 1.0
  /// Reading, planning and writing of one face.
  static let secondsAFace = 60e-6

  /// One line for people.
  var line: String {
    "\(Formatting.count(estimate.faces)) faces of dimension \(estimate.dimension): about "
      + "\(Formatting.seconds(seconds)) and \(Formatting.bytes(Int(estimate.memoryBytes))) of memory"
  }
}

/// How fast this machine multiplies vectors, measured now and not assumed.
enum ProductRate {
  /// Multiply–add operations a second of blocked float32 products on `threads` threads.
  ///
  /// - Parameter dimension: length of the vectors.
  /// - Complexity: some 50 ms.
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
    while true {
      let start = clock.now
      parallelFor(
        threads * rounds, threads: threads,
        makeScratch: { [Float](repeating: 0, count: size * size) }
      ) { _, scratch in
        scratch.withUnsafeMutableBufferPointer { buffer in
          guard let result = buffer.baseAddress else { return }
          BlockProducts.multiply(
            block, rows: 0..<size, by: block, columns: 0..<size, into: result, stride: size)
        }
      }
      let elapsed = (clock.now - start) / .seconds(1)
      // Long enough for threads to be awake and the clock to be precise.
      if elapsed > 0.02 { return Double(threads * rounds) * perProduct / elapsed }
      rounds *= 4
    }
  }
}
