public import PostgresClient

extension CollectionRepository {
  /// The embedding model by which the demo's collection is known.
  public static let demoModel = "sface_2021dec (photodb demo)"

  /// Deletes a collection that the demo made, so that the demo can be run again.
  ///
  /// - Throws: ``StoreError/collectionMismatch(name:what:stored:given:)`` where a collection of this
  ///   name exists and was not made by the demo; it stays untouched.
  public func deleteDemo(_ name: String, on connection: isolated PostgresConnection) throws {
    guard let collection = try list(on: connection).first(where: { $0.name == name }) else {
      return
    }
    guard collection.embeddingModel == Self.demoModel else {
      throw StoreError.collectionMismatch(
        name: name, what: "faces of model", stored: "“\(collection.embeddingModel)”",
        given: "the demo, which needs this name")
    }
    try CollectionLocks(collection).ownMembership(on: connection)
    // From the leaves of the foreign keys to their roots.
    let statements =
      [
        "face_match_candidate", "cluster_person_cannot_link", "detection_constraint",
        "assignment_event", "cluster_lineage", "cluster_metric", "clustering_job", "face_embedding",
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
