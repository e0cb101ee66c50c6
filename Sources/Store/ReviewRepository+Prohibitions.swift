public import PostgresClient

/// What people said that forbids a cluster or a person for a face.
public struct Prohibitions: Sendable {
  /// Clusters forbidden for a detection.
  public var clusters: [Int64: Set<Int64>] = [:]
  /// Persons forbidden for a detection, those of its forbidden clusters among them.
  public var persons: [Int64: Set<Int64>] = [:]
  /// Detections that must not share a person, both ways.
  public var detections: [Int64: Set<Int64>] = [:]

  /// Nothing is forbidden.
  public init() {}
}

extension ReviewRepository {
  /// Records that two faces are, or are not, one person.
  ///
  /// - Returns: id of the row that says so.
  @discardableResult
  public func constrain(
    _ a: Int64, _ b: Int64, mustLink: Bool, actor: String?,
    on connection: isolated PostgresConnection
  ) throws -> Int64 {
    try connection.query(
      """
      INSERT INTO detection_constraint (collection_id, kind, detection_a_id, detection_b_id,
        created_by)
      VALUES ($1, $2, least($3, $4), greatest($3, $4), $5)
      ON CONFLICT (collection_id, detection_a_id, detection_b_id) DO UPDATE SET kind = $2
      RETURNING id
      """,
      [
        .int64(collection.id), .text(mustLink ? "must_link" : "cannot_link"), .int64(a), .int64(b),
        actor.map(PostgresValue.text) ?? .null,
      ]
    ).single().int64(0)
  }

  /// Takes back that a face is another person than these.
  public func unlink(
    _ id: Int64, from others: [Int64], on connection: isolated PostgresConnection
  ) throws {
    try connection.query(
      """
      DELETE FROM detection_constraint
      WHERE collection_id = $1 AND kind = 'cannot_link'
        AND (detection_a_id = $2 AND detection_b_id = ANY($3)
          OR detection_b_id = $2 AND detection_a_id = ANY($3))
      """, [.int64(collection.id), .int64(id), .int64Array(others)])
  }

  /// Takes back that faces are not of these clusters and not of these persons.
  public func allow(
    detections: [Int64], clusters: [Int64] = [], persons: [Int64],
    on connection: isolated PostgresConnection
  ) throws {
    if detections.isEmpty { return }
    let parameters: [PostgresValue] = [
      .int64(collection.id), .int64Array(detections), .int64Array(clusters), .int64Array(persons),
    ]
    try connection.query(
      """
      DELETE FROM cluster_person_cannot_link
      WHERE collection_id = $1 AND detection_id = ANY($2) AND (person_id = ANY($4)
        OR cluster_id IN (SELECT id FROM cluster
          WHERE collection_id = $1 AND (id = ANY($3) OR person_id = ANY($4))))
      """, parameters)
    try connection.query(
      """
      UPDATE face_match_candidate SET status = 'expired', decided_at = now()
      WHERE collection_id = $1 AND detection_id = ANY($2) AND status = 'rejected'
        AND cluster_id IN (SELECT id FROM cluster
          WHERE collection_id = $1 AND (id = ANY($3) OR person_id = ANY($4)))
      """, parameters)
  }

  /// Everything that is forbidden for these faces; rejected candidates count as forbidden clusters.
  ///
  /// All clusters of a person are one: who is not of one of them is of none.
  ///
  /// - Parameter ids: nil stands for every face.
  public func prohibitions(
    detections ids: [Int64]?, on connection: isolated PostgresConnection
  ) throws -> Prohibitions {
    var result = Prohibitions()
    if ids?.isEmpty ?? false { return result }
    let parameters = [.int64(collection.id)] + (ids.map { [PostgresValue.int64Array($0)] } ?? [])
    // What people forbade is little; a list of all faces would cost more than it.
    func isOne(_ column: String) -> String { ids == nil ? "true" : "\(column) = ANY($2)" }
    for row in try connection.queryPrepared(
      """
      SELECT detection_id, cluster_id, person_id, NULL::bigint FROM cluster_person_cannot_link
      WHERE collection_id = $1 AND \(isOne("detection_id"))
      UNION ALL
      SELECT l.detection_id, l.cluster_id, c.person_id, NULL FROM cluster_person_cannot_link l
      JOIN cluster c ON c.collection_id = $1 AND c.id = l.cluster_id
      WHERE l.collection_id = $1 AND \(isOne("l.detection_id"))
      UNION ALL
      SELECT m.detection_id, m.cluster_id, c.person_id, NULL FROM face_match_candidate m
      JOIN cluster c ON c.collection_id = $1 AND c.id = m.cluster_id
      WHERE m.collection_id = $1 AND \(isOne("m.detection_id")) AND m.status = 'rejected'
      UNION ALL
      SELECT detection_a_id, NULL, NULL, detection_b_id FROM detection_constraint
      WHERE collection_id = $1 AND kind = 'cannot_link'
        AND (\(isOne("detection_a_id")) OR \(isOne("detection_b_id")))
      """, parameters)
    {
      let detection = try row.int64(0)
      if let cluster = try row.optionalInt64(1) {
        result.clusters[detection, default: []].insert(cluster)
      }
      if let person = try row.optionalInt64(2) {
        result.persons[detection, default: []].insert(person)
      }
      if let other = try row.optionalInt64(3) {
        result.detections[detection, default: []].insert(other)
        result.detections[other, default: []].insert(detection)
      }
    }
    return result
  }

  /// The persons to whom these faces belong.
  public func persons(
    ofDetections ids: [Int64], except undecided: UndecidedFaces,
    on connection: isolated PostgresConnection
  ) throws -> [Int64: Int64] {
    var result: [Int64: Int64] = [:]
    if ids.isEmpty { return result }
    for row in try connection.queryPrepared(
      """
      SELECT id, person_id FROM person_detection
      WHERE collection_id = $1 AND id = ANY($2) AND cluster_id IS NOT NULL
        AND \(UndecidedFaces.exclusion)
      """, [.int64(collection.id), .int64Array(ids)] + undecided.parameters)
    {
      result[try row.int64(0)] = try row.int64(1)
    }
    return result
  }

  /// Whatever was forbidden for a cluster that a run merged into another is forbidden for that one.
  ///
  /// But for faces that are with its person by what people said: of what the run brought there nobody said anything.
  ///
  /// - Parameter heirs: clusters that the run's lineage calls dead and those that have most of their faces, which are
  ///   treated alike.
  public func inheritProhibitions(
    ofRun run: Int64, heirs: [(old: Int64, new: Int64)] = [],
    on connection: isolated PostgresConnection
  ) throws {
    try connection.query(
      """
      INSERT INTO cluster_person_cannot_link (collection_id, detection_id, cluster_id, person_id,
        created_by)
      SELECT DISTINCT $1, forbidden.detection_id, c.id, c.person_id, 'lineage'
      FROM (
        SELECT old_cluster_id, new_cluster_id FROM cluster_lineage
        WHERE collection_id = $1 AND to_run_id = $2 AND kind = 'merged'
        UNION SELECT * FROM unnest($3::bigint[], $4::bigint[])
      ) l
      JOIN (
        SELECT detection_id, cluster_id FROM cluster_person_cannot_link
        WHERE collection_id = $1 AND cluster_id IS NOT NULL
        UNION SELECT detection_id, cluster_id FROM face_match_candidate
        WHERE collection_id = $1 AND status = 'rejected'
      ) forbidden ON forbidden.cluster_id = l.old_cluster_id
      JOIN cluster c ON c.collection_id = $1 AND c.id = l.new_cluster_id
      WHERE NOT EXISTS (SELECT FROM person_detection d WHERE d.collection_id = $1
          AND d.id = forbidden.detection_id AND d.person_id = c.person_id)
      ON CONFLICT DO NOTHING
      """,
      [
        .int64(collection.id), .int64(run), .int64Array(heirs.map(\.old)),
        .int64Array(heirs.map(\.new)),
      ])
  }
}
