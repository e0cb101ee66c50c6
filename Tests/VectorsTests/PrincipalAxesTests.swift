import Testing
import Vectors

@Suite struct PrincipalAxesTests {
  @Test func axesAreOrthonormalAndDescend() throws {
    var random = SplitMix64(state: 7)
    let columns = 21
    // Uneven in every direction, and none of them along a column.
    let rows = Matrix<Float>(rows: 200, columns: columns) { storage, stride in
      for row in 0..<200 {
        let shared = Float.random(in: -1...1, using: &random)
        for column in 0..<columns {
          storage[row * stride + column] =
            shared + Float(column + 1) * Float.random(in: -0.1...0.1, using: &random)
        }
      }
    }
    let axes = try #require(principalAxes(of: rows))
    #expect(axes.rows == columns && axes.columns == columns)
    func product(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>) -> Double {
      (0..<columns).reduce(0) { $0 + Double(a[$1]) * Double(b[$1]) }
    }
    for a in 0..<columns {
      for b in 0...a {
        #expect(abs(product(axes.row(a), axes.row(b)) - (a == b ? 1 : 0)) < 1e-5)
      }
    }
    let sums = (0..<columns).map { axis in
      (0..<rows.rows).reduce(0.0) {
        let length = product(rows.row($1), axes.row(axis))
        return $0 + length * length
      }
    }
    #expect(zip(sums, sums.dropFirst()).allSatisfy { $0 >= $1 * 0.9999 })
    // No direction reaches farther than the first.
    #expect(sums[0] > 200 * 21 / 3 * 0.8)
  }

  @Test func whatIsNoNumberHasNoAxes() {
    #expect(principalAxes(of: Matrix([[1, .nan], [0, 1]])) == nil)
    #expect(principalAxes(of: Matrix([[.greatestFiniteMagnitude, 1]])) == nil)
    #expect(principalAxes(of: Matrix(rows: 0, columns: 3) { _, _ in }) == nil)
  }
}
