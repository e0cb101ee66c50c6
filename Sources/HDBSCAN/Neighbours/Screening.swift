internal import Vectors

/// Which arithmetic screens a fit, and whether it may yield to a better one.
struct Screening: Sendable {
  let kernel: ScreeningKernel
  /// Whether bytes are used even where they are too coarse to pay; for tests.
  var isForced = false
  /// Pairs kept for the tree beyond which they improve it and are thinned: 16 bytes each.
  var mostPairs = 1 << 21

  /// The rows as bytes, where those serve and pay, and the frame they are rounded in.
  ///
  /// - Parameter capacity: length of the neighbour lists.
  func integers<Scalar: ExactScalar>(
    _ rows: DistinctRows<Scalar>, frame: CentredFrame, capacity: Int, threads: Int
  ) -> (rows: QuantisedRows, frame: IntegerFrame)? {
    guard let kind = kernel.integerKind, let frame = IntegerFrame(rows, frame: frame) else {
      return nil
    }
    let screen = QuantisedRows(rows, frame: frame, kernel: kind, threads: threads)
    if isForced || screen.survivingShare(capacity: capacity) <= kernel.largestSurvivingShare {
      return (screen, frame)
    }
    return nil
  }
}
