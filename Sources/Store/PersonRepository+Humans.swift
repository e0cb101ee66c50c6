public import PostgresClient

extension PersonRepository {
  /// Makes unnamed persons.
  ///
  /// - Returns: their ids, ascending.
  public func make(
    _ count: Int, on connection: isolated PostgresConnection
  ) throws -> [Int64] {
    try connection.query(
      "INSERT INTO person (collection_id) SELECT $1 FROM generate_series(1, $2::integer) RETURNING id",
      [.int64(collection.id), .int32(Int32(count))]
    ).map { try $0.int64(0) }.sorted()
  }

  /// Persons whose extent people drew, by merging, separating or splitting, and did not take back, and those of
  /// whom they hid something.
  public func drawn(on connection: isolated PostgresConnection) throws -> Set<Int64> {
    Set(
      try connection.query(
        """
        SELECT DISTINCT p.id::bigint FROM human_action a,
          jsonb_array_elements_text(a.details -> 'person_ids') AS p (id)
        WHERE a.collection_id = $1 AND a.undone_by IS NULL
          AND (a.kind IN ('merge', 'separate', 'split') OR a.kind = 'accept_candidate'
            AND jsonb_array_length(a.details -> 'person_ids') > 1)
        UNION SELECT id FROM person WHERE collection_id = $1 AND hidden
        UNION SELECT person_id FROM cluster
        WHERE collection_id = $1 AND hidden AND retired_at IS NULL
        """, [.int64(collection.id)]
      ).map { try $0.int64(0) })
  }

  /// The person that a person was merged into last, by an action that stands; nil where there is none.
  ///
  /// - Complexity: one pass over the merges of the collection.
  public func heir(of id: Int64, on connection: isolated PostgresConnection) throws -> Int64? {
    try connection.query(
      """
      SELECT (a.details -> 'person_ids' ->> 0)::bigint FROM human_action a
      WHERE a.collection_id = $1 AND a.undone_by IS NULL
        AND a.kind IN ('merge', 'associate', 'accept_candidate')
        AND a.details -> 'person_ids' @> to_jsonb($2::bigint)
        AND (a.details -> 'person_ids' ->> 0)::bigint <> $2
      ORDER BY a.id DESC LIMIT 1
      """, [.int64(collection.id), .int64(id)]
    ).first.map { try $0.int64(0) }
  }

  /// Hides a person from lists, or shows it again.
  ///
  /// - Throws: ``StoreError/unknownPerson(_:collection:)``.
  public func hide(
    _ id: Int64, _ hidden: Bool, on connection: isolated PostgresConnection
  ) throws {
    let rows = try connection.query(
      "UPDATE person SET hidden = $3 WHERE collection_id = $1 AND id = $2 RETURNING id",
      [.int64(collection.id), .int64(id), .bool(hidden)])
    if rows.isEmpty { throw StoreError.unknownPerson(id, collection: collection.name) }
  }

  /// Persons of clusters.
  public func persons(
    ofClusters clusters: some Sequence<Int64>, on connection: isolated PostgresConnection
  ) throws -> [Int64: Int64] {
    Dictionary(
      uniqueKeysWithValues: try connection.query(
        "SELECT id, person_id FROM cluster WHERE collection_id = $1 AND id = ANY($2)",
        [.int64(collection.id), .int64Array(clusters.sorted())]
      ).map { (try $0.int64(0), try $0.int64(1)) })
  }
}
