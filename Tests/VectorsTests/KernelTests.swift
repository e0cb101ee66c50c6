import CKernels
import Testing
import Vectors

/// Rows of varied magnitude with a fixed generator.
func makeRows(_ count: Int, _ columns: Int, seed: UInt64, scale: Double = 1) -> [[Double]] {
  var state = seed &* 2_862_933_555_777_941_757 &+ 3_037_000_493
  return (0..<count).map { _ in
    (0..<columns).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (Double(state >> 11) * 0x1p-53 * 2 - 1) * scale
    }
  }
}

func floats(_ rows: [[Double]]) -> [[Float]] { rows.map { $0.map { Float($0) } } }

@Suite struct KernelTests {
  @Test(arguments: Array(0...33) + [255, 256, 257])
  func columnsAreSortedEachByItself(count: Int) {
    let rows = makeRows(count, 8, seed: 11).map { $0.map { ($0 * 40).rounded() } }
    let sorted = Matrix<Double>(rows: count, columns: 8) { storage, stride in
      for (index, row) in rows.enumerated() {
        (storage + index * stride).update(from: row, count: 8)
      }
      kernel_sort_columns(storage, count)
    }
    for column in 0..<Int(KERNEL_SORTED_LANES) {
      #expect((0..<count).map { sorted.row($0)[column] } == rows.map { $0[column] }.sorted())
    }
  }

  @Test(arguments: Array(1...70) + [128, 129, 512, 1000, 2048])
  func distanceAgreesWithAScalarLoop(columns: Int) {
    let matrix = Matrix(floats(makeRows(4, columns, seed: UInt64(columns))))
    for i in 0..<4 {
      for j in 0..<4 {
        let expected = zip(matrix.values(ofRow: i), matrix.values(ofRow: j)).reduce(0.0) {
          let difference = Double($1.0) - Double($1.1)
          return $0 + difference * difference
        }
        let found = matrix.squaredDistance(i, j)
        #expect(abs(found - expected) <= expected * Double(columns) * 0x1p-52)
        #expect(found == matrix.squaredDistance(j, i))
        let product = zip(matrix.values(ofRow: i), matrix.values(ofRow: j)).reduce(0.0) {
          $0 + Double($1.0) * Double($1.1)
        }
        #expect(abs(matrix.dotProduct(i, j) - product) < Double(columns) * 1e-14)
      }
    }
  }

  @Test(arguments: [1, 7, 8, 16, 17, 33, 100, 512])
  func floatRowsAndTheirDoublesGiveTheSameBits(columns: Int) {
    let single = Matrix(floats(makeRows(6, columns, seed: 9)))
    let double = Matrix((0..<6).map { single.values(ofRow: $0).map(Double.init) })
    for i in 0..<6 {
      for j in 0..<6 {
        #expect(single.squaredDistance(i, j) == double.squaredDistance(i, j))
        #expect(single.dotProduct(i, j) == double.dotProduct(i, j))
      }
    }
  }

  /// The order of operations that the kernels promise, written without vectors: a compiled clone
  /// that reorders or fuses anything differs from it in the last bits.
  @Test(arguments: [16, 48, 128, 512])
  func theOrderOfOperationsIsFixed(columns: Int) {
    let matrix = Matrix(floats(makeRows(40, columns, seed: 5)))
    for j in 1..<40 {
      var lanes = [[Double]](repeating: [Double](repeating: 0, count: 8), count: 4)
      for (column, (a, b)) in zip(matrix.values(ofRow: 0), matrix.values(ofRow: j)).enumerated() {
        let difference = Double(a) - Double(b)
        lanes[column / 8 % 4][column % 8] += difference * difference
      }
      let s = (0..<8).map { (lanes[0][$0] + lanes[1][$0]) + (lanes[2][$0] + lanes[3][$0]) }
      let expected = ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))
      #expect(matrix.squaredDistance(0, j) == expected)
    }
  }

  @Test(arguments: [0, 1, 63, 64, 65, 200])
  func screeningKeepsExactlyThePairsWithinReach(count: Int) {
    let values = floats(makeRows(3, max(count, 1), seed: 77))
    for begin in [0, 3] where begin <= count {
      var survivors = [UInt32](repeating: 0, count: count + 1)
      let found = kernel_screen_row(
        values[0], values[1], values[2], 0.9, 1.2, begin, count, &survivors)
      let expected = (begin..<count).filter {
        values[0][$0] - values[1][$0] >= 1.2 || values[0][$0] - values[2][$0] >= 0.9
      }
      #expect(survivors.prefix(found).map { Int($0) } == expected)
    }
  }

  @Test func infiniteReachKeepsEveryPairOrNone() {
    let zeros = [Float](repeating: 0, count: 100)
    let all = [Float](repeating: -.infinity, count: 100)
    let none = [Float](repeating: .infinity, count: 100)
    var survivors = [UInt32](repeating: 0, count: 100)
    #expect(kernel_screen_row(zeros, zeros, all, 1, .infinity, 0, 100, &survivors) == 100)
    #expect(kernel_screen_row(zeros, zeros, none, 1, -.infinity, 0, 100, &survivors) == 100)
    #expect(kernel_screen_row(zeros, zeros, none, 1, .infinity, 0, 100, &survivors) == 0)
  }
}
