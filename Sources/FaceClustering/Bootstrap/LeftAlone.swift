internal import Store

/// Faces that were grouped beside the fit and left alone, and who has their places in photos.
///
/// Such a face stays where it was; but where another face of its photo came to the same person, one of the two
/// is wrong, and the grouping said which.
struct LeftAlone {
  /// Whom a planned cluster is of.
  enum Person: Hashable {
    /// One of the people that the grouping found.
    case found(Int)
    /// The person of a cluster that it did not find.
    case known(Int64)
  }

  private struct Place: Hashable {
    var person: Person
    var photo: Int64
  }

  private var faces: Set<Int64> = []
  private var photoOfFace: [Int64: Int64] = [:]
  private var taken: Set<Place> = []

  /// - Parameters:
  ///   - slotOfFace: where the faces are that were placed by now.
  ///   - person: whom a slot is of.
  init(_ input: BootstrapInput, slotOfFace: [Int64: Int], person: (_ slot: Int) -> Person) {
    for (row, label) in input.found.leftOutLabels.enumerated() where label < 0 {
      faces.insert(input.leftOut.ids[row])
      photoOfFace[input.leftOut.ids[row]] = input.leftOut.photoIDs[row]
    }
    guard input.settings.samePhotoExclusion, !photoOfFace.isEmpty else { return }
    let photos = Set(photoOfFace.values)
    for placed in [input.snapshot, input.leftOut] {
      for (row, photo) in placed.photoIDs.enumerated() {
        guard let photo, photos.contains(photo), let slot = slotOfFace[placed.ids[row]] else {
          continue
        }
        taken.insert(Place(person: person(slot), photo: photo))
      }
    }
  }

  /// Whether a face was left alone.
  func contains(_ face: Int64) -> Bool { faces.contains(face) }

  /// Whether another face of its photo was placed with this person.
  func losesItsPlace(_ face: Int64, as person: Person) -> Bool {
    photoOfFace[face].map { taken.contains(Place(person: person, photo: $0)) } ?? false
  }
}
