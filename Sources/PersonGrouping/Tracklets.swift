internal import Vectors

/// Faces that are one shot by the times of their photos: frames of a burst or of a video.
///
/// Photos that follow each other within two seconds are one sequence. A face continues the face of the
/// photo before that it is most like, where each is most like the other, as long as their similarity does not drop
/// below what is usual in this sequence: three deviations (by the median deviation) below the
/// median of its links. A link is only what would be sure in any collection, so two people who are
/// seen one after the other are not one shot.
struct Tracklets {
  private let faces: CentredFaces
  /// Similarity from which two faces are surely one person.
  private let sure: Double

  /// Longest time between two photos of one sequence, in seconds.
  private static let longestGap = 2.0

  init(_ faces: CentredFaces, sure: Double) {
    self.faces = faces
    self.sure = sure
  }

  private struct Frame {
    var time: Double
    var photo: Int64
    var faces: [Int]
  }

  private struct Link {
    var first: Int
    var second: Int
    var similarity: Double
  }

  /// Pairs of faces of which the second continues the first.
  ///
  /// - Parameters:
  ///   - photos: photo of each face; faces without one are left out.
  ///   - times: when each face's photo was taken, in seconds; the same.
  /// - Complexity: O(n · f · d) with f faces in a photo.
  func links(photos: [Int64?], times: [Double?]) -> [(Int, Int)] {
    var result: [(Int, Int)] = []
    var sequence: [Link] = []
    var before: Frame?
    for frame in Self.frames(photos: photos, times: times) {
      if let before, frame.time - before.time <= Self.longestGap {
        sequence += links(before, frame)
      } else {
        result += usual(sequence)
        sequence = []
      }
      before = frame
    }
    return result + usual(sequence)
  }

  /// Photos with their faces, by time.
  private static func frames(photos: [Int64?], times: [Double?]) -> [Frame] {
    var frames: [Int64: Frame] = [:]
    for (face, photo) in photos.enumerated() {
      guard let photo, let time = times[face] else { continue }
      frames[photo, default: Frame(time: time, photo: photo, faces: [])].faces.append(face)
    }
    return frames.values.sorted { ($0.time, $0.photo) < ($1.time, $1.photo) }
  }

  /// Faces of two photos that are surely one person, and each most like the other.
  private func links(_ before: Frame, _ after: Frame) -> [Link] {
    func nearest(_ face: Int, among others: [Int]) -> Link? {
      others.map { Link(first: face, second: $0, similarity: faces.dotProduct(face, $0)) }
        .max { ($0.similarity, $1.second) < ($1.similarity, $0.second) }
    }
    return before.faces.compactMap { face in
      guard let link = nearest(face, among: after.faces), link.similarity >= sure,
        nearest(link.second, among: before.faces)?.second == face
      else { return nil }
      return link
    }
  }

  /// The links of one sequence that are no drop.
  private func usual(_ links: [Link]) -> [(Int, Int)] {
    guard !links.isEmpty else { return [] }
    let median = Self.median(links.map(\.similarity))
    let deviation = 1.4826 * Self.median(links.map { abs($0.similarity - median) })
    return links.filter { $0.similarity >= median - 3 * deviation - 1e-6 }
      .map { ($0.first, $0.second) }
  }

  private static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}
