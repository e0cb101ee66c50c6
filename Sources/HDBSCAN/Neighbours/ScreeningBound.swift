internal import CKernels

/// The numbers that a screening source computes and compares with.
protocol ScreeningBound: SignedNumeric, Comparable, Sendable {
  /// A reach that keeps every pair.
  static var keepsAll: Self { get }
  /// A reach that keeps no pair.
  static var keepsNone: Self { get }

  /// The columns in `from..<to` that a row cannot reject; returns how many.
  static func screenRow(
    _ products: UnsafePointer<Self>, _ columnHalf: UnsafePointer<Self>,
    _ columnReach: UnsafePointer<Self>, rowHalf: Self, rowReach: Self, from: Int, to: Int,
    into survivors: UnsafeMutablePointer<UInt32>
  ) -> Int

  /// This product, as that of a pair of a tile.
  func survivor(row: Int, column: Int) -> kernel_survivor
}

extension Float: ScreeningBound {
  static var keepsAll: Float { -.infinity }
  static var keepsNone: Float { .infinity }

  static func screenRow(
    _ products: UnsafePointer<Float>, _ columnHalf: UnsafePointer<Float>,
    _ columnReach: UnsafePointer<Float>, rowHalf: Float, rowReach: Float, from: Int, to: Int,
    into survivors: UnsafeMutablePointer<UInt32>
  ) -> Int {
    kernel_screen_row(
      products, columnHalf, columnReach, rowHalf, rowReach, from, to, survivors)
  }

  func survivor(row: Int, column: Int) -> kernel_survivor {
    kernel_survivor(
      row: UInt16(row), column: UInt16(column), product: Int32(bitPattern: bitPattern))
  }
}

extension Int32: ScreeningBound {
  // Products and halves are within 2^29, so sums with these stay inside 32 bits.
  static var keepsAll: Int32 { -(1 << 30) }
  static var keepsNone: Int32 { 1 << 30 }

  static func screenRow(
    _ products: UnsafePointer<Int32>, _ columnHalf: UnsafePointer<Int32>,
    _ columnReach: UnsafePointer<Int32>, rowHalf: Int32, rowReach: Int32, from: Int, to: Int,
    into survivors: UnsafeMutablePointer<UInt32>
  ) -> Int {
    kernel_screen_row_integer(
      products, columnHalf, columnReach, rowHalf, rowReach, from, to, survivors)
  }

  func survivor(row: Int, column: Int) -> kernel_survivor {
    kernel_survivor(row: UInt16(row), column: UInt16(column), product: self)
  }
}
