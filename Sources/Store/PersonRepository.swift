public import PostgresClient

/// A person as lists show one.
public struct PersonRecord: Sendable, Equatable {
  /// Id within the collection.
  public var id: Int64
  /// Name that a human gave; nil while there is none.
  public var name: String?
  /// Whether a human hid this person from lists.
  public var hidden: Bool
  /// Clusters that live and belong to this person.
  public var clusterCount: Int
  /// Faces in those clusters.
  public var faceCount: Int
}

/// Reads and names persons.
public struct PersonRepository: Sendable {
  /// The collection that every statement is scoped to.
  public let collection: CollectionRecord

  /// A repository of one collection.
  public init(_ collection: CollectionRecord) { self.collection = collection }

  /// Persons with at least one face, most faces first.
  public func list(
    limit: Int? = nil, on connection: isolated PostgresConnection
  ) throws -> [PersonRecord] {
    try connection.query(
      """
      SELECT p.id, p.name, p.hidden, c.clusters, c.faces
      FROM (
        SELECT collection_id, person_id, count(*) AS clusters, sum(face_count)::bigint AS faces
        FROM cluster WHERE collection_id = $1 AND retired_at IS NULL AND face_count > 0
        GROUP BY collection_id, person_id
      ) c JOIN person p ON p.collection_id = c.collection_id AND p.id = c.person_id
      ORDER BY c.faces DESC, p.id LIMIT $2
      """, [.int64(collection.id), limit.map { .int64(Int64($0)) } ?? .null]
    ).map(Self.record)
  }

  private static func record(_ row: PostgresRow) throws -> PersonRecord {
    PersonRecord(
      id: try row.int64(0), name: try row.optionalText(1), hidden: try row.bool(2),
      clusterCount: Int(try row.int64(3)), faceCount: Int(try row.int64(4)))
  }

  /// How many persons have at least one face.
  public func count(on connection: isolated PostgresConnection) throws -> Int {
    Int(
      try connection.query(
        """
        SELECT count(DISTINCT person_id) FROM cluster
        WHERE collection_id = $1 AND retired_at IS NULL AND face_count > 0
        """, [.int64(collection.id)])[0].int64(0))
  }

  /// One person, with how many clusters and faces it has.
  ///
  /// - Throws: ``StoreError/unknownPerson(_:collection:)``.
  public func find(_ id: Int64, on connection: isolated PostgresConnection) throws -> PersonRecord {
    guard
      let row = try connection.query(
        """
        SELECT p.id, p.name, p.hidden, count(c.id) AS clusters,
          coalesce(sum(c.face_count), 0)::bigint AS faces
        FROM person p LEFT JOIN cluster c
          ON c.collection_id = p.collection_id AND c.person_id = p.id AND c.retired_at IS NULL
        WHERE p.collection_id = $1 AND p.id = $2 GROUP BY p.id, p.name, p.hidden
        """, [.int64(collection.id), .int64(id)]
      ).first
    else { throw StoreError.unknownPerson(id, collection: collection.name) }
    return try Self.record(row)
  }

  /// Gives a person a name, or takes it away.
  ///
  /// - Throws: ``StoreError/unknownPerson(_:collection:)``.
  public func name(
    _ id: Int64, _ name: String?, on connection: isolated PostgresConnection
  ) throws {
    let rows = try connection.query(
      "UPDATE person SET name = $3 WHERE collection_id = $1 AND id = $2 RETURNING id",
      [.int64(collection.id), .int64(id), name.map(PostgresValue.text) ?? .null])
    if rows.isEmpty { throw StoreError.unknownPerson(id, collection: collection.name) }
  }

  /// The person of a cluster.
  ///
  /// - Throws: ``StoreError/unknownCluster(_:collection:)``.
  public func person(
    ofCluster id: Int64, on connection: isolated PostgresConnection
  ) throws -> Int64 {
    guard
      let row = try connection.query(
        "SELECT person_id FROM cluster WHERE collection_id = $1 AND id = $2",
        [.int64(collection.id), .int64(id)]
      ).first
    else { throw StoreError.unknownCluster(id, collection: collection.name) }
    return try row.int64(0)
  }
}
