public import PostgresClient

/// A face that is with a person.
public struct HeldPlace: Sendable, Equatable {
  /// The face.
  public var detectionID: Int64
  /// Its photo, where that is known.
  public var photoID: Int64?
  /// The person.
  public var personID: Int64
}

extension DetectionRepository {
  /// Locks photos in ascending order of id, so that their faces are decided one after the other.
  public func lockPhotos(
    _ ids: some Collection<Int64>, on connection: isolated PostgresConnection
  ) throws {
    if ids.isEmpty { return }
    // Imports refer to photos meanwhile; only those who decide wait for each other.
    try connection.queryPrepared(
      """
      SELECT id FROM photo WHERE collection_id = $1 AND id = ANY($2) ORDER BY id FOR NO KEY UPDATE
      """, [.int64(collection.id), .int64Array(ids.sorted())])
  }

  /// Locks faces above an id that algorithms put into clusters, and that share a photo with others or
  /// were said to be different people than those.
  ///
  /// - Parameter ids: those others, all of them at most this id.
  public func lockPlaces(
    after id: Int64, photos: [Int64], linkedTo ids: [Int64],
    on connection: isolated PostgresConnection
  ) throws -> [HeldPlace] {
    try connection.query(
      """
      SELECT d.id, d.photo_id, d.person_id FROM person_detection d
      WHERE d.collection_id = $1 AND d.id > $2 AND d.cluster_id IS NOT NULL
        AND \(DetectionStatus.isReassignable("d", "$5")) AND d.id IN (
          SELECT o.id FROM person_detection o
          WHERE o.collection_id = $1 AND o.photo_id = ANY($3)
          UNION SELECT l.detection_b_id FROM detection_constraint l
          WHERE l.collection_id = $1 AND l.kind = 'cannot_link' AND l.detection_a_id = ANY($4))
      ORDER BY d.id FOR UPDATE OF d
      """,
      [
        .int64(collection.id), .int64(id), .int64Array(photos), .int64Array(ids),
        .textArray(DetectionStatus.reassignable.map(\.rawValue).sorted()),
      ]
    ).map {
      HeldPlace(
        detectionID: try $0.int64(0), photoID: try $0.optionalInt64(1),
        personID: try $0.int64(2))
    }
  }

  /// Which persons already have a face in which of these photos, with the face's id.
  public func occupants(
    photoIDs: [Int64], except undecided: UndecidedFaces,
    on connection: isolated PostgresConnection
  ) throws -> [(photoID: Int64, personID: Int64, detectionID: Int64)] {
    try connection.queryPrepared(
      """
      SELECT photo_id, person_id, id FROM person_detection
      WHERE collection_id = $1 AND photo_id = ANY($2) AND cluster_id IS NOT NULL
        AND \(UndecidedFaces.exclusion)
      """, [.int64(collection.id), .int64Array(photoIDs)] + undecided.parameters
    ).map { (try $0.int64(0), try $0.int64(1), try $0.int64(2)) }
  }
}
