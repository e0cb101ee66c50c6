import Testing
import Vectors

/// Sums of rows in float64.
@Suite struct WeightedSumTests {
  @Test(arguments: [1, 15, 16, 17, 128, 130])
  func isTheSumColumnByColumn(columns: Int) {
    var random = SplitMix64(state: UInt64(columns))
    let matrix = Matrix<Float>(rows: 40, columns: columns) { base, stride in
      for row in 0..<40 {
        for column in 0..<columns {
          base[row * stride + column] = Float.random(in: -1...1, using: &random)
        }
      }
    }
    let rows = (0..<30).map { $0 * 7 % 40 }
    let weights = rows.map { Double($0) / 3 - 5 }
    var sum = [Double](repeating: 0.5, count: matrix.stride)
    matrix.add(rows: rows, weights: weights, to: &sum)
    var single = [Double](repeating: 0.5, count: matrix.stride)
    for (row, weight) in zip(rows, weights) { matrix.add(row: row, weight: weight, to: &single) }
    for column in 0..<matrix.stride {
      var expected = 0.5
      if column < columns {
        for (row, weight) in zip(rows, weights) {
          expected += weight * Double(matrix.row(row)[column])
        }
      }
      #expect(sum[column] == expected)
      #expect(single[column] == expected)
    }
  }

  @Test func noRowsChangeNothing() {
    let matrix = Matrix<Float>([[1, 2], [3, 4]])
    var sum = [Double](repeating: 2, count: matrix.stride)
    matrix.add(rows: [], weights: [], to: &sum)
    #expect(sum.allSatisfy { $0 == 2 })
  }
}
