internal import PostgresClient

/// A moment: every transaction numbered below this one had ended.
///
/// Rows that a later transaction wrote, or one that was at work then, have an `xmin` that is not older;
/// so what is read as changed since is never too little.
struct TransactionHorizon: Sendable {
  private let number: String

  /// What an update of `cluster` sets that changes what ``LiveClusters`` holds.
  static let stamp = "changed_in = pg_current_xact_id()"

  /// The moment of a statement, as a column of its result.
  static let moment = "pg_snapshot_xmin(pg_current_snapshot())::text"

  /// Reads the moment of the statement that gave this row.
  init(_ row: PostgresRow, _ column: PostgresColumn) throws { number = try row.text(column) }

  /// The moment now; look at it before the rows that are remembered with it.
  static func now(on connection: isolated PostgresConnection) throws -> TransactionHorizon {
    try TransactionHorizon(connection.queryPrepared("SELECT \(moment)").single(), 0)
  }

  /// The moment as a parameter of the conditions.
  var parameter: PostgresValue { .text(number) }

  /// A condition: a row was written since a moment, or by somebody who was at work then.
  ///
  /// - Parameter xmin: the system column of the row.
  static func isNotOlder(_ xmin: String, parameter: Int) -> String {
    // A query of its own is answered once, not for every row.
    "age(\(xmin)) <= (SELECT age($\(parameter)::text::xid8::xid))"
  }

  /// A condition on a column that holds the transaction which wrote something; an index serves it.
  ///
  /// Numbers that are still to come are another cluster's, from which this one was restored.
  static func isSince(_ column: String, parameter: Int) -> String {
    """
    \(column) >= $\(parameter)::text::xid8
      AND \(column) < pg_snapshot_xmax(pg_current_snapshot())
    """
  }
}
