public import PostgresClient

/// What the server's planner knows of tables that just got many rows.
///
/// Until it counts again it goes by what it counted before. That is autovacuum's affair, which comes within a
/// minute, after the transaction, and not at all where somebody waits. A role that may not count a table does
/// without.
public enum PlannerStatistics {
  /// As few new rows change no plan.
  public static let fewest = 1_000

  /// Counts the tables of faces where an import was large beside what is known of them.
  ///
  /// Joins over new rows become nested loops otherwise, above all in a new collection: seconds instead of
  /// milliseconds.
  ///
  /// - Parameter imported: faces that were just added.
  public static func refresh(
    imported: Int, on connection: isolated PostgresConnection
  ) throws {
    guard imported >= fewest else { return }
    let known = try connection.rowsKnown(in: "person_detection")
    // Below 0 means never analysed: then the planner goes by the tables' real sizes, which is fine.
    if known < 0 || Double(imported) < 0.1 * known { return }
    try connection.count(["photo", "person_detection", "face_embedding"])
  }
}

extension PostgresConnection {
  /// Counts a table to which rows were added and whose keys others will ask for next, where the server takes it
  /// for all but empty.
  ///
  /// Each key would be checked by reading the whole table, by a plan that a session made while it was small.
  ///
  /// - Parameter added: rows that this transaction just added.
  func countIfThoughtSmall(_ table: String, added: Int) throws {
    guard added >= PlannerStatistics.fewest else { return }
    let known = try rowsKnown(in: table)
    if known < 0 || known >= Double(PlannerStatistics.fewest) { return }
    try count([table])
  }

  /// Counts those of these tables that the role may count: the server would warn of each other one.
  fileprivate func count(_ tables: [String]) throws {
    let allowed = try query(
      """
      SELECT c.oid::regclass::text FROM pg_class c, pg_database d
      WHERE c.oid = ANY($1::text[]::regclass[]) AND d.datname = current_database()
        AND (pg_has_role(c.relowner, 'USAGE') OR pg_has_role(d.datdba, 'USAGE')
          OR CASE WHEN current_setting('server_version_num')::integer >= 170000
            THEN has_table_privilege(c.oid, 'MAINTAIN') END)
      """, [.textArray(tables)]
    ).map { try $0.text(0) }
    if !allowed.isEmpty { try query("ANALYZE \(allowed.joined(separator: ", "))") }
  }

  fileprivate func rowsKnown(in table: String) throws -> Double {
    try query(
      "SELECT reltuples::double precision FROM pg_class WHERE oid = $1::text::regclass",
      [.text(table)]
    ).single().double(0)
  }
}
