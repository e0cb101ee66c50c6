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
  ///
  /// Rights on what the server named come first; without that, those on the schema.
  public static func explain(
    _ error: PostgresError, on connection: isolated PostgresConnection
  ) throws -> StoreError {
    let sequence = "permission denied for sequence "
    if error.message.hasPrefix(sequence) {
      return .missingRights(
        role: try connection.query("SELECT current_user::text").single().text(0),
        rights: "USAGE on sequence \(error.message.dropFirst(sequence.count))",
        reason: error.message)
    }
    let words = Set(error.message.split { !($0.isLetter || $0 == "_") }.map(String.init))
    let named = tables.filter(words.contains)
    let row = try connection.query(
      """
      SELECT current_user::text, coalesce(current_schema()::text, 'public'),
        (SELECT string_agg(rights || ' on table ' || name, '; ' ORDER BY name) FROM (
          SELECT t.name, string_agg(r.word, ', ' ORDER BY r.place) AS rights
          FROM unnest($1::text[]) AS t (name),
            unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) WITH ORDINALITY AS r (word, place)
          WHERE NOT has_table_privilege(to_regclass(t.name)::oid, r.word)
          GROUP BY t.name) lacking)
      """, [.textArray(named)]
    ).single()
    let schema = try row.text(1)
    return .missingRights(
      role: try row.text(0), rights: try row.optionalText(2) ?? "CREATE on schema \(schema)",
      reason: error.message)
  }
}
