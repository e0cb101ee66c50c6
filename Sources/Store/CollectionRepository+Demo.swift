public import PostgresClient

extension CollectionRepository {
  /// The embedding model by which the demo's collection is known.
  public static let demoModel = "sface_2021dec (photodb demo)"

  /// The external id of one of the demo's faces.
  public static func demoID(of row: Int) -> String { "demo-\(row)" }

  /// Tries to become the one demo of this database; the session holds it until it ends.
  public func tryDemo(on connection: isolated PostgresConnection) throws -> Bool {
    // "pdb" and "demo": a place in the two-key advisory locks beside those of collections.
    try connection.query(
      "SELECT pg_try_advisory_lock($1, $2)", [.int32(0x7064_6264), .int32(0x6465_6D6F)])[0]
      .bool(0)
  }

  /// Gives back what ``tryDemo(on:)`` took.
  public func releaseDemo(on connection: isolated PostgresConnection) throws {
    try connection.query(
      "SELECT pg_advisory_unlock($1, $2)", [.int32(0x7064_6264), .int32(0x6465_6D6F)])
  }

  /// How many faces an earlier demo left in its collection; nil where there is no such collection.
  ///
  /// - Throws: ``StoreError/collectionMismatch(name:what:stored:given:)`` where a collection of this
  ///   name exists that the demo did not make, or that holds faces that it did not bring.
  public func facesOfDemo(
    _ name: String, on connection: isolated PostgresConnection
  ) throws -> Int? {
    guard let collection = try list(on: connection).first(where: { $0.name == name }) else {
      return nil
    }
    guard collection.embeddingModel == Self.demoModel else {
      throw StoreError.collectionMismatch(
        name: name, what: "faces of model", stored: "“\(collection.embeddingModel)”",
        given: "the demo, which needs this name")
    }
    let row = try connection.query(
      """
      SELECT count(*) AS faces, count(*) FILTER (WHERE external_id !~ '^demo-[0-9]+$') AS strange
      FROM person_detection WHERE collection_id = $1
      """, [.int64(collection.id)])[0]
    let strange = try row.int64("strange")
    guard strange == 0 else {
      throw StoreError.collectionMismatch(
        name: name, what: "faces that the demo did not bring:", stored: "\(strange)",
        given: "the demo, which would replace them,")
    }
    return Int(try row.int64("faces"))
  }

  /// Deletes a collection that the demo made, so that the demo can be run again.
  ///
  /// - Throws: as ``facesOfDemo(_:on:)``; a collection that is not the demo's stays untouched.
  public func deleteDemo(_ name: String, on connection: isolated PostgresConnection) throws {
    guard let collection = try list(on: connection).first(where: { $0.name == name }) else {
      return
    }
    try CollectionLocks(collection).ownMembership(on: connection)
    guard try facesOfDemo(name, on: connection) != nil else { return }
    // From the leaves of the foreign keys to their roots.
    let statements =
      [
        "face_match_candidate", "cluster_person_cannot_link", "detection_constraint",
        "assignment_event", "cluster_lineage", "cluster_metric", "clustering_job", "face_embedding",
        "human_action_change", "human_action", "hdbscan_run_state", "hdbscan_run_cluster",
        "person_association",
      ].map { "DELETE FROM \($0) WHERE collection_id = $1" }
      + [
        """
        UPDATE cluster SET medoid_detection_id = NULL, representative_detection_id = NULL
        WHERE collection_id = $1
        """
      ]
      + ["person_detection", "cluster", "hdbscan_run", "person", "photo"]
      .map { "DELETE FROM \($0) WHERE collection_id = $1" }
      + ["DELETE FROM collection WHERE id = $1"]
    for statement in statements { try connection.query(statement, [.int64(collection.id)]) }
  }
}
