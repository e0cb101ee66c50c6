import HDBSCAN
import Vectors

@testable import HDBSCAN

/// Data that trouble the geometry: scales, offsets, ties, copies, several blocks of rows.
enum Geometry: String, CaseIterable, Sendable {
  case uniform
  case clustered
  /// Two groups far apart: neighbour lists never connect them.
  case separated
  case integerGrid
  case duplicated
  /// Far from the origin relative to its extent.
  case shifted
  case largeNorms
  case tinyNorms
  /// One row a million times farther away than all others.
  case outlier
  /// All distances between rows equal.
  case oneHot
  /// Everything within a hundredth of one direction.
  case tightBlob
  /// Groups whose distance dwarfs their extent: rounding of products exceeds distances within.
  case farTightGroups

  func rows(_ count: Int, _ columns: Int, seed: UInt64) -> [[Double]] {
    var random = SplitMix64(state: seed)
    func normal() -> Double {
      (0..<6).reduce(0) { sum, _ in sum + Double.random(in: -0.5...0.5, using: &random) }
    }
    func row(_ make: (Int) -> Double) -> [Double] { (0..<columns).map(make) }
    let centres = (0..<max(count / 40, 2)).map { _ in row { _ in 2 * normal() } }
    return (0..<count).map { index in
      switch self {
      case .uniform: row { _ in Double.random(in: 0...1, using: &random) }
      case .clustered, .duplicated:
        { (centre: [Double]) in
          let points = centre.map { $0 + 0.3 * normal() }
          return self == .duplicated && index % 3 > 0 ? centre : points
        }(centres[Int.random(in: 0..<centres.count, using: &random)])
      case .separated: row { _ in normal() + (index % 2 == 0 ? 50 : 0) }
      case .integerGrid: row { _ in Double(Int.random(in: 0...4, using: &random)) }
      case .shifted: row { _ in 1e4 + normal() }
      case .largeNorms: row { _ in 1e17 * normal() }
      case .tinyNorms: row { _ in 1e-17 * normal() }
      case .outlier: row { _ in index == count / 2 ? 1e6 : normal() }
      case .oneHot: row { $0 == index % columns ? Double(1 + index / columns) : 0 }
      case .tightBlob: row { ($0 == 0 ? 1 : 0) + 0.01 * normal() }
      case .farTightGroups: row { _ in Double(index % 3) * 100 + 0.01 * normal() }
      }
    }
  }
}

/// Core distances and spanning tree straight from the definitions, O(n²), on the canonical kernel.
func directGeometry<Scalar: ExactScalar>(
  _ matrix: Matrix<Scalar>, minSamples: Int, alpha: Double = 1, weights: [Int]? = nil
) -> (cores: [Double], weights: [Double]) {
  let count = matrix.rows
  let weight = weights ?? [Int](repeating: 1, count: count)
  let samples = min(minSamples, weight.reduce(0, +) - 1)
  let cores = (0..<count).map { row in
    var missing = samples - (weight[row] - 1)
    var radius = 0.0
    let others = (0..<count).filter { $0 != row }
      .map { (matrix.squaredDistance(row, $0), weight[$0]) }.sorted { $0.0 < $1.0 }
    for (square, points) in others where missing > 0 {
      radius = square.squareRoot()
      missing -= points
    }
    return radius
  }
  var best = [Double](repeating: .infinity, count: count)
  var outside = Array(stride(from: 1, to: count, by: 1))
  var tree: [Double] = []
  var current = 0
  while !outside.isEmpty {
    for point in outside {
      best[point] = min(
        best[point],
        max(
          cores[current], cores[point],
          matrix.squaredDistance(current, point).squareRoot() / alpha))
    }
    let nearest = outside.indices.reduce(0) { best[outside[$1]] < best[outside[$0]] ? $1 : $0 }
    current = outside.remove(at: nearest)
    tree.append(best[current])
  }
  return (cores, tree.sorted())
}

func floatMatrix(_ rows: [[Double]]) -> Matrix<Float> { Matrix(rows.map { $0.map { Float($0) } }) }

/// The tree that the library computes, screened by the fastest kernel unless told otherwise.
///
/// Bytes are forced by default, so that data too coarse for them is tested too.
func computedTree(
  _ points: Points, minSamples: Int, alpha: Double = 1, weights: [Int]? = nil, threads: Int = 2,
  kernel: ScreeningKernel? = nil, isForced: Bool = true, mostPairs: Int = 1 << 21,
  projectedColumns: Int? = nil
) throws -> MutualReachabilityTree {
  let screening = Screening(
    kernel: try kernel ?? ScreeningKernel.named(nil), isForced: isForced, mostPairs: mostPairs,
    projectedColumns: projectedColumns)
  return try mutualReachabilityTree(
    of: points, minSamples: minSamples, alpha: alpha, weights: weights, threads: threads,
    screening: screening, progress: ProgressReporter(nil))
}

/// The kernels that this processor can run.
let availableKernels = ScreeningKernel.allCases.filter(\.isAvailable)
