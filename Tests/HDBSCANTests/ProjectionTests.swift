import Testing
import Vectors

@testable import HDBSCAN

/// Screening on fewer columns: chosen where it pays, and without a trace in what is found.
@Suite struct ProjectionTests {
  /// People in a space whose directions matter less and less: the k-th e^(−k / `decay`) as much.
  private func faces(_ count: Int, _ columns: Int, decay: Double, seed: UInt64) -> Matrix<Float> {
    var random = SplitMix64(state: seed)
    let scales = (0..<columns).map { column -> Float in
      var scale = 1.0
      for _ in 0..<column { scale *= 1 - 1 / decay }
      return Float(scale)
    }
    func noise(_ size: Float) -> [Float] {
      scales.map { scale in
        size * scale
          * (0..<4).reduce(0) { sum, _ in sum + Float.random(in: -1...1, using: &random) }
      }
    }
    let people = (0..<count / 8).map { _ in noise(1) }
    return Matrix(
      (0..<count).map { zip(people[$0 % people.count], noise(0.6)).map { $0 + $1 } })
  }

  private func columns(_ matrix: Matrix<Float>, closerLook: Double = 12) throws -> Int? {
    let rows = DistinctRows(matrix, threads: 1)
    let centred = CentredFrame(rows, threads: 1)
    let frame = try #require(IntegerFrame(rows, frame: centred))
    return try #require(ProjectionChoice(rows, centre: frame.centre, unit: 1))
      .columns(closerLook: closerLook)
  }

  @Test func fewColumnsAreTakenWhereTheyHoldMost() throws {
    let steep = try #require(try columns(faces(3000, 256, decay: 24, seed: 1)))
    let slow = try #require(try columns(faces(3000, 256, decay: 60, seed: 1)))
    #expect(steep < slow && slow < 256)
    // The dearer a second look, the fewer pairs may be left to it.
    let wary = try #require(try columns(faces(3000, 256, decay: 60, seed: 1), closerLook: 40))
    #expect(wary > slow)
  }

  /// Rows have their nearest in their group, but the tree needs what lies between groups, and pairs of different
  /// groups are nearly all there are.
  @Test func groupsThatLieApartAreNotTakenForNearRows() throws {
    var random = SplitMix64(state: 6)
    func noise(_ size: Float) -> [Float] {
      (0..<256).map { _ in
        size * (0..<4).reduce(0) { sum, _ in sum + Float.random(in: -1...1, using: &random) }
      }
    }
    let groups = (0..<100).map { _ in noise(1) }
    let matrix = Matrix((0..<3000).map { zip(groups[$0 % 100], noise(0.15)).map { $0 + $1 } })
    #expect(try columns(matrix) ?? 256 >= 80)
  }

  @Test func allColumnsAreTakenWhereAllMatter() throws {
    #expect(try columns(faces(3000, 128, decay: 1e9, seed: 2)) == nil)
    // Distances below the step of a byte: no screen by bytes turns anything away.
    #expect(
      try columns(floatMatrix(Geometry.farTightGroups.rows(2000, 64, seed: 3))) == nil)
    #expect(try columns(faces(2000, 16, decay: 4, seed: 4)) == nil)
  }

  /// As large as collections must be for it.
  @Test func aLargeFitIsTheSameOnFewerColumns() throws {
    let matrix = faces(ProjectionChoice.fewestRows(columns: 64), 64, decay: 8, seed: 5)
    let points = Points.float32(matrix)
    let kernel = try ScreeningKernel.named(nil)
    let rows = DistinctRows(matrix, threads: 2)
    let screen = Screening(kernel: kernel)
      .integers(rows, frame: CentredFrame(rows, threads: 2), capacity: 4, threads: 2)?.rows
    #expect(screen?.isProjected == (kernel == .sgemm ? nil : true))
    let found = try computedTree(points, minSamples: 2, kernel: kernel, isForced: false)
    let expected = try computedTree(points, minSamples: 2, kernel: .sgemm)
    #expect(found.coreDistances == expected.coreDistances)
    #expect(found.edges.map(\.weight) == expected.edges.map(\.weight))
  }
}
