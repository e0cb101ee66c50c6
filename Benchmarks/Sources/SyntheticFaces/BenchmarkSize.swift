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

  /// The sizes that are measured; the large ones with `PHOTODB_BENCHMARK_LARGE=1` only.
  public static var all: [BenchmarkSize] {
    let usual = [BenchmarkSize(5_000, 128), BenchmarkSize(10_000, 128), BenchmarkSize(10_000, 512)]
    let large = [BenchmarkSize(50_000, 128), BenchmarkSize(50_000, 512)]
    let wanted = ProcessInfo.processInfo.environment["PHOTODB_BENCHMARK_LARGE"] == "1"
    return usual + (wanted ? large : [])
  }
}
