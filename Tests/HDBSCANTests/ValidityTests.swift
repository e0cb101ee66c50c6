import Foundation
import Testing
import Vectors

@testable import HDBSCAN

/// Validity indices against scikit-learn, the Python package `hdbscan`, and the definitions.
@Suite struct ValidityTests {
  /// The fixture that scripts/goldens/make_validity_goldens.py writes.
  private struct Golden: Decodable {
    struct Case: Decodable {
      var name: String
      var points: [[Double]]
      var labels: [Int]
      var silhouette: Double
      var daviesBouldin: Double
      var calinskiHarabasz: Double
      var densityValidity: Double
    }
    var cases: [Case]
  }

  private func goldens() throws -> [Golden.Case] {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Fixtures/python-validity.json")
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Golden.self, from: Data(contentsOf: file)).cases
  }

  private func isClose(_ a: Double?, _ b: Double) -> Bool {
    guard let a else { return false }
    return abs(a - b) <= 1e-9 * max(1, abs(b))
  }

  @Test func agreesWithOtherPackages() throws {
    let cases = try goldens()
    #expect(cases.count == 5)
    for golden in cases {
      let points = Points.float64(Matrix(golden.points))
      let labels = golden.labels
      #expect(isClose(try silhouette(points, labels: labels), golden.silhouette))
      #expect(isClose(try daviesBouldinIndex(points, labels: labels), golden.daviesBouldin))
      #expect(isClose(try calinskiHarabaszIndex(points, labels: labels), golden.calinskiHarabasz))
      let density = try #require(try densityValidity(points, labels: labels)?.index)
      // The fixture breaks ties by a trace of the distance, 1e-10 of it.
      #expect(abs(density - golden.densityValidity) < 1e-8, "\(golden.name)")
    }
  }

  @Test func densityValidityDoesNotDependOnOrderOrThreads() throws {
    var random = SplitMix64(state: 3)
    for golden in try goldens() {
      let points = Points.float64(Matrix(golden.points))
      let expected = try #require(try densityValidity(points, labels: golden.labels, threads: 1))
      #expect(try densityValidity(points, labels: golden.labels, threads: 2) == expected)
      let order = golden.points.indices.shuffled(using: &random)
      let moved = try densityValidity(
        .float64(Matrix(order.map { golden.points[$0] })), labels: order.map { golden.labels[$0] })
      #expect(isClose(moved?.index, expected.index), "\(golden.name)")
    }
  }

  @Test func highDimensionDoesNotOverflow() throws {
    var random = SplitMix64(state: 9)
    // Two groups in 2048 dimensions: distances to the power 2048 are far outside a double.
    let rows = (0..<40).map { index in
      (0..<2048).map { _ in
        Double(index % 2) * 3 + Double.random(in: -1...1, using: &random)
      }
    }
    let labels = (0..<40).map { $0 % 2 }
    for scale in [1e-140, 1, 1e140] {
      let points = Points.float64(Matrix(rows.map { $0.map { $0 * scale } }))
      let validity = try #require(try densityValidity(points, labels: labels))
      #expect(validity.values.allSatisfy { $0 > 0.5 && $0 <= 1 })
      // Every index is a ratio, so a scale does not matter.
      #expect(try silhouette(points, labels: labels).map { $0 > 0.5 } == true)
      #expect(try daviesBouldinIndex(points, labels: labels).map { $0 < 1 } == true)
      #expect(try calinskiHarabaszIndex(points, labels: labels).map { $0 > 10 } == true)
    }
  }

  @Test func copiesNoiseAndSmallClustersAreDefined() throws {
    let twins = Points.float64(Matrix([[0.0, 0], [0, 0], [4, 0], [4, 0], [9, 9]]))
    let validity = try #require(try densityValidity(twins, labels: [0, 0, 5, 5, -1]))
    // Sparseness 0 in both clusters; the noise point weighs one fifth.
    #expect(validity == DensityValidity(index: 0.8, labels: [0, 5], values: [1, 1]))
    let same = Points.float64(Matrix([[1.0], [1], [1], [1]]))
    #expect(try densityValidity(same, labels: [0, 0, 1, 1])?.index == 0)
    #expect(try silhouette(same, labels: [0, 0, 1, 1]) == 0)
    #expect(try daviesBouldinIndex(same, labels: [0, 0, 1, 1]) == nil)
    #expect(try calinskiHarabaszIndex(same, labels: [0, 0, 1, 1]) == nil)
    for labels in [[-1, -1, -1, -1, -1], [0, 0, 0, -1, 0]] {
      #expect(try densityValidity(twins, labels: labels) == nil)
      #expect(try silhouette(twins, labels: labels) == nil)
      #expect(try daviesBouldinIndex(twins, labels: labels) == nil)
      #expect(try calinskiHarabaszIndex(twins, labels: labels) == nil)
    }
    #expect(try densityValidity(twins, labels: [0, 0, 0, 0, 1]) == nil)
    #expect(try silhouette(twins, labels: [0, 1, 2, 3, 4]) == nil)
  }

  @Test func aSampleIsSeededAndNearTheWhole() throws {
    let rows = Shape.groups.rows(count: 600, seed: 4)
    let points = Points.float64(Matrix(rows))
    let labels = rows.map { $0[0] < 3 ? 0 : 1 }
    let whole = try #require(try silhouette(points, labels: labels, sample: nil))
    #expect(try silhouette(points, labels: labels, sample: nil, threads: 1) == whole)
    let part = try #require(try silhouette(points, labels: labels, sample: 200, seed: 8))
    #expect(try silhouette(points, labels: labels, sample: 200, seed: 8, threads: 1) == part)
    #expect(try silhouette(points, labels: labels, sample: 200, seed: 9) != part)
    #expect(abs(part - whole) < 0.1)
  }

  @Test func whatDoesNotFitIsRefused() {
    let points = Points.float64(Matrix([[1.0], [2]]))
    #expect(throws: HDBSCANError.shapeMismatch("2 points need as many labels, but 1 were given")) {
      try silhouette(points, labels: [0])
    }
    #expect(throws: HDBSCANError.self) { try silhouette(points, labels: [0, 1], sample: 0) }
    #expect(throws: HDBSCANError.self) {
      try densityValidity(.distances(Matrix([[0.0]])), labels: [0], metric: .precomputed)
    }
  }
}
