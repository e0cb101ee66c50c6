import HDBSCAN
import Vectors

/// Small data sets of the kinds that trouble a hierarchy.
enum Shape: String, CaseIterable {
  /// Uniform in a square: hardly a cluster.
  case uniform
  /// A few dense groups with strays.
  case groups
  /// Points of a small integer grid: most distances tie, many points coincide.
  case grid
  /// Groups in which every third point is an exact copy.
  case duplicated
  /// Points on a line at growing gaps: a deep tree.
  case chain

  func rows(count: Int, seed: UInt64) -> [[Double]] {
    var random = SplitMix64(state: seed)
    func uniform(_ range: ClosedRange<Double>) -> Double {
      Double.random(in: range, using: &random)
    }
    var rows: [[Double]] = []
    for index in 0..<count {
      switch self {
      case .uniform: rows.append([uniform(0...1), uniform(0...1)])
      case .grid:
        rows.append([uniform(0...5).rounded(), uniform(0...3).rounded()])
      case .groups, .duplicated:
        if self == .duplicated && index % 3 == 2 {
          rows.append(rows[Int.random(in: 0..<index, using: &random)])
        } else {
          let center = Double(index % 4)
          let spread = index % 11 == 10 ? 2.0 : 0.15
          rows.append([
            2 * center + spread * uniform(-1...1),
            (center * center).remainder(dividingBy: 3)
              + spread * uniform(-1...1),
          ])
        }
      case .chain: rows.append([Double(index * index) / 8 + uniform(0...0.01), 0])
      }
    }
    return rows.shuffled(using: &random)
  }
}

func distanceMatrix(_ rows: [[Double]]) -> [[Double]] {
  rows.map { a in
    rows.map { b in zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot() }
  }
}
