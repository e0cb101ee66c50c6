internal import Vectors

/// Faces seen from the middle of the people that a collection holds.
///
/// All faces of one model and one kind of camera share a direction, which says nothing about who they
/// are. It is the mean over people, not over faces: each group counts with the square root of its
/// faces, so that nobody with many photos becomes the middle. Few people say little about a mean,
/// which is shrunk towards zero for them (James and Stein 1961).
///
/// A face v is seen as (v − c)/|v − c|. Nothing is copied: with v·c kept for every face, products of
/// what is seen follow from those of the vectors, (v − c)·(w − c) = v·w − v·c − w·c + c·c.
struct CentredFaces {
  /// n × d unit vectors.
  let vectors: Matrix<Float>
  /// Where they are seen from, c, as the only row; zero for faces as they are.
  let centre: Matrix<Float>
  /// c · c.
  let centreSquare: Double
  /// v · c of each face.
  let offsets: [Double]
  /// 1/|v − c| of each face.
  let scales: [Double]

  /// People (effective number) of whom half of the mean is believed.
  private static let priorPeople = 30.0

  /// Faces as they are.
  init(plain vectors: Matrix<Float>) {
    self.vectors = vectors
    centre = Matrix<Float>(rows: 1, columns: vectors.columns) { _, _ in }
    centreSquare = 0
    offsets = [Double](repeating: 0, count: vectors.rows)
    scales = [Double](repeating: 1, count: vectors.rows)
  }

  /// Faces seen from the mean over groups.
  ///
  /// - Parameters:
  ///   - vectors: n × d unit vectors.
  ///   - groups: faces of each group, every face in one of them.
  ///   - threads: most threads to use; the result does not depend on it.
  /// - Complexity: O(n · d); memory O(n).
  init(_ vectors: Matrix<Float>, groups: [[Int]], threads: Int) {
    let mean = Self.mean(vectors, groups: groups)
    let centre = Matrix<Float>(rows: 1, columns: vectors.columns) { base, _ in
      for column in mean.indices { base[column] = Float(mean[column]) }
    }
    let square = centre.dotProduct(0, 0)
    let offsets = [Double](unsafeUninitializedCapacity: vectors.rows) { buffer, written in
      // Each index is written by one thread.
      nonisolated(unsafe) let target = buffer
      parallelForChunks(vectors.rows, chunk: 1_024, threads: threads) { chunk in
        for face in chunk { target[face] = vectors.dotProduct(face, 0, of: centre) }
      }
      written = vectors.rows
    }
    self.vectors = vectors
    self.centre = centre
    self.offsets = offsets
    centreSquare = square
    // A face in the very middle has no direction: it is seen as next to nothing.
    scales = offsets.map { 1 / max(1 - 2 * $0 + square, 1e-12).squareRoot() }
  }

  /// Inner product of two faces as they are seen.
  func dotProduct(_ first: Int, _ second: Int) -> Double {
    centred(vectors.dotProduct(first, second), first, second)
  }

  /// The same, of two faces whose vectors have a known inner product.
  func centred(_ product: Double, _ first: Int, _ second: Int) -> Double {
    (product - offsets[first] - offsets[second] + centreSquare) * scales[first] * scales[second]
  }

  /// The sum of some faces as they are seen, each with its vote.
  func sum(_ faces: [Int], votes: [Double]) -> [Double] {
    let weights = faces.map { votes[$0] * scales[$0] }
    var sum = [Double](repeating: 0, count: vectors.stride)
    vectors.add(rows: faces, weights: weights, to: &sum)
    centre.add(row: 0, weight: -weights.reduce(0, +), to: &sum)
    sum.removeLast(vectors.stride - vectors.columns)
    return sum
  }

  /// The mean of groups, weighted by √faces and shrunk by K / (K + 30), K = (Σ√n)² / Σn.
  private static func mean(_ faces: Matrix<Float>, groups: [[Int]]) -> [Double] {
    var mean = [Double](repeating: 0, count: faces.stride)
    var total = 0.0
    for group in groups where !group.isEmpty {
      let share = 1 / Double(group.count).squareRoot()
      total += 1 / share
      faces.add(
        rows: group, weights: [Double](repeating: share, count: group.count), to: &mean)
    }
    mean.removeLast(faces.stride - faces.columns)
    if total == 0 { return mean }
    let people = total * total / Double(faces.rows)
    let scale = people / (people + priorPeople) / total
    return mean.map { $0 * scale }
  }
}
