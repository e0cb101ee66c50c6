public import PostgresClient

/// A cluster that a program put under a person with other clusters.
public struct PersonAssociation: Sendable, Equatable {
  /// The cluster.
  public var clusterID: Int64
  /// Its person from now on; nil where it was born with it.
  public var movesToPersonID: Int64?
  /// Evidence beyond the threshold, in impostor units.
  public var surplus: Double

  /// One cluster.
  public init(clusterID: Int64, movesToPersonID: Int64?, surplus: Double) {
    self.clusterID = clusterID
    self.movesToPersonID = movesToPersonID
    self.surplus = surplus
  }
}

/// Puts clusters under persons, and remembers where they were.
public struct PersonAssociationRepository: Sendable {
  /// The collection that every statement is scoped to.
  public let collection: CollectionRecord

  /// A repository of one collection.
  public init(_ collection: CollectionRecord) { self.collection = collection }

  /// Moves clusters and their faces, and writes one row for each, that tells how to take it back.
  public func associate(
    _ associations: [PersonAssociation], runID: Int64,
    on connection: isolated PostgresConnection
  ) throws {
    if associations.isEmpty { return }
    try connection.query(
      """
      WITH target AS MATERIALIZED (
        SELECT * FROM unnest($2::bigint[], $3::bigint[], $4::real[])
          AS t (cluster_id, person_id, surplus)
      ), old AS MATERIALIZED (
        SELECT c.collection_id, c.id, c.person_id AS before, coalesce(t.person_id, c.person_id) AS after, t.surplus,
          t.person_id IS NULL AS born
        FROM cluster c JOIN target t ON t.cluster_id = c.id WHERE c.collection_id = $1
      ), moved AS (
        UPDATE cluster c SET person_id = old.after, \(TransactionHorizon.stamp) FROM old
        WHERE c.collection_id = old.collection_id AND c.id = old.id AND c.person_id <> old.after
      ), faces AS (
        UPDATE person_detection d SET person_id = old.after FROM old
        WHERE d.collection_id = old.collection_id AND d.cluster_id = old.id
          AND d.person_id <> old.after
      )
      INSERT INTO person_association (collection_id, run_id, cluster_id, old_person_id,
        new_person_id, surplus)
      SELECT $1, $5, id, CASE WHEN NOT born THEN before END, after, surplus FROM old ORDER BY id
      """,
      [
        .int64(collection.id), .int64Array(associations.map(\.clusterID)),
        .optionalInt64Array(associations.map(\.movesToPersonID)),
        .optionalFloatArray(associations.map { Float($0.surplus) }), .int64(runID),
      ])
    // Whether a face is of the person that it now is of is no question any more.
    try connection.query(
      """
      UPDATE face_match_candidate m SET status = 'expired', decided_at = now()
      FROM person_detection d, cluster c
      WHERE m.collection_id = $1 AND m.status = 'pending'
        AND m.reason IN ('same_photo', 'verified', 'association')
        AND d.collection_id = $1 AND d.id = m.detection_id
        AND c.collection_id = $1 AND c.id = m.cluster_id AND d.person_id = c.person_id
        AND (m.cluster_id = ANY($2) OR d.cluster_id = ANY($2))
      """, [.int64(collection.id), .int64Array(associations.map(\.clusterID))])
  }
}

extension ClusterRepository {
  /// The person of each of these clusters, in their order.
  public func persons(
    of ids: [Int64], on connection: isolated PostgresConnection
  ) throws -> [Int64] {
    if ids.isEmpty { return [] }
    return try connection.query(
      """
      SELECT c.person_id FROM unnest($2::bigint[]) WITH ORDINALITY AS t (id, position)
      JOIN cluster c ON c.collection_id = $1 AND c.id = t.id ORDER BY t.position
      """, [.int64(collection.id), .int64Array(ids)]
    ).map { try $0.int64(0) }
  }
}

extension ReviewRepository {
  /// Pairs of faces that humans said are one person, ascending.
  public func mustLinks(
    on connection: isolated PostgresConnection
  ) throws -> [(Int64, Int64)] {
    try connection.query(
      """
      SELECT detection_a_id, detection_b_id FROM detection_constraint
      WHERE collection_id = $1 AND kind = 'must_link' ORDER BY 1, 2
      """, [.int64(collection.id)]
    ).map { (try $0.int64(0), try $0.int64(1)) }
  }
}
