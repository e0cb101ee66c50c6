public import PostgresClient

/// Something that came after an action and stands in the way of taking it back.
public struct UndoConflict: Sendable, Equatable {
  /// person, cluster, detection or candidate.
  public var entity: String
  /// Id of the row.
  public var rowID: Int64
  /// What is not as the action left it, such as `cluster_id`; `gone` where the row is.
  public var key: String
  /// What changed it, for people, such as `by action 7 (merge)`.
  public var cause: String
}

extension HumanActionRepository {
  /// What stands in the way of taking an action back, by kind and id.
  ///
  /// That is what people said later of the same and stands, be it another thing or the same again; what is
  /// not as the action left it, nor as it was before; what the action would go back to and is retired or
  /// gone. Sums, centroids and what a fit says of a cluster do not count: they follow from the members. Nor
  /// does a face that programs alone moved: it stays where they put it, or goes back to where a human had;
  /// nor a cluster in which programs alone had put a face: the face is new again where that is gone.
  ///
  /// - Parameters:
  ///   - root: what people did that the action is, or takes back or does again.
  ///   - isDoneAgain: whether the root stands afterwards.
  public func conflicts(
    of action: Int64, root: Int64, isDoneAgain: Bool, on connection: isolated PostgresConnection
  ) throws -> [UndoConflict] {
    try connection.query(
      """
      WITH RECURSIVE own AS MATERIALIZED (
        SELECT h.*, coalesce(h.after, h.before) AS image,
          (h.before IS NULL OR h.after IS NULL OR $4::boolean
            OR h.before IS DISTINCT FROM h.after) AS counts
        FROM human_action_change h WHERE h.collection_id = $1 AND h.action_id = $2
      ), rival AS MATERIALIZED (\(Self.rivals)
      ), chain AS (
        SELECT id AS root, id FROM human_action WHERE collection_id = $1 AND (id = $3
          OR id IN (SELECT action_id FROM rival) AND kind <> 'undo' AND undone_by IS NULL)
        UNION ALL
        SELECT c.root, a.id FROM chain c JOIN human_action a
          ON a.collection_id = $1 AND a.undoes = c.id
      ), later AS MATERIALIZED (
        -- What was done again counts from then on; to be done again itself, an action needs what was before it.
        SELECT r.* FROM rival r JOIN (
          SELECT root FROM chain WHERE root <> $3 GROUP BY root
          HAVING CASE WHEN $4 THEN root > $3
            ELSE max(id) > (SELECT max(id) FROM chain WHERE root = $3) END) s ON s.root = r.action_id
      ), conflict AS (
        \(Self.changedColumns)
        UNION \(Self.movedFaces)
        UNION \(Self.otherWords)
        UNION \(Self.retired)
        UNION \(Self.gone)
      )
      SELECT c.entity, c.row_id, c.key, coalesce(
        (SELECT format('by action %s (%s)', a.id, a.kind) FROM human_action a
         WHERE a.collection_id = $1 AND a.id = max(c.later)),
        (SELECT format('by action %s (%s)', a.id, a.kind)
         FROM human_action_change h JOIN human_action a
           ON a.collection_id = $1 AND a.id = h.action_id
         WHERE h.collection_id = $1 AND h.entity = c.entity AND h.row_id = c.row_id
           AND h.before IS DISTINCT FROM h.after AND a.id > $2 ORDER BY a.id DESC LIMIT 1),
        (SELECT format('by run %s', max(l.to_run_id)) FROM cluster_lineage l
         WHERE c.entity = 'cluster' AND l.collection_id = $1 AND l.old_cluster_id = c.row_id
         HAVING max(l.to_run_id) IS NOT NULL),
        (SELECT CASE WHEN e.run_id IS NOT NULL
             THEN format('by %s, run %s', replace(e.tier, '_', ' '), e.run_id)
             ELSE format('by %s', e.tier) END
         FROM assignment_event e WHERE c.entity = 'detection' AND e.collection_id = $1
           AND e.detection_id = c.row_id ORDER BY e.id DESC LIMIT 1),
        'since') AS cause
      FROM conflict c GROUP BY c.entity, c.row_id, c.key
      ORDER BY c.key NOT IN ('gone', 'retired_at'), c.entity, c.row_id, c.key
      """,
      [.int64(collection.id), .int64(action), .int64(root), .bool(isDoneAgain)]
    ).map {
      UndoConflict(
        entity: try $0.text(0), rowID: try $0.int64(1), key: try $0.text(2), cause: try $0.text(3))
    }
  }

  /// Rows of other actions about the same; what is forbidden is the same by what it says, not by its id.
  private static let rivals = """
    SELECT o.entity, o.row_id, l.action_id, l.before, l.after, l.said FROM own o
    JOIN human_action_change l ON l.collection_id = o.collection_id AND l.entity = o.entity
      AND l.row_id = o.row_id
    WHERE l.action_id <> $2 AND o.counts
    UNION ALL
    SELECT o.entity, o.row_id, l.action_id, l.before, l.after, l.said FROM own o
    JOIN human_action_change l ON l.collection_id = o.collection_id AND l.entity = o.entity
      AND l.row_id <> o.row_id AND \(word("coalesce(l.after, l.before)")) = \(word("o.image"))
    WHERE l.action_id <> $2 AND o.counts AND l.entity IN ('prohibition', 'constraint')
    """

  /// What a prohibition or a constraint says, as text.
  private static func word(_ image: String) -> String {
    """
    concat_ws('/', \(image) ->> 'detection_id', \(image) ->> 'cluster_id', '-', \(image) ->> 'person_id',
      \(image) ->> 'detection_a_id', \(image) ->> 'detection_b_id')
    """
  }

  /// Columns of persons, clusters and questions.
  private static let changedColumns = """
    SELECT c.entity, c.row_id, c.key, l.action_id AS later FROM (
      SELECT o.*, a.key, a.value, CASE o.entity
        WHEN 'person' THEN (SELECT to_jsonb(t) FROM person t
          WHERE t.collection_id = $1 AND t.id = o.row_id)
        WHEN 'cluster' THEN (SELECT to_jsonb(t) FROM cluster t
          WHERE t.collection_id = $1 AND t.id = o.row_id)
        WHEN 'candidate' THEN (SELECT to_jsonb(t) FROM face_match_candidate t
          WHERE t.collection_id = $1 AND t.id = o.row_id) END AS now
      FROM own o, LATERAL jsonb_each(o.after) a
      WHERE a.key = ANY(CASE o.entity
          WHEN 'person' THEN ARRAY['name', 'hidden']
          WHEN 'cluster' THEN ARRAY['person_id', 'verified', 'hidden', 'anchored',
            'representative_detection_id', 'retired_at']
          WHEN 'candidate' THEN ARRAY['status'] END)
        AND ($4 OR o.before -> a.key IS DISTINCT FROM a.value)
    ) c
    -- Whoever stood for a cluster and left it was not chosen away, but by this very action chosen.
    LEFT JOIN later l ON l.entity = c.entity AND l.row_id = c.row_id AND (l.said = c.key
      OR l.before -> c.key IS DISTINCT FROM l.after -> c.key
        AND (c.key <> 'representative_detection_id' OR l.before -> c.key = c.value))
    WHERE c.now IS NOT NULL AND (l.action_id IS NOT NULL
      OR c.now -> c.key IS DISTINCT FROM c.value
        AND (c.before IS NULL OR c.now -> c.key IS DISTINCT FROM c.before -> c.key)
        -- A question that a program closed; a face that stood for its cluster and left it.
        AND NOT (c.key = 'status' AND c.now ->> 'status' = 'expired' AND c.value = '"pending"')
        AND NOT (c.key = 'representative_detection_id' AND c.now -> c.key = 'null'))
    """

  /// Faces: who waits, waits, whatever a bootstrap calls it; a human's word is another matter.
  private static let movedFaces = """
    SELECT o.entity, o.row_id,
      CASE WHEN \(place("l.before")) = \(place("l.after")) THEN 'said' ELSE 'cluster_id' END,
      l.action_id
    FROM own o JOIN person_detection d ON d.collection_id = $1 AND d.id = o.row_id
    LEFT JOIN later l ON l.entity = o.entity AND l.row_id = o.row_id
      AND CASE WHEN \(place("l.before")) IS DISTINCT FROM \(place("l.after"))
        THEN \(isByHand("l.after"))
          OR \(place("l.before")) IS NOT DISTINCT FROM \(place("o.after"))
        ELSE l.said IS NOT NULL END
    WHERE o.entity = 'detection'
      AND ($4 OR \(place("o.before")) IS DISTINCT FROM \(place("o.after")))
      AND (l.action_id IS NOT NULL
        OR (\(isByHand("to_jsonb(d)")) OR \(isByHand("o.after")))
          AND \(place("to_jsonb(d)")) IS DISTINCT FROM \(place("o.after"))
          AND \(place("to_jsonb(d)")) IS DISTINCT FROM \(place("o.before")))
    """

  /// What was forbidden or allowed, and by a later word again or not any more.
  private static let otherWords = """
    SELECT 'detection',
      coalesce(o.image ->> 'detection_id', o.image ->> 'detection_a_id')::bigint,
      CASE WHEN l.action_id IS NULL OR l.after IS NULL THEN 'allowed' ELSE 'forbidden_again' END,
      l.action_id
    FROM own o LEFT JOIN later l ON l.entity = o.entity AND l.row_id = o.row_id
    WHERE o.entity IN ('prohibition', 'constraint') AND o.counts AND (l.action_id IS NOT NULL
      -- Doing again what had changed nothing does not bring back what is gone.
      OR $4 AND o.before IS NOT NULL AND o.after IS NOT NULL
        AND NOT EXISTS (SELECT FROM cluster_person_cannot_link t WHERE t.collection_id = $1
          AND t.detection_id = (o.image ->> 'detection_id')::bigint
          AND \(word("to_jsonb(t)")) = \(word("o.image")))
        AND NOT EXISTS (SELECT FROM detection_constraint t WHERE t.collection_id = $1
          AND t.detection_a_id = (o.image ->> 'detection_a_id')::bigint
          AND t.detection_b_id = (o.image ->> 'detection_b_id')::bigint
          AND t.kind = o.image ->> 'kind'))
    """

  /// Clusters that would go back to persons, where none of them lives any more; a cluster that faces would go
  /// back to, because people had put them there.
  private static let retired = """
    SELECT o.entity, o.row_id, 'retired_at', NULL FROM own o
    WHERE \(givesBack) AND NOT EXISTS (SELECT FROM own o JOIN cluster t
      ON t.collection_id = $1 AND t.id = o.row_id AND t.retired_at IS NULL WHERE \(givesBack))
    UNION
    SELECT 'cluster', t.id, 'retired_at', NULL FROM own o
    JOIN person_detection d ON d.collection_id = $1 AND d.id = o.row_id
    JOIN cluster t ON t.collection_id = $1 AND t.id = (o.before ->> 'cluster_id')::bigint
    WHERE o.entity = 'detection' AND t.retired_at IS NOT NULL AND \(isByHand("o.before"))
      AND NOT \(isLeftAlone("to_jsonb(d)", "o.before", "o.after"))
      AND NOT EXISTS (SELECT FROM own c
        WHERE c.entity = 'cluster' AND c.row_id = t.id AND c.after ->> 'retired_at' IS NOT NULL)
    UNION
    SELECT 'cluster', t.id, 'retired_at', NULL FROM own o
    JOIN cluster t ON t.collection_id = $1 AND t.id = o.row_id AND t.retired_at IS NOT NULL
    WHERE o.entity = 'cluster' AND o.before -> 'verified' = 'true' AND o.after -> 'verified' = 'false'
      AND NOT o.before ? 'retired_at'
    """

  private static let givesBack = """
    o.entity = 'cluster' AND o.before IS NOT NULL AND o.after IS NOT NULL
      AND o.before -> 'person_id' IS DISTINCT FROM o.after -> 'person_id'
    """

  /// Persons and clusters that are needed and that an undo removed.
  private static let gone = """
    SELECT w.entity, w.row_id, 'gone', NULL FROM (
      SELECT entity, row_id FROM own WHERE entity IN ('person', 'cluster') AND after IS NOT NULL
      UNION
      SELECT 'person', (before ->> 'person_id')::bigint FROM own
      WHERE entity = 'cluster' OR entity = 'prohibition' AND after IS NULL
      UNION
      SELECT 'cluster', (o.before ->> 'cluster_id')::bigint FROM own o
      JOIN person_detection d ON d.collection_id = $1 AND d.id = CASE o.entity
        WHEN 'detection' THEN o.row_id ELSE (o.before ->> 'detection_id')::bigint END
      WHERE o.entity = 'detection' AND \(isByHand("o.before"))
          AND NOT \(isLeftAlone("to_jsonb(d)", "o.before", "o.after"))
        OR o.entity IN ('prohibition', 'candidate') AND o.after IS NULL
    ) w
    WHERE w.row_id IS NOT NULL
      AND NOT EXISTS (SELECT FROM own o
        WHERE o.entity = w.entity AND o.row_id = w.row_id AND o.after IS NULL)
      AND CASE w.entity
        WHEN 'person' THEN NOT EXISTS (SELECT FROM person t
          WHERE t.collection_id = $1 AND t.id = w.row_id)
        ELSE NOT EXISTS (SELECT FROM cluster t
          WHERE t.collection_id = $1 AND t.id = w.row_id) END
    """
}
