import Testing
import Vectors

@testable import HDBSCAN

/// A screen keeps every row within its radius, and not many others.
@Suite struct RadiusScreenTests {
  private func screens(_ rows: Matrix<Float>) -> [RadiusScreen] {
    availableKernels.filter { $0 != .sgemm }.flatMap { kernel in
      [nil, 2, min(21, rows.columns)].compactMap {
        RadiusScreen(
          rows, screening: Screening(kernel: kernel, isForced: true, projectedColumns: $0))
      }
    }
  }

  private func squaredDistance(_ a: Matrix<Float>, _ row: Int, _ b: Matrix<Float>, _ other: Int)
    -> Double
  {
    (0..<a.columns).reduce(0) {
      let difference = Double(a.row(row)[$1]) - Double(b.row(other)[$1])
      return $0 + difference * difference
    }
  }

  @Test(arguments: Geometry.allCases, [3, 40])
  func noRowWithinItsRadiusIsLost(geometry: Geometry, columns: Int) {
    let rows = floatMatrix(geometry.rows(900, columns, seed: 71))
    let queries = floatMatrix(
      geometry.rows(30, columns, seed: 72)
        + [5, 500].map { rows.values(ofRow: $0).map(Double.init) })
    // Each row's radius is the distance of some query, so that bounds are met exactly.
    let radii = (0..<rows.rows).map { squaredDistance(queries, $0 % queries.rows, rows, $0) }
    let screens = screens(rows)
    // Norms of 10¹⁷ are no rows for bytes.
    #expect(screens.isEmpty == (geometry == .largeNorms))
    for screen in screens {
      let alone = (0..<queries.rows).map {
        screen.candidates(
          for: queries.selecting(rows: [$0]), squaredRadii: radii, threads: 3)[0]
      }
      for found in [
        screen.candidates(for: queries, squaredRadii: radii, threads: 1),
        screen.candidates(for: queries, squaredRadii: radii, threads: 3), alone,
      ] {
        for query in 0..<queries.rows {
          let kept = Set(found[query])
          #expect(kept.count == found[query].count)
          for row in 0..<rows.rows where squaredDistance(queries, query, rows, row) <= radii[row] {
            #expect(kept.contains(row))
          }
        }
      }
    }
  }

  @Test func onlyWhatIsNearIsKept() {
    let rows = floatMatrix(Geometry.clustered.rows(2_000, 64, seed: 73))
    let radii = [Double](repeating: 9, count: 2_000)
    let kernels = screens(rows)
    #expect(!kernels.isEmpty)
    for screen in kernels {
      let found = screen.candidates(for: rows, squaredRadii: radii, threads: 2)
      let near = (0..<50).map { query in
        (0..<2_000).count { squaredDistance(rows, query, rows, $0) <= 9 }
      }
      for query in 0..<50 { #expect(found[query].count <= near[query] + 4) }
    }
  }

  @Test func whatIsNoNumberIsNearNothing() {
    var values = Geometry.clustered.rows(400, 8, seed: 74).map { $0.map { Float($0) } }
    values[7][3] = .nan
    values[9][0] = .infinity
    values[11][5] = 1e30
    let rows = Matrix(values)
    let screens = screens(rows)
    #expect(!screens.isEmpty)
    for screen in screens {
      let found = screen.candidates(
        for: rows, squaredRadii: [Double](repeating: 1e-6, count: 400), threads: 2)
      #expect(found[7] == [] && found[9] == [])
      for query in 0..<400 where query != 7 && query != 9 {
        #expect(found[query].contains(query))
      }
    }
  }

  @Test func fewRowsAreNotWorthAScreen() throws {
    #expect(try RadiusScreen(floatMatrix(Geometry.uniform.rows(40, 8, seed: 75))) == nil)
    #expect(try RadiusScreen(Matrix<Float>(rows: 0, columns: 8) { _, _ in }) == nil)
  }
}
