import CKernels
import Testing

private let kinds = [
  KERNEL_INTEGER_PORTABLE, KERNEL_INTEGER_AVX2, KERNEL_INTEGER_VNNI, KERNEL_INTEGER_AMX_MODEL,
  KERNEL_INTEGER_AMX,
]
.filter { kernel_integer_available($0) != 0 }

/// Bytes in panels, with what kernels want to know of each row.
private struct Panels {
  var bytes: [Int8]
  var rows: [[Int8]]
  var offsets: [Int32]
  let steps: Int

  init(_ rows: [[Int8]]) {
    let columns = rows.first?.count ?? 0
    let steps = (columns + 3) / 4
    var bytes = [Int8](repeating: 0, count: (rows.count + 15) / 16 * steps * 64 + 1024)
    for (index, row) in rows.enumerated() {
      let padded = row + [Int8](repeating: 0, count: steps * 4 - columns)
      bytes.withUnsafeMutableBufferPointer { bytes in
        guard let base = bytes.baseAddress else { return }
        kernel_integer_pack(padded, steps, index % 16, base + index / 16 * steps * 64)
      }
    }
    self.bytes = bytes
    self.rows = rows
    self.steps = steps
    offsets =
      rows.map { row in -128 * row.reduce(0) { $0 + Int32($1) } }
      + [Int32](repeating: 0, count: 16)
  }

  func product(_ row: Int, _ other: Panels, _ column: Int) -> Int32 {
    zip(rows[row], other.rows[column]).reduce(0) { $0 + Int32($1.0) * Int32($1.1) }
  }
}

private func randomRows(_ count: Int, _ columns: Int, seed: UInt64) -> [[Int8]] {
  makeRows(count, columns, seed: seed, scale: 127.49).map { $0.map { Int8($0.rounded()) } }
}

/// Every product and every verdict of a kernel against scalar loops.
private func check(
  _ kind: kernel_integer_kind, _ rows: Panels, _ columns: Panels, reaches: (Int) -> Int32
) {
  let (m, n) = (rows.rows.count, columns.rows.count)
  let rowHalf = (0..<m + 16).map { Int32($0 % 7 * 1000) }
  let columnHalf = (0..<n + 16).map { Int32($0 % 5 * -900) }
  let rowReach = (0..<m + 16).map { reaches($0) }
  let columnReach = (0..<n + 16).map { reaches($0 + 3) }
  var products = [Int32](repeating: .min, count: m * (n + 3))
  var survivors = [kernel_survivor](repeating: kernel_survivor(), count: m * n)
  var tile = kernel_integer_tile()
  (tile.steps, tile.row_count, tile.column_count) = (rows.steps, m, n)
  let found = rows.bytes.withUnsafeBufferPointer { rowBytes in
    columns.bytes.withUnsafeBufferPointer { columnBytes in
      rows.offsets.withUnsafeBufferPointer { offsets in
        rowHalf.withUnsafeBufferPointer { rowHalf in
          columnHalf.withUnsafeBufferPointer { columnHalf in
            rowReach.withUnsafeBufferPointer { rowReach in
              columnReach.withUnsafeBufferPointer { columnReach in
                (tile.rows, tile.columns) = (rowBytes.baseAddress, columnBytes.baseAddress)
                tile.row_offset = offsets.baseAddress
                (tile.row_half, tile.row_reach) = (rowHalf.baseAddress, rowReach.baseAddress)
                tile.column_half = columnHalf.baseAddress
                tile.column_reach = columnReach.baseAddress
                kernel_integer_products(kind, &tile, &products, n + 3)
                return kernel_integer_screen(kind, &tile, &survivors)
              }
            }
          }
        }
      }
    }
  }
  var wrong = 0
  var expected = Set<Int>()
  for i in 0..<m {
    for j in 0..<n {
      let product = rows.product(i, columns, j)
      if products[i * (n + 3) + j] != product { wrong += 1 }
      if product >= columnHalf[j] + rowReach[i] || product >= columnReach[j] + rowHalf[i] {
        expected.insert(i * n + j)
      }
    }
    // Beyond the last column nothing is written.
    if products[(i * (n + 3) + n)..<((i + 1) * (n + 3))].contains(where: { $0 != .min }) {
      wrong += 1
    }
  }
  #expect(wrong == 0)
  #expect(Set(survivors[..<found].map { Int($0.row) * n + Int($0.column) }) == expected)
  #expect(found == expected.count)
  for kept in survivors[..<found] {
    #expect(kept.product == rows.product(Int(kept.row), columns, Int(kept.column)))
  }
}

/// Facts with the sums of their rows of codes.
private func withSums(
  _ facts: [kernel_fine_facts], _ codes: [[Int8]], stride: Int
) -> [kernel_fine_facts] {
  zip(facts, codes).map { facts, codes in
    var facts = facts
    facts.coarse_sum = Double(codes[..<stride].reduce(0) { $0 + Int($1) })
    facts.sum = Double(codes[stride...].reduce(0) { $0 + Int($1) })
    return facts
  }
}

/// Pairs that a closer look keeps, and what it says of each.
///
/// Tile column j is row j of the codes.
private func lookCloser(
  _ kind: kernel_integer_kind, codes: [[Int8]], stride: Int, rowEntries: [Int32],
  rows: [kernel_fine_facts], columns: [kernel_fine_facts], radii: [Double],
  pairs: [kernel_survivor], isWhole: Bool = false
) -> (pairs: [kernel_survivor], least: [Double]) {
  var pairs = pairs
  var least = [Double](repeating: 0, count: pairs.count)
  let columnEntries = Array(0..<Int32(codes.count))
  var look = kernel_closer_look()
  let left = codes.flatMap { $0 }.withUnsafeBufferPointer { codes in
    rowEntries.withUnsafeBufferPointer { rowEntries in
      columnEntries.withUnsafeBufferPointer { columnEntries in
        rows.withUnsafeBufferPointer { rows in
          columns.withUnsafeBufferPointer { columns in
            radii.withUnsafeBufferPointer { radii in
              (look.stride, look.unit, look.is_whole) = (stride, 0.25, isWhole ? 1 : 0)
              (look.row_codes, look.column_codes) = (codes.baseAddress, codes.baseAddress)
              (look.row_entries, look.column_entries) = (
                rowEntries.baseAddress, columnEntries.baseAddress
              )
              (look.rows, look.columns) = (rows.baseAddress, columns.baseAddress)
              (look.row_radius, look.column_radius) = (radii.baseAddress, radii.baseAddress)
              return kernel_integer_look_closer(kind, &look, &pairs, pairs.count, &least)
            }
          }
        }
      }
    }
  }
  return (Array(pairs[..<left]), Array(least[..<left]))
}

@Suite struct IntegerKernelTests {
  /// Every verdict of a closer look against its formula, with limits on which half of the pairs fall.
  @Test(arguments: kinds, [16, 64, 112, 128, 704, 16384])
  func closerLooksEqualTheirFormula(kind: kernel_integer_kind, stride: Int) {
    for isWhole in [false, true] { checkCloserLooks(kind, stride, isWhole: isWhole) }
  }

  /// - Parameter isWhole: whether the look computes the products of first bytes itself.
  private func checkCloserLooks(_ kind: kernel_integer_kind, _ stride: Int, isWhole: Bool) {
    let count = 20
    // Long rows are of the largest bytes there are.
    let codes =
      stride < 16384
      ? randomRows(count, 2 * stride, seed: 9)
      : (0..<count).map { [Int8](repeating: $0 % 2 == 0 ? 127 : -127, count: 2 * stride) }
    let radius = Double(127 * 127 * stride).squareRoot() * 1.5
    // Tile row i is row 19 − i of the codes.
    let entries = (0..<Int32(count)).map { $0 }
    let facts = (0..<count).map {
      kernel_fine_facts(
        squares: Double(127 * 127 * stride) * (0.6 + Double($0) / 50), residual: Double($0),
        size: Double($0 % 3), sum: 0, coarse_sum: 0)
    }
    let (rowFacts, columnFacts) = (
      withSums(facts, codes.reversed(), stride: stride), withSums(facts, codes, stride: stride)
    )
    let radii = (0..<count).map { radius * (0.5 + Double($0) / 40) }
    var pairs: [kernel_survivor] = []
    var expected: [(row: Int, column: Int, least: Double)] = []
    for row in 0..<count {
      for column in 0..<row {
        let product = Int32(row * column - 90)
        pairs.append(
          kernel_survivor(row: UInt16(row), column: UInt16(column), product: product))
        let (a, b) = (codes[count - 1 - row], codes[column])
        var (cross, whole) = (0, 0)
        for c in 0..<stride {
          whole += Int(a[c]) * Int(b[c])
          cross += Int(a[c]) * Int(b[stride + c])
          cross += Int(a[stride + c]) * Int(b[c])
        }
        let (left, right) = (facts[row], facts[column])
        let fine = (isWhole ? Double(whole) : Double(product)) + Double(cross) / 256
        let square = left.squares + right.squares - 2 * fine - 2 * left.size * right.size
        let lost = left.residual + right.residual
        let least = max(max(square, 0).squareRoot() - lost, 0)
        if least <= max(radii[row], radii[column]) {
          expected.append((row, column, least * least / 4))
        }
      }
    }
    let given = pairs.count
    let kept = lookCloser(
      kind, codes: codes, stride: stride, rowEntries: entries.reversed(), rows: rowFacts,
      columns: columnFacts, radii: radii, pairs: pairs, isWhole: isWhole)
    #expect(kept.pairs.count > 10 && kept.pairs.count < given - 10)
    #expect(kept.pairs.map { Int($0.row) } == expected.map(\.row))
    #expect(kept.pairs.map { Int($0.column) } == expected.map(\.column))
    for (found, wanted) in zip(kept.least, expected.map(\.least)) {
      #expect(found <= wanted && found >= wanted * (1 - 1e-9) - 1e-9)
    }
  }

  /// Every kernel keeps the same pairs, with the same bits.
  @Test(arguments: [16, 48, 64, 112, 128, 192, 512, 2048])
  func closerLooksAreTheSameBitByBit(stride: Int) {
    let count = 60
    let codes = randomRows(count, 2 * stride, seed: UInt64(stride))
    // Facts and products as rounding gives them, so that verdicts are as close as they get.
    let facts = codes.enumerated().map { row, codes in
      let (coarse, fine) = (codes[..<stride].map(Double.init), codes[stride...].map(Double.init))
      return kernel_fine_facts(
        squares: zip(coarse, fine).reduce(0) { $0 + ($1.0 + $1.1 / 256) * ($1.0 + $1.1 / 256) },
        residual: Double(row) / 7, size: fine.reduce(0) { $0 + $1 * $1 }.squareRoot() / 256,
        sum: fine.reduce(0, +), coarse_sum: coarse.reduce(0, +))
    }
    var pairs: [kernel_survivor] = []
    var radii = [Double](repeating: 0, count: count)
    for row in 0..<count {
      for column in 0..<count where column != row {
        let product = zip(codes[row][..<stride], codes[column][..<stride]).reduce(Int32(0)) {
          $0 + Int32($1.0) * Int32($1.1)
        }
        pairs.append(
          kernel_survivor(row: UInt16(row), column: UInt16(column), product: product))
        radii[row] +=
          (facts[row].squares + facts[column].squares - 2 * Double(product)).squareRoot()
          / Double(count - 1)
      }
    }
    let results = kinds.map { kind in
      lookCloser(
        kind, codes: codes, stride: stride, rowEntries: Array(0..<Int32(count)), rows: facts,
        columns: facts, radii: radii, pairs: pairs)
    }
    let expected = results[0]
    #expect(expected.pairs.count > 10 && expected.pairs.count < pairs.count - 10)
    // A look that computes the products itself comes to the same.
    let unknown = pairs.map { kernel_survivor(row: $0.row, column: $0.column, product: 7) }
    for kind in kinds {
      let found = lookCloser(
        kind, codes: codes, stride: stride, rowEntries: Array(0..<Int32(count)), rows: facts,
        columns: facts, radii: radii, pairs: unknown, isWhole: true)
      #expect(found.least.map(\.bitPattern) == expected.least.map(\.bitPattern), "\(kind)")
      #expect(found.pairs.map(\.column) == expected.pairs.map(\.column))
    }
    for (kind, found) in zip(kinds, results) {
      #expect(found.least.map(\.bitPattern) == expected.least.map(\.bitPattern), "\(kind)")
      #expect(
        found.pairs.map { [Int32($0.row), Int32($0.column), $0.product] }
          == expected.pairs.map { [Int32($0.row), Int32($0.column), $0.product] }, "\(kind)")
    }
  }

  @Test(arguments: kinds, [1, 2, 3, 4, 5, 31, 64, 129, 512, 2112])
  func productsAndVerdictsEqualScalarLoops(kind: kernel_integer_kind, columns: Int) {
    for (m, n) in [(1, 1), (7, 50), (16, 48), (17, 31), (9, 5), (9, 97), (33, 65), (64, 65)] {
      check(
        kind, Panels(randomRows(m, columns, seed: UInt64(m))),
        Panels(randomRows(n, columns, seed: UInt64(n + 1)))
      ) { Int32($0 % 11 * 4000 * columns / 16) }
    }
  }

  /// Where sums of two products are largest, 16 bits must hold them.
  @Test(arguments: kinds, [4, 512, 16384])
  func extremesDoNotSaturate(kind: kernel_integer_kind, columns: Int) {
    let signs: [Int8] = [127, -127]
    let four = signs.flatMap { a in
      signs.map { b in (0..<columns).map { $0 % 2 == 0 ? a : b } }
    }
    // More than a tile of matrix tiles has.
    let rows = (0..<33).map { four[$0 % 4] }
    check(kind, Panels(rows), Panels(rows)) { $0 % 2 == 0 ? -(1 << 30) : 1 << 30 }
  }

  @Test(arguments: kinds)
  func limitsKeepAllOrNone(kind: kernel_integer_kind) {
    let rows = Panels(randomRows(33, 40, seed: 5))
    check(kind, rows, rows) { _ in -(1 << 30) }
    check(kind, rows, rows) { _ in 1 << 30 }
  }

  @Test func roundingKeepsItsBooks() {
    // Half-way values, values at and beyond the clip, negative zero.
    let values: [Double] = [
      0.5, 1.5, -0.5, -2.5, 126.5, 127, 127.4999, 128, 1e9, -1e30, -0.0, 3.25,
    ]
    let stride = 16
    let storage = UnsafeMutableRawPointer.allocate(byteCount: stride * 20, alignment: 64)
    defer { storage.deallocate() }
    let row = storage.bindMemory(to: Double.self, capacity: stride)
    row.initialize(repeating: 0, count: stride)
    row.update(from: values, count: values.count)
    let zeros = UnsafeMutableRawPointer.allocate(byteCount: stride * 8, alignment: 64)
    defer { zeros.deallocate() }
    let centre = zeros.bindMemory(to: Double.self, capacity: stride)
    centre.initialize(repeating: 0, count: stride)
    var codes = [Int8](repeating: 99, count: 2 * stride)
    let kept = kernel_quantise_double(row, centre, stride, 1, &codes)
    let expected: [Int8] = [0, 2, 0, -2, 126, 127, 127, 127, 127, -127, 0, 3, 0, 0, 0, 0]
    #expect(Array(codes[..<stride]) == expected)
    let rests: [Int8] = [
      127, -127, -127, -127, 127, 0, 127, 127, 127, -127, 0, 64, 0, 0, 0, 0,
    ]
    #expect(Array(codes[stride...]) == rests)
    let fine = zip(expected, rests).map { Double($0.0) + Double($0.1) / 256 }
    #expect(kept.fine_squares == fine.reduce(0) { $0 + $1 * $1 })
    #expect(kept.squares == expected.reduce(0) { $0 + Int32($1) * Int32($1) })
    #expect(kept.fine_sum == rests.reduce(0) { $0 + Int32($1) })
    #expect(kept.sum == expected.reduce(0) { $0 + Int32($1) })
    let lost = zip(values, expected).reduce(0.0) {
      $0 + ($1.0 - Double($1.1)) * ($1.0 - Double($1.1))
    }
    #expect(abs(kept.residual_square - lost) <= lost * 1e-12)
  }
}
