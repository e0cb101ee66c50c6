import Foundation

/// A size at which something is measured.
public struct BenchmarkSize: Sendable {
  /// Number of faces, n.
  public let count: Int
  /// Length of an embedding, d.
  public let dimensions: Int

  /// A size.
  public init(_ count: Int, _ dimensions: Int) {
    self.count = count
    self.dimensions = dimensions
  }

  /// `10000 × 512`.
  public var name: String { "\(count) × \(dimensions)" }

  /// The sizes that are measured: `PHOTODB_BENCHMARK_SIZES`, such as `10000x128,50000x512`, or the
  /// usual ones, and with `PHOTODB_BENCHMARK_LARGE=1` those that take minutes.
  public static var all: [BenchmarkSize] {
    let environment = ProcessInfo.processInfo.environment
    if let wanted = environment["PHOTODB_BENCHMARK_SIZES"] {
      return wanted.split(separator: ",").map { text in
        let numbers = text.split(separator: "x").compactMap { Int($0) }
        precondition(
          numbers.count == 2, "PHOTODB_BENCHMARK_SIZES: \(text) is no size like 5000x128")
        return BenchmarkSize(numbers[0], numbers[1])
      }
    }
    let usual = [
      BenchmarkSize(5_000, 128), BenchmarkSize(10_000, 128), BenchmarkSize(10_000, 512),
    ]
    let large = [
      BenchmarkSize(50_000, 128), BenchmarkSize(50_000, 512), BenchmarkSize(100_000, 128),
    ]
    return usual + (isLarge ? large : [])
  }

  /// Whether what takes minutes is measured too.
  public static var isLarge: Bool {
    ProcessInfo.processInfo.environment["PHOTODB_BENCHMARK_LARGE"] == "1"
  }
}
