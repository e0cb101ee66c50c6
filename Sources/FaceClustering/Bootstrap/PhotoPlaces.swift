internal import Store

/// Which people a bootstrap placed faces of in the photos of faces that it did not place.
struct PhotoPlaces {
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

  private var taken: Set<Place> = []

  /// - Parameters:
  ///   - slotOfFace: where the faces are that were placed by now.
  ///   - person: whom a slot is of.
  init(_ input: BootstrapInput, slotOfFace: [Int64: Int], person: (_ slot: Int) -> Person) {
    let photos = Set(input.outside.photoIDs.compactMap { $0 })
    guard input.settings.samePhotoExclusion, !photos.isEmpty else { return }
    for placed in [input.snapshot, input.leftOut] {
      for (row, photo) in placed.photoIDs.enumerated() {
        guard let photo, photos.contains(photo), let slot = slotOfFace[placed.ids[row]] else {
          continue
        }
        taken.insert(Place(person: person(slot), photo: photo))
      }
    }
  }

  /// Whether a face of this photo was placed with this person.
  func isTaken(_ photo: Int64?, by person: Person) -> Bool {
    photo.map { taken.contains(Place(person: person, photo: $0)) } ?? false
  }
}
