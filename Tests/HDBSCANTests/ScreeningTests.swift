import CKernels
import Testing
import Vectors

@testable import HDBSCAN

@Suite struct ScreeningTests {
  /// What exactness rests on: at the exact distance of a pair, both tests must keep it.
  private func brokenPromises<Scalar: ExactScalar, Source: ScreeningSource>(
    _ rows: DistinctRows<Scalar>, _ screen: Source
  ) -> Int {
    var products = [Source.Bound](repeating: 0, count: rows.count * rows.count)
    screen.products(
      0..<rows.count, with: screen, 0..<rows.count, into: &products, stride: rows.count)
    let scratch = TileScratch<Source.Bound>()
    var broken = 0
    for a in 0..<rows.count {
      for b in 0..<rows.count where a != b {
        let reach = screen.reach(a, squaredLimit: rows.squaredDistance(a, b))
        if products[a * rows.count + b] - screen.halfLower[b] < reach { broken += 1 }
        if products[b * rows.count + a] - reach < screen.halfLower[b] { broken += 1 }
        for limit in [rows.squaredDistance(a, b), .infinity] {
          let least = closerLook(
            screen, a, b, product: products[a * rows.count + b], squaredLimit: limit, scratch)
          if least ?? .infinity > rows.squaredDistance(a, b) { broken += 1 }
        }
      }
    }
    return broken
  }

  /// What a closer look at one pair says is reached by its squared distance; nil where it drops the pair.
  private func closerLook<Source: ScreeningSource>(
    _ screen: Source, _ a: Int, _ b: Int, product: Source.Bound, squaredLimit: Double,
    _ scratch: TileScratch<Source.Bound>
  ) -> Double? {
    // The limit is that of the row or that of the column: the larger counts.
    scratch.rowRadius.update(repeating: -1, count: screen.count)
    scratch.columnRadius.update(repeating: -1, count: screen.count)
    let radii = a < b ? scratch.rowRadius + a : scratch.columnRadius + b
    radii.pointee = screen.radius(squaredLimit: squaredLimit)
    scratch.pairs[0] = product.survivor(row: a, column: b)
    let range = 0..<screen.count
    return screen.lookCloser(range, range, count: 1, scratch) == 1 ? scratch.least[0] : nil
  }

  private func integers<Scalar: ExactScalar>(
    _ rows: DistinctRows<Scalar>, projectedColumns: Int? = nil
  ) -> QuantisedRows? {
    Screening(kernel: .portable, isForced: true, projectedColumns: projectedColumns).integers(
      rows, frame: CentredFrame(rows, threads: 1), capacity: 3, threads: 1)?.rows
  }

  @Test(arguments: Geometry.allCases, [3, 24, 129])
  func noPairWithinItsLimitIsLost(geometry: Geometry, columns: Int) {
    let rows = DistinctRows(floatMatrix(geometry.rows(300, columns, seed: 41)), threads: 1)
    let frame = CentredFrame(rows, threads: 1)
    #expect(brokenPromises(rows, CentredRows(rows, frame: frame, threads: 1)) == 0)
    if let screen = integers(rows) { #expect(brokenPromises(rows, screen) == 0) }
    for projected in [1, 3, 20, 128] where projected <= columns {
      if let screen = integers(rows, projectedColumns: projected) {
        #expect(screen.isProjected || geometry == .oneHot)
        #expect(brokenPromises(rows, screen) == 0)
      }
      let doubles = DistinctRows(Matrix(geometry.rows(60, columns, seed: 42)), threads: 1)
      if let screen = integers(doubles, projectedColumns: projected) {
        #expect(brokenPromises(doubles, screen) == 0)
      }
    }
  }

  /// Residuals of the largest size, all in the direction of the difference: the bound is reached.
  @Test(arguments: [4, 64, 300])
  func rowsOnTheBoundAreKept(columns: Int) throws {
    var random = SplitMix64(state: 45)
    // Steps of a power of two that the frame would choose, and offsets of half a step.
    let rows = (0..<200).map { index in
      (0..<columns).map { column in
        let step = Double(Int.random(in: -3...3, using: &random))
        let half = index % 2 == 0 ? 0.499_999 : -0.499_999
        return step + (column % 3 == 0 ? half : 0.5)
      }
    }
    let matrix = floatMatrix(rows)
    let distinct = DistinctRows(matrix, threads: 1)
    for clip in [0.5, 1, 3, 20] {
      let frame = IntegerFrame(
        centre: Matrix(rows: 1, columns: distinct.stride) { _, _ in }, scale: clip)
      let screen = QuantisedRows(
        distinct, frame: frame, kernel: KERNEL_INTEGER_PORTABLE, threads: 1)
      #expect(brokenPromises(distinct, screen) == 0)
      // On all columns, and twice as long, a projection loses nothing that could hide an error. Where its
      // directions are all the same, its norm is far from that of each.
      for (length, isOne) in [(Float(1), false), (2, false), (1, true)] {
        let projection = try #require(
          ProjectedFrame(
            directions: Matrix(rows: columns, columns: columns) { storage, stride in
              for row in 0..<columns {
                for column in 0..<columns where isOne || row == column {
                  storage[row * stride + column] = length
                }
              }
            }, sample: matrix, centre: frame.centre, unit: 1))
        let screen = QuantisedRows(
          distinct, frame: frame, projection: projection, kernel: KERNEL_INTEGER_PORTABLE,
          threads: 1)
        #expect(brokenPromises(distinct, screen) == 0)
      }
    }
  }

  /// Rows that lie close together are rounded apart to floats, and what they have in common is projected away:
  /// all that is left of them is rounding.
  @Test(arguments: [
    // Half a step of a float beyond 1, of every size, and half a step of one too small to be normal.
    (1, 1, 0x1p-24), (0x1p-20, 0x1p20, 0x1p-24), (0x1p20, 0x1p-20, 0x1p-24),
    (0x1p-140, 1, 0x1p-10),
  ])
  func roundingToFloatsLosesNoPair(size: Double, unit: Double, half: Double) throws {
    let values = (0..<60).map { index -> [Double] in
      let first = 1 + half + Double(index - 30) * 0x1p-44
      return [first * size, size]
    }
    let screen = try cancellingScreen(values, scale: 100 / size, unit: unit)
    #expect(brokenPromises(DistinctRows(Matrix(values), threads: 1), screen) == 0)
  }

  /// Of two rows that lie close together one has the projection 0; that of the other is infinite, or the
  /// difference of two infinite values.
  @Test(arguments: [
    (Float(0x1p100), 0x1p28 - 8, 0x1p-10, 1e4, 1e-3), (1, 0x1p128 - 0x1p103, 0x1p90, 1e35, 1e-30),
  ])
  func rowsWhoseProjectionIsNoNumberAreKept(
    length: Float, largest: Double, offset: Double, step: Double, scale: Double
  ) throws {
    var values = (0..<60).map { [Double($0 - 30) * step, 0] }
    for value in [largest - offset, largest + offset] { values.append([value, value]) }
    let screen = try cancellingScreen(values, length: length, scale: scale, unit: 1)
    #expect(brokenPromises(DistinctRows(Matrix(values), threads: 1), screen) == 0)
  }

  /// Rows of two columns by the difference of them.
  private func cancellingScreen(
    _ values: [[Double]], length: Float = 1, scale: Double, unit: Double
  ) throws -> QuantisedRows {
    let rows = DistinctRows(Matrix(values), threads: 1)
    let centre = Matrix<Double>(rows: 1, columns: rows.stride) { _, _ in }
    let projection = try #require(
      ProjectedFrame(
        directions: Matrix([[length, -length]]),
        sample: centredCopies(rows, Array(0..<60), centre: centre, unit: unit),
        centre: centre, unit: unit))
    return QuantisedRows(
      rows, frame: IntegerFrame(centre: centre, scale: scale), projection: projection,
      kernel: KERNEL_INTEGER_PORTABLE, threads: 1)
  }

  /// The closer look must reject what is a little beyond the limit.
  @Test func theCloserLookIsClose() throws {
    let rows = DistinctRows(floatMatrix(Geometry.clustered.rows(300, 64, seed: 52)), threads: 1)
    let screen = try #require(integers(rows))
    let scratch = TileScratch<Int32>()
    var products = [Int32](repeating: 0, count: rows.count * rows.count)
    screen.products(
      0..<rows.count, with: screen, 0..<rows.count, into: &products, stride: rows.count)
    for a in 0..<rows.count {
      for b in 0..<a {
        let square = rows.squaredDistance(a, b)
        let product = products[a * rows.count + b]
        func least(_ limit: Double) -> Double? {
          closerLook(screen, a, b, product: product, squaredLimit: limit, scratch)
        }
        #expect(try #require(least(.infinity)) > 0.99 * square)
        #expect(try #require(least(square)) <= square)
        #expect(least(0.98 * square) == nil)
        // As one pair alone, for queries.
        for limit in [0.98 * square, square, .infinity] {
          let alone = screen.leastSquaredDistance(
            a, to: b, of: screen, product: product, squaredLimit: limit)
          let together = least(limit) ?? .infinity
          #expect(alone == together || abs(alone - together) < 1e-12 * square)
        }
      }
    }
  }

  /// Screening must also reject, or it would be exact and useless.
  @Test func mostPairsAreRejected() throws {
    let rows = DistinctRows(floatMatrix(Geometry.clustered.rows(2000, 64, seed: 46)), threads: 1)
    let screen = try #require(integers(rows))
    #expect(screen.survivingShare(capacity: 4) < 0.02)
  }

  /// Groups whose extent is far below the step of a byte: every pair within one survives.
  @Test func dataTooCoarseForBytesFallBack() throws {
    let rows = DistinctRows(
      floatMatrix(Geometry.farTightGroups.rows(1500, 64, seed: 47)), threads: 1)
    #expect(try #require(integers(rows)).survivingShare(capacity: 4) > 0.2)
    let yielding = Screening(kernel: .portable)
      .integers(rows, frame: CentredFrame(rows, threads: 1), capacity: 4, threads: 1)
    #expect(yielding == nil)
  }

  @Test func rowsBeyondTheIntegerRangeUseFloats() throws {
    let long = DistinctRows(floatMatrix(Geometry.uniform.rows(3, 16385, seed: 48)), threads: 1)
    #expect(integers(long) == nil)
    let tree = try computedTree(
      .float32(floatMatrix(Geometry.uniform.rows(40, 16384, seed: 49))), minSamples: 2)
    #expect(tree.edges.count == 39)
    let tiny = Matrix(Geometry.uniform.rows(9, 4, seed: 50).map { $0.map { $0 * 0x1p-1060 } })
    #expect(integers(DistinctRows(tiny, threads: 1)) == nil)
  }

  @Test func kernelsAreNamed() throws {
    #expect(try ScreeningKernel.named("sgemm") == .sgemm)
    #expect(try ScreeningKernel.named("") == ScreeningKernel.named(nil))
    #expect(try ScreeningKernel.named(nil) != .portable)
    for kernel in ScreeningKernel.allCases where kernel.isAvailable {
      #expect(try ScreeningKernel.named(kernel.rawValue) == kernel)
    }
    #expect {
      try ScreeningKernel.named("quantum")
    } throws: { error in
      guard case HDBSCANError.invalidParameter("PHOTODB_KERNEL", "\"quantum\"", _) = error else {
        return false
      }
      return "\(error)".contains("sgemm")
    }
  }

  @Test(arguments: Geometry.allCases)
  func kernelsGiveTheSameTreeForcedOrNot(geometry: Geometry) throws {
    let points = Points.float32(floatMatrix(geometry.rows(1700, 40, seed: 51)))
    let expected = try computedTree(points, minSamples: 3, kernel: .sgemm)
    for kernel in availableKernels {
      for (isForced, projected) in [(false, nil), (true, nil), (true, 8), (true, 37)] {
        let tree = try computedTree(
          points, minSamples: 3, kernel: kernel, isForced: isForced, projectedColumns: projected)
        #expect(tree.coreDistances == expected.coreDistances)
        #expect(tree.edges.map(\.weight) == expected.edges.map(\.weight))
      }
    }
  }
}
