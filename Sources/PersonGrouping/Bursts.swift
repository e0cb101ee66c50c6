internal import HDBSCAN
internal import Vectors

/// Faces of one shot: frames of a burst or a video, copies of a photo.
struct Bursts {
  /// Vote of each face: one burst has one vote together.
  let votes: [Double]
  /// The smallest face of each face's burst.
  let firstFace: [Int]

  /// Cosine distance within which two faces are one shot, relative to the distance of strangers.
  private static let reach = 0.1

  /// Shots that are known.
  init(votes: [Double], firstFace: [Int]) {
    self.votes = votes
    self.firstFace = firstFace
  }

  /// Every face with a vote of its own.
  init(none count: Int) {
    votes = [Double](repeating: 1, count: count)
    firstFace = Array(0..<count)
  }

  /// Joins faces along pairs that are near-identical, or that continue each other in time.
  ///
  /// Faces of one photo are not joined: they are two people, or the photo is a collage.
  init(
    _ input: GroupingInput, seen faces: CentredFaces, pairs: CandidatePairs,
    impostor: ImpostorDistribution
  ) {
    let limit = 1 - Self.reach * (1 - impostor.mean)
    var groups = FaceSets(count: input.embeddings.rows)
    for (first, second, product) in pairs {
      if faces.centred(product, first, second) < limit { continue }
      if let photo = input.photos[first], photo == input.photos[second] { continue }
      if let anchor = input.anchors[first], let other = input.anchors[second], anchor != other {
        continue
      }
      groups.unite(first, second)
    }
    if input.times.contains(where: { $0 != nil }) {
      let sure = impostor.mean + SimilarityCalibration.sure * impostor.deviation
      for (first, second) in Tracklets(faces, sure: sure).links(
        photos: input.photos, times: input.times)
      {
        if let anchor = input.anchors[first], let other = input.anchors[second], anchor != other {
          continue
        }
        groups.unite(first, second)
      }
    }
    firstFace = input.photos.indices.map { groups.find($0) }
    var sizes = [Int](repeating: 0, count: firstFace.count)
    for first in firstFace { sizes[first] += 1 }
    votes = firstFace.map { 1 / Double(sizes[$0]) }
  }
}

/// Disjoint sets whose representative is their smallest face.
struct FaceSets {
  private var parents: [Int]

  init(count: Int) { parents = Array(0..<count) }

  mutating func find(_ face: Int) -> Int {
    var root = face
    while parents[root] != root {
      parents[root] = parents[parents[root]]
      root = parents[root]
    }
    return root
  }

  mutating func unite(_ first: Int, _ second: Int) {
    let (a, b) = (find(first), find(second))
    if a < b { parents[b] = a } else { parents[a] = b }
  }
}
