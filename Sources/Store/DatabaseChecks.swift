public import PostgresClient

/// What a database and the role that uses it must allow.
public enum DatabaseChecks {
  private static let tables = [
    "assignment_event", "cluster", "cluster_lineage", "cluster_metric",
    "cluster_person_cannot_link", "clustering_job", "collection", "detection_constraint",
    "face_embedding", "face_match_candidate", "hdbscan_run", "hdbscan_run_cluster",
    "hdbscan_run_state", "human_action", "human_action_change", "person", "person_association",
    "person_detection", "photo", "schema_migration",
  ]

  /// Refuses a database that does not store UTF-8, in which names and paths would not survive.
  ///
  /// - Throws: ``StoreError/wrongEncoding(database:encoding:)``.
  public static func requireUTF8(on connection: isolated PostgresConnection) throws {
    let row = try connection.query(
      "SELECT current_setting('server_encoding'), current_database()::text"
    ).single()
    guard try row.text(0) == "UTF8" else {
      throw StoreError.wrongEncoding(database: try row.text(1), encoding: try row.text(0))
    }
  }

  /// Says which rights the role lacks, after the server refused something.
  public static func explain(
    _ error: PostgresError, on connection: isolated PostgresConnection
  ) throws -> StoreError {
    .missingRights(
      role: try connection.query("SELECT current_user::text").single().text(0),
      rights: try missing(after: error.message, on: connection), reason: error.message)
  }

  /// The rights on what the server named.
  private static func missing(
    after message: String, on connection: isolated PostgresConnection
  ) throws -> String {
    func denied(_ kind: String) -> Substring? {
      let beginning = "permission denied for \(kind) "
      return message.hasPrefix(beginning) ? message.dropFirst(beginning.count) : nil
    }
    if let sequence = denied("sequence") { return "USAGE on sequence \(sequence)" }
    let words = Set(message.split { !($0.isLetter || $0 == "_") }.map(String.init))
    let lacking = try connection.query(
      """
      SELECT string_agg(rights || ' on table ' || name, '; ' ORDER BY name) FROM (
        SELECT t.name, string_agg(r.word, ', ' ORDER BY r.place) AS rights
        FROM unnest($1::text[]) AS t (name),
          unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) WITH ORDINALITY AS r (word, place)
        WHERE NOT has_table_privilege(to_regclass(t.name)::oid, r.word)
        GROUP BY t.name) lacking
      """, [.textArray(tables.filter(words.contains))]
    ).single().optionalText(0)
    if let lacking { return lacking }
    if message.contains("temporary tables") {
      let database = try connection.query("SELECT current_database()::text").single().text(0)
      return "TEMPORARY on database \(database)"
    }
    if let schema = denied("schema") {
      let isUsable = try connection.query(
        "SELECT has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = $1",
        [.text(String(schema))]
      ).first.map { try $0.bool(0) }
      return "\(isUsable ?? true ? "CREATE" : "USAGE") on schema \(schema)"
    }
    // Of what is not ours nothing but SELECT is asked.
    for kind in ["table", "view", "materialized view", "foreign table"] {
      if let name = denied(kind) { return "SELECT on \(kind) \(name)" }
    }
    return "a right"
  }
}
