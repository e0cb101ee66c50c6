internal import Vectors

/// Which arithmetic screens a fit, and whether it may yield to a better one.
struct Screening: Sendable {
  let kernel: ScreeningKernel
  /// Whether bytes are used even where they are too coarse to pay; for tests.
  var isForced = false
  /// Pairs kept for the tree beyond which they improve it and are thinned: 16 bytes each.
  var mostPairs = 1 << 21
  /// Columns on which rows are projected whatever it costs; for tests.
  var projectedColumns: Int?

  /// The rows as bytes, where those serve and pay, and the frame they are rounded in.
  ///
  /// - Parameter capacity: length of the neighbour lists.
  func integers<Scalar: ExactScalar>(
    _ rows: DistinctRows<Scalar>, frame: CentredFrame, capacity: Int, threads: Int
  ) -> (rows: QuantisedRows, frame: IntegerFrame, projection: ProjectedFrame?)? {
    guard let kind = kernel.integerKind, let bytes = IntegerFrame(rows, frame: frame) else {
      return nil
    }
    let projection = projection(rows, bytes, frame)
    let screen = QuantisedRows(
      rows, frame: bytes, projection: projection, kernel: kind, threads: threads)
    if isForced || projection != nil
      || screen.survivingShare(capacity: capacity) <= kernel.largestSurvivingShare
    {
      return (screen, bytes, projection)
    }
    return nil
  }

  /// A projection that makes screening cheaper.
  private func projection<Scalar: ExactScalar>(
    _ rows: DistinctRows<Scalar>, _ bytes: IntegerFrame, _ frame: CentredFrame
  ) -> ProjectedFrame? {
    guard
      projectedColumns != nil
        || rows.count >= ProjectionChoice.fewestRows(columns: rows.columns)
    else { return nil }
    guard
      let choice = ProjectionChoice(
        rows, centre: bytes.centre, unit: frame.sampledScale(of: rows)),
      let columns = projectedColumns ?? choice.columns(closerLook: kernel.closerLook)
    else { return nil }
    return choice.frame(columns: columns)
  }
}
