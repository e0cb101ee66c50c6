import Glibc
import HDBSCAN
import Testing
import Vectors

@testable import HDBSCAN

/// Whatever gave a bound must be found, although D / alpha * alpha can be less than D.
@Suite struct ReachabilitySearchTests {
  @Test(arguments: [0.3, 0.7, 0.75, 1, 1.7, 2.9])
  func aRowIsWithinTheReachThatItsFloorGives(alpha: Double) {
    var random = SplitMix64(state: 71)
    let beyond = (0..<1000).count { _ in
      let distance = Double.random(in: 0.5..<2, using: &random)
      var search = ReachabilitySearch(neededWeight: 1, alpha: alpha)
      // The nearest row lies in no dense place; the next one does, and screening knows of it.
      search.bound(core: distance, floor: distance / alpha)
      search.offer(row: 0, distance: distance / 64, coreDistance: 100, weight: 1)
      return search.reach < distance
    }
    #expect(beyond == 0)
  }

  /// Queries half way between a lone row and two copies, nearer to the lone one by less than screening
  /// sees: their neighbour is a copy, although the other is nearer.
  @Test(arguments: [0.58, 0.75, 0.9])
  func theDenserOfTwoRowsAsFarIsFound(alpha: Double) throws {
    var random = SplitMix64(state: 72)
    let columns = 8
    let copy = [Double](repeating: 3.22 / Double(columns).squareRoot(), count: columns)
    let rows = [
      [Double](repeating: 0, count: columns), copy, copy,
      [Double](repeating: 90, count: columns),
    ]
    var parameters = Parameters()
    (parameters.minClusterSize, parameters.minSamples) = (2, 1)
    parameters.alpha = alpha
    let points = Points.float64(Matrix(rows))
    let model = try PredictionModel(
      points: points, clustering: try fit(points, parameters: parameters))
    let queries = (0..<1000).map { _ in
      // Across the line between the two, and a little towards the lone row.
      let across = (0..<columns).map { _ in Double.random(in: -0.05...0.05, using: &random) }
      let mean = across.reduce(0, +) / Double(columns)
      return zip(copy, across).map { $0 * (0.5 - 1e-10) + $1 - mean }
    }
    let wrong = zip(queries, try model.predict(.float64(Matrix(queries)))).count { query, found in
      let distance = zip(query, copy).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        .squareRoot()
      return found.neighbour != 1 || abs(found.lambda * distance / alpha - 1) > 1e-9
    }
    #expect(wrong == 0)
  }
}
