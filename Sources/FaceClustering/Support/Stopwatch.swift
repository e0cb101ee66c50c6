/// Measures phases that follow each other, in seconds.
final class Stopwatch {
  private let start: ContinuousClock.Instant
  private var last: ContinuousClock.Instant

  init() {
    start = ContinuousClock().now
    last = start
  }

  /// Seconds since the last call, or since the start.
  func lap() -> Double {
    let now = ContinuousClock().now
    defer { last = now }
    return (now - last).seconds
  }

  /// Seconds since the start.
  var total: Double { (ContinuousClock().now - start).seconds }
}

extension Duration {
  /// The duration in seconds.
  var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
