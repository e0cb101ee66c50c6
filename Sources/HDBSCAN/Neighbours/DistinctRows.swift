internal import CKernels
internal import Vectors

/// The distinct rows of a matrix, each with the points that equal it.
///
/// Thousands of identical rows would make every neighbour list useless and every pair of them a
/// survivor of screening. So the fit runs on distinct rows; copies come back as edges at the end.
struct DistinctRows<Scalar: ExactScalar> {
  /// First point of each distinct row, ascending.
  let firstPoints: [Int]
  /// Distinct row of each point; nil where all rows differ.
  let rowOfPoint: [Int]?
  let columns: Int
  let stride: Int
  private let matrix: Matrix<Scalar>
  private let base: UnsafePointer<Scalar>

  var count: Int { firstPoints.count }

  /// All rows of a range, equal or not.
  init(_ matrix: Matrix<Scalar>, every range: Range<Int>) {
    self.matrix = matrix
    base = matrix.base
    columns = matrix.columns
    stride = matrix.stride
    firstPoints = Array(range)
    rowOfPoint = nil
  }

  /// Finds equal rows; −0 equals 0.
  ///
  /// - Complexity: O(n · d) expected.
  init(_ matrix: Matrix<Scalar>, threads: Int) {
    self.matrix = matrix
    base = matrix.base
    columns = matrix.columns
    stride = matrix.stride
    var hashes = [UInt64](repeating: 0, count: matrix.rows)
    hashes.withUnsafeMutableBufferPointer { hashes in
      let target = hashes
      parallelForChunks(matrix.rows, chunk: 1024, threads: threads) { chunk in
        for row in chunk { target[row] = hash(matrix.row(row), count: matrix.columns) }
      }
    }
    var firsts: [Int] = []
    var rowOfPoint = [Int](repeating: 0, count: matrix.rows)
    // Distinct rows of one hash are chained, so that a collision costs time only.
    var newestOfHash: [UInt64: Int] = [:]
    newestOfHash.reserveCapacity(matrix.rows)
    var previousOfHash: [Int] = []
    for point in 0..<matrix.rows {
      var candidate = newestOfHash[hashes[point]] ?? -1
      while candidate >= 0, !equal(matrix, firsts[candidate], point) {
        candidate = previousOfHash[candidate]
      }
      if candidate < 0 {
        candidate = firsts.count
        firsts.append(point)
        previousOfHash.append(newestOfHash.updateValue(candidate, forKey: hashes[point]) ?? -1)
      }
      rowOfPoint[point] = candidate
    }
    firstPoints = firsts
    self.rowOfPoint = firsts.count == matrix.rows ? nil : rowOfPoint
  }

  /// Start of a distinct row; valid as long as this value lives.
  func row(_ index: Int) -> UnsafePointer<Scalar> { base + firstPoints[index] * stride }

  /// Tells the processor that a row will be read.
  func prefetch(_ index: Int) {
    kernel_prefetch(UnsafeRawPointer(row(index)), columns * MemoryLayout<Scalar>.stride)
  }

  /// Canonical squared distance of two distinct rows.
  func squaredDistance(_ first: Int, _ second: Int) -> Double {
    Scalar.squaredDistance(row(first), row(second), stride: stride)
  }

  /// Whether the canonical squared distance of two rows surely exceeds a limit.
  func isBeyond(_ first: Int, _ second: Int, squaredLimit: Double) -> Bool {
    Scalar.isBeyond(row(first), row(second), stride: stride, limit: squaredLimit)
  }

  /// How many points each distinct row stands for; nil where it is one each.
  func totalWeights(_ weights: [Int]?) -> [Int]? {
    guard let rowOfPoint else { return weights }
    var totals = [Int](repeating: 0, count: count)
    for (point, row) in rowOfPoint.enumerated() { totals[row] += weights?[point] ?? 1 }
    return totals
  }
}

private func equal<Scalar: ExactScalar>(_ matrix: Matrix<Scalar>, _ a: Int, _ b: Int) -> Bool {
  let first = matrix.row(a)
  let second = matrix.row(b)
  for column in 0..<matrix.columns where first[column] != second[column] { return false }
  return true
}

/// Multiplicative hash over the values, in four chains for speed; −0 is hashed as 0.
private func hash<Scalar: ExactScalar>(_ row: UnsafePointer<Scalar>, count: Int) -> UInt64 {
  var states = SIMD4<UInt64>(
    0x9E37_79B9_7F4A_7C15, 0xC2B2_AE3D_27D4_EB4F, 0x1656_67B1_9E37_79F9, 0x27D4_EB2F_1656_67C5)
  func mix(_ state: inout UInt64, _ column: Int) {
    state = (state ^ Double(row[column] + 0).bitPattern) &* 0xFF51_AFD7_ED55_8CCD
    state ^= state >> 32
  }
  var column = 0
  while column + 4 <= count {
    for chain in 0..<4 { mix(&states[chain], column + chain) }
    column += 4
  }
  while column < count {
    mix(&states[0], column)
    column += 1
  }
  var result = states[0]
  for chain in 1..<4 {
    result = (result ^ states[chain]) &* 0xFF51_AFD7_ED55_8CCD
    result ^= result >> 32
  }
  return result
}
