internal import PostgresClient
internal import Store

/// Faces that give way while everything is decided again.
///
/// A face of a later batch does not hold its old place against one that is decided now. Where both
/// cannot be with one person, its old place goes in the same transaction: should the process end
/// before its turn, it is new, and no two faces of one photo are with one person.
struct DisplacedFaces {
  private let places: [HeldPlace]

  /// Locks the faces of later batches that may have to give way.
  ///
  /// Call it before anything but the faces of the batch is locked.
  ///
  /// - Parameter faces: the batch, by id.
  init(
    after faces: FaceSnapshot, of collection: CollectionRecord,
    on connection: isolated PostgresConnection
  ) throws {
    places = try DetectionRepository(collection).lockPlaces(
      after: faces.ids.last ?? 0, photos: Set(faces.photoIDs.compactMap { $0 }).sorted(),
      linkedTo: faces.ids, on: connection)
  }

  /// No face: nothing is decided twice.
  init() { places = [] }

  /// Those that must give way, by id.
  func displaced(
    by outcomes: [(row: Int, outcome: AssignmentOutcome)], of faces: FaceSnapshot,
    context: AssignmentContext
  ) -> [Int64] {
    if places.isEmpty { return [] }
    var takers: [Int64: [Int]] = [:]
    for (row, outcome) in outcomes {
      if case .assigned(let cluster, _, _, _) = outcome {
        takers[context.clusters.personIDs[cluster], default: []].append(row)
      }
    }
    return places.filter { place in
      (takers[place.personID] ?? []).contains { row in
        context.settings.samePhotoExclusion && place.photoID != nil
          && place.photoID == faces.photoIDs[row]
          || context.prohibitions.detections[faces.ids[row]]?.contains(place.detectionID) ?? false
      }
    }.map(\.detectionID)
  }
}
