public import PostgresClient

/// Keeps what humans did, and what is needed to take it back.
///
/// An action is begun, its rows are remembered as they are, the rows are changed, and the action is
/// finished; all in one transaction. What the log then holds is the difference.
public struct HumanActionRepository: Sendable {
  /// The collection that every statement is scoped to.
  public let collection: CollectionRecord

  /// A repository of one collection.
  public init(_ collection: CollectionRecord) { self.collection = collection }

  /// Kind of an action in which maintenance joined persons.
  public static let association = "associate"

  static let columns = """
    id, kind, actor, summary, details, undoes, undone_by, occurred_at
    """

  /// Begins an action and returns its id.
  public func begin(
    kind: String, actor: String?, undoes: Int64? = nil, on connection: isolated PostgresConnection
  ) throws -> Int64 {
    try connection.query(
      """
      INSERT INTO human_action (collection_id, kind, actor, summary, undoes)
      VALUES ($1, $2, $3, '', $4) RETURNING id
      """,
      [.int64(collection.id), .text(kind), .optional(actor), .optional(undoes)]
    )[0].int64(0)
  }

  /// Keeps rows as they are now, before the action changes them.
  ///
  /// - Complexity: one statement for each kind of row.
  public func remember(
    _ scope: ActionScope, of action: Int64, on connection: isolated PostgresConnection
  ) throws {
    for entity in LoggedEntity.allCases {
      try connection.query(
        """
        INSERT INTO human_action_change (collection_id, action_id, entity, row_id, before)
        SELECT $1, $2, '\(entity.rawValue)', t.id, \(entity.image)
        FROM \(entity.table) t WHERE t.collection_id = $1 AND \(entity.scope)
          AND \(Self.parametersAreUsed)
        ON CONFLICT (collection_id, action_id, entity, row_id) DO NOTHING
        """, parameters(action, scope))
    }
  }

  /// Ends an action: keeps what is different now, in the scope that was remembered and in rows that
  /// the action made.
  ///
  /// - Parameters:
  ///   - scope: at least everything that was remembered.
  ///   - summary: one line for people.
  public func finish(
    _ action: Int64, _ scope: ActionScope, summary: String, detailsJSON: String = "{}",
    on connection: isolated PostgresConnection
  ) throws {
    for entity in LoggedEntity.allCases {
      try connection.query(
        """
        INSERT INTO human_action_change (collection_id, action_id, entity, row_id, after)
        SELECT $1, $2, '\(entity.rawValue)', t.id, \(entity.image)
        FROM \(entity.table) t WHERE t.collection_id = $1 AND \(entity.scope)
          AND \(Self.parametersAreUsed)
        ON CONFLICT (collection_id, action_id, entity, row_id) DO UPDATE SET after = excluded.after
        """, parameters(action, scope))
    }
    let key: [PostgresValue] = [.int64(collection.id), .int64(action)]
    if !scope.said.isEmpty {
      try connection.query(
        """
        UPDATE human_action_change c SET said = s.key
        FROM unnest($3::text[], $4::text[], $5::bigint[]) AS s (entity, key, id)
        WHERE c.collection_id = $1 AND c.action_id = $2 AND c.entity = s.entity AND c.row_id = s.id
        """,
        key + [
          .textArray(scope.said.map(\.entity.rawValue)), .textArray(scope.said.map(\.key)),
          .int64Array(scope.said.map(\.id)),
        ])
    }
    try connection.query(
      """
      DELETE FROM human_action_change
      WHERE collection_id = $1 AND action_id = $2 AND before IS NOT DISTINCT FROM after
        AND said IS NULL
      """, key)
    // Where a face is stays in both images, what is forbidden, and what was said: what came later is told by it.
    // So does what a face has of its place, which goes back with it whatever programs said meanwhile.
    try connection.query(
      """
      UPDATE human_action_change c SET
        before = (SELECT coalesce(jsonb_object_agg(b.key, b.value), '{}') FROM jsonb_each(c.before) b
          WHERE c.after -> b.key IS DISTINCT FROM b.value OR b.key = ANY(kept.keys) OR b.key = c.said),
        after = (SELECT coalesce(jsonb_object_agg(a.key, a.value), '{}') FROM jsonb_each(c.after) a
          WHERE c.before -> a.key IS DISTINCT FROM a.value OR a.key = ANY(kept.keys) OR a.key = c.said)
      FROM (SELECT ARRAY['cluster_id', 'cluster_status', 'cluster_confidence', 'is_adopted',
        'lambda_val', 'outlier_score', 'unassigned_since', 'assigned_tier', 'assigned_run_id'] AS keys) kept
      WHERE c.collection_id = $1 AND c.action_id = $2 AND c.before IS NOT NULL
        AND c.after IS NOT NULL AND c.entity NOT IN ('prohibition', 'constraint')
      """, key)
    try connection.query(
      "UPDATE human_action SET summary = $3, details = $4 WHERE collection_id = $1 AND id = $2",
      key + [.text(summary), .json(detailsJSON)])
  }

  /// The newest actions first.
  public func list(
    limit: Int, on connection: isolated PostgresConnection
  ) throws -> [HumanActionRecord] {
    try connection.query(
      """
      SELECT \(Self.columns) FROM human_action WHERE collection_id = $1 ORDER BY id DESC LIMIT $2
      """, [.int64(collection.id), .int64(Int64(limit))]
    ).map(Self.record)
  }

  /// One action, locked.
  ///
  /// - Throws: ``StoreError/unknownAction(_:collection:)``.
  public func lock(
    _ id: Int64, on connection: isolated PostgresConnection
  ) throws -> HumanActionRecord {
    guard
      let row = try connection.query(
        """
        SELECT \(Self.columns) FROM human_action WHERE collection_id = $1 AND id = $2 FOR UPDATE
        """, [.int64(collection.id), .int64(id)]
      ).first
    else { throw StoreError.unknownAction(id, collection: collection.name) }
    return try Self.record(row)
  }

  /// The action that stands and was done, or done again, last; no undo.
  public func latest(on connection: isolated PostgresConnection) throws -> Int64? {
    try connection.query(
      """
      SELECT root.id FROM human_action last, LATERAL (
        WITH RECURSIVE chain AS (
          SELECT last.id, last.undoes, last.undone_by
          UNION ALL
          SELECT a.id, a.undoes, a.undone_by FROM chain c JOIN human_action a
            ON a.collection_id = $1 AND a.id = c.undoes
        )
        SELECT id FROM chain WHERE undoes IS NULL AND undone_by IS NULL) root
      WHERE last.collection_id = $1 AND last.undone_by IS NULL ORDER BY last.id DESC LIMIT 1
      """, [.int64(collection.id)]
    ).first?.int64(0)
  }

  /// The action that an undo took back or, where that was an undo too, so on down to what people did;
  /// any other action itself.
  public func root(
    of id: Int64, on connection: isolated PostgresConnection
  ) throws -> Int64 {
    try connection.query(
      """
      WITH RECURSIVE chain AS (
        SELECT id, undoes FROM human_action WHERE collection_id = $1 AND id = $2
        UNION ALL
        SELECT a.id, a.undoes FROM chain c JOIN human_action a
          ON a.collection_id = $1 AND a.id = c.undoes
      )
      SELECT id FROM chain WHERE undoes IS NULL
      """, [.int64(collection.id), .int64(id)]
    ).single().int64(0)
  }

  /// The undo that did an action again last; the action itself where none did.
  public func newest(
    ofRoot root: Int64, on connection: isolated PostgresConnection
  ) throws -> Int64 {
    try connection.query(
      """
      \(Self.family)
      SELECT max(id) FROM family
      """, [.int64(collection.id), .int64(root)]
    ).single().int64(0)
  }

  /// Notes that an undo took an action back, or did it again.
  ///
  /// What was last in taking it back or doing it again is undone by that, too: of an action and all undos
  /// that go back to it, only what was last can be undone, and the action itself while it stands.
  public func note(
    undo: Int64, ofRoot root: Int64, isTakenBack: Bool, on connection: isolated PostgresConnection
  ) throws {
    try connection.query(
      """
      \(Self.family)
      UPDATE human_action a SET undone_by = CASE WHEN a.id <> $2 OR $4 THEN $3::bigint END
      FROM family f
      WHERE a.collection_id = $1 AND a.id = f.id AND a.id <> $3
        AND (a.id = $2 OR a.undone_by IS NULL)
      """, [.int64(collection.id), .int64(root), .int64(undo), .bool(isTakenBack)])
  }

  /// What people did, parameter 2, and all undos that go back to it.
  private static let family = """
    WITH RECURSIVE family AS (
      SELECT $2::bigint AS id
      UNION ALL
      SELECT a.id FROM family f JOIN human_action a ON a.collection_id = $1 AND a.undoes = f.id
    )
    """

  // Every statement gets the same parameters; PostgreSQL wants to know the type of each.
  private static let parametersAreUsed =
    "$2::bigint IS NOT NULL AND $3::bigint[] IS NOT NULL AND $4::bigint[] IS NOT NULL "
    + "AND $5::bigint[] IS NOT NULL"

  private func parameters(_ action: Int64, _ scope: ActionScope) -> [PostgresValue] {
    [
      .int64(collection.id), .int64(action), .int64Array(scope.detections.sorted()),
      .int64Array(scope.clusters.sorted()), .int64Array(scope.persons.sorted()),
    ]
  }

  static func record(_ row: PostgresRow) throws -> HumanActionRecord {
    HumanActionRecord(
      id: try row.int64("id"), kind: try row.text("kind"), actor: try row.optionalText("actor"),
      summary: try row.text("summary"), detailsJSON: try row.jsonText("details"),
      undoes: try row.optionalInt64("undoes"), undoneBy: try row.optionalInt64("undone_by"),
      occurredAt: try row.timestamp("occurred_at"))
  }
}
