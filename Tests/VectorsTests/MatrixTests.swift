import Testing
import Vectors

@Suite struct MatrixTests {
  @Test(arguments: [1, 15, 16, 17, 512])
  func rowsAreAlignedAndPaddedWithZeros(columns: Int) {
    let matrix = Matrix(floats(makeRows(5, columns, seed: 1)))
    for row in 0..<5 {
      #expect(UInt(bitPattern: matrix.row(row)) % 64 == 0)
      for column in columns..<matrix.stride { #expect(matrix.row(row)[column] == 0) }
    }
  }

  /// Rows of a part are those of the whole, for as long as the part lives.
  @Test func partsShareTheirStorage() {
    func part() -> (part: Matrix<Float>, all: [[Float]]) {
      let matrix = Matrix(floats(makeRows(7, 17, seed: 4)))
      #expect(matrix.rows(2..<6).row(1) == matrix.row(3))
      return (matrix.rows(1..<7).rows(1..<5), (0..<7).map { matrix.values(ofRow: $0) })
    }
    let (part, all) = part()
    #expect(part.rows == 4 && part.columns == 17)
    for row in 0..<4 {
      #expect(part.values(ofRow: row) == all[row + 2])
      for column in 17..<part.stride { #expect(part.row(row)[column] == 0) }
    }
    #expect(part.rows(4..<4).rows == 0)
  }

  @Test func productsOfBlocksMatchTheKernel() {
    let left = Matrix(floats(makeRows(37, 129, seed: 2)))
    let right = Matrix(floats(makeRows(53, 129, seed: 3)))
    var products = [Float](repeating: .nan, count: 20 * 64)
    BlockProducts.multiply(
      left, rows: 10..<30, by: right, columns: 5..<50, into: &products, stride: 64)
    for i in 0..<20 {
      for j in 0..<45 {
        let exact = left.dotProduct(10 + i, 5 + j, of: right)
        let bound =
          BlockProducts.floatErrorBound(columns: 129)
          * (left.dotProduct(10 + i, 10 + i) * right.dotProduct(5 + j, 5 + j)).squareRoot()
        #expect(abs(Double(products[i * 64 + j]) - exact) <= bound)
      }
    }
    var column = [Float](repeating: .nan, count: 20)
    BlockProducts.multiply(left, rows: 10..<30, byVector: right.row(7), into: &column)
    for i in 0..<20 {
      #expect(abs(Double(column[i]) - left.dotProduct(10 + i, 7, of: right)) < 1e-4)
    }
  }

  @Test func normalisationReachesLengthOneInEveryRange() throws {
    let doubles = try Matrix([[3e200, 4e200], [3 * 0x1p-1060, 4 * 0x1p-1060], [0, -5]])
      .normalisedInDouble()
    #expect(abs(doubles.values(ofRow: 0)[0] - 0.6) < 1e-15)
    #expect(abs(doubles.values(ofRow: 1)[1] - 0.8) < 1e-12)
    #expect(doubles.values(ofRow: 2) == [0, -1])
    let single = try Matrix(floats(makeRows(50, 512, seed: 4, scale: 20))).normalised()
    for row in 0..<50 { #expect(abs(single.dotProduct(row, row) - 1) < 1e-6) }
  }

  @Test func defectiveRowsAreNamed() {
    let matrix = Matrix<Float>([
      [1, 2], [0, 0], [.nan, 1], [-0.0, 0], [1, -.infinity], [.leastNonzeroMagnitude, 0],
    ])
    let expected = [
      DefectiveRow(row: 1, defect: .zero), DefectiveRow(row: 2, defect: .nonFinite),
      DefectiveRow(row: 3, defect: .zero), DefectiveRow(row: 4, defect: .nonFinite),
    ]
    #expect(matrix.defectiveRows() == expected)
    let doubles = Matrix(
      (0..<matrix.rows).map { matrix.values(ofRow: $0).map { Double($0) } }
        + [[.leastNonzeroMagnitude, 0]])
    #expect(doubles.defectiveRows() == expected)
    #expect(throws: DefectiveRows(rows: expected)) { try matrix.normalised() }
    #expect(
      DefectiveRows(rows: expected).description
        == "2 rows with NaN or infinity: 2, 4; 2 rows all zero: 1, 3")
  }

  @Test(arguments: [1, 2, 7])
  func parallelLoopsVisitEveryIndexOnce(threads: Int) {
    for count in [0, 1, 2, 1000] {
      var visits = [Int](repeating: 0, count: count)
      visits.withUnsafeMutableBufferPointer { slots in
        parallelFor(count, threads: threads) { slots[$0] += 1 }
        parallelForChunks(count, chunk: 7, threads: threads) { for i in $0 { slots[i] += 1 } }
      }
      #expect(visits.allSatisfy { $0 == 2 })
    }
    #expect(availableThreads >= 1)
  }
}
