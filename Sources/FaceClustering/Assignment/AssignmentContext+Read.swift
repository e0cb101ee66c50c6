internal import PostgresClient
internal import Store
internal import Vectors

extension AssignmentContext {
  /// Reads what the decision about faces depends on, behind the locks that all who decide take.
  ///
  /// - Parameters:
  ///   - ids: faces to decide about, locked by the caller: nothing can be said about them until the
  ///     transaction ends.
  ///   - photos: the photos they are in.
  ///   - undecided: faces that do not hold their places.
  ///   - models: where clusters are kept between batches; nil reads them all.
  static func read(
    deciding ids: [Int64], photos: Set<Int64>, except undecided: UndecidedFaces,
    of collection: CollectionRecord, settings: StageSettings, models: ModelCache? = nil,
    on connection: isolated PostgresConnection
  ) throws -> AssignmentContext {
    let review = ReviewRepository(collection)
    let prohibitions = try review.prohibitions(detections: ids, on: connection)
    // Both halves of every cannot-link are keys.
    let linked = prohibitions.detections.keys.sorted()
    // Whoever decides about linked faces, or about other faces of these photos, comes before or
    // after: what is read from here on is what holds at the commit.
    if !linked.isEmpty { try CollectionLocks(collection).ownLinks(on: connection) }
    let detections = DetectionRepository(collection)
    if settings.samePhotoExclusion { try detections.lockPhotos(photos, on: connection) }
    // Clusters first: the faces of every cluster that is seen here are seen below, too.
    let kept = try models?.clusters(of: collection, on: connection)
    let clusters = try kept?.known.live ?? ClusterRepository(collection).live(on: connection)
    var occupants: [Int64: [Int64: Set<Int64>]] = [:]
    if settings.samePhotoExclusion {
      for occupant in try detections.occupants(
        photoIDs: photos.sorted(), except: undecided, on: connection)
      {
        occupants[occupant.photoID, default: [:]][occupant.personID, default: []]
          .insert(occupant.detectionID)
      }
    }
    return AssignmentContext(
      settings: settings, evidence: try EvidenceGates.inForce(collection, settings, on: connection),
      clusters: clusters, screen: kept?.screen.screen, prohibitions: prohibitions,
      personOfLinked: try review.persons(ofDetections: linked, except: undecided, on: connection),
      occupants: occupants)
  }

  /// The distance within which each cluster may take a face.
  var radii: [Double] {
    evidence?.radii(clusters)
      ?? clusters.epsilons.map { ($0 ?? settings.clusteringThreshold).value }
  }
}
