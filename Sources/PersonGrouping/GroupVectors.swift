internal import Vectors

/// The sum of the vectors of every group; a single face lends its row.
///
/// Sums are of the vectors as they are; what is seen from the middle c follows from a sum u with the
/// weights W in all: its sum is u − W · c.
final class GroupVectors {
  private let faces: CentredFaces
  private var sums: [UnsafePointer<Float>]
  private var owned: [UnsafeMutablePointer<Float>?]
  /// What the vector behind a group's pointer is multiplied by: 1 but for single faces.
  private var factors: [Double]
  /// Weights of each group in all, W: a vote times the scale of its face.
  private var weights: [Double]
  /// u · c of each group.
  private var offsets: [Double]

  /// - Parameters:
  ///   - groups: faces of each group, at least one.
  ///   - threads: most threads to use; the result does not depend on it.
  init(_ faces: CentredFaces, groups: [[Int]], votes: [Double], threads: Int) {
    self.faces = faces
    let parts = [Part](unsafeUninitializedCapacity: groups.count) { buffer, written in
      // Each index is written by one thread.
      nonisolated(unsafe) let target = buffer
      parallelForChunks(groups.count, chunk: 256, threads: threads) { chunk in
        var total = [Double](repeating: 0, count: faces.vectors.stride)
        for group in chunk {
          target.initializeElement(
            at: group, to: Self.part(groups[group], of: faces, votes: votes, total: &total))
        }
      }
      written = groups.count
    }
    owned = parts.map(\.sum)
    weights = parts.map(\.weight)
    offsets = parts.map(\.offset)
    factors = parts.map { $0.sum == nil ? $0.weight : 1 }
    sums = zip(parts, groups).map { part, members in
      part.sum.map { UnsafePointer($0) } ?? faces.vectors.row(members[0])
    }
  }

  /// What is kept of one group; nil as the sum stands for the row of its only face.
  private struct Part {
    var sum: UnsafeMutablePointer<Float>?
    var weight = 0.0
    var offset = 0.0
  }

  private static func part(
    _ members: [Int], of faces: CentredFaces, votes: [Double], total: inout [Double]
  ) -> Part {
    var part = Part()
    let each = members.map { votes[$0] * faces.scales[$0] }
    for (face, weight) in zip(members, each) {
      part.weight += weight
      part.offset += weight * faces.offsets[face]
    }
    if members.count == 1 { return part }
    for column in total.indices { total[column] = 0 }
    faces.vectors.add(rows: members, weights: each, to: &total)
    let sum = take(faces.vectors.stride)
    for column in total.indices { sum[column] = Float(total[column]) }
    part.sum = sum
    return part
  }

  deinit { for sum in owned { sum?.deallocate() } }

  /// Inner product of two groups' sums as they are seen.
  func product(_ first: Int, _ second: Int) -> Double {
    let plain = Float.dotProduct(sums[first], sums[second], stride: faces.vectors.stride)
    return factors[first] * factors[second] * plain - weights[first] * offsets[second]
      - weights[second] * offsets[first] + weights[first] * weights[second] * faces.centreSquare
  }

  /// Writes the sum of a group as it is seen, times a factor.
  func write(_ group: Int, times factor: Double, to target: UnsafeMutablePointer<Float>) {
    let (sum, middle) = (sums[group], faces.centre.row(0))
    let (own, away) = (Float(factor * factors[group]), Float(factor * weights[group]))
    for column in 0..<faces.vectors.columns {
      target[column] = own * sum[column] - away * middle[column]
    }
  }

  /// Adds the sum of `other`, which ends, to that of `group`.
  func merge(_ other: Int, into group: Int) {
    let sum = owned[group] ?? owned[other] ?? Self.take(faces.vectors.stride)
    let (a, b) = (sums[group], sums[other])
    let (own, added) = (Float(factors[group]), Float(factors[other]))
    for column in 0..<faces.vectors.stride { sum[column] = own * a[column] + added * b[column] }
    if owned[group] == nil, owned[other] != nil {
      owned[other] = nil
    } else if let gone = owned[other] {
      gone.deallocate()
      owned[other] = nil
    }
    owned[group] = sum
    sums[group] = UnsafePointer(sum)
    factors[group] = 1
    weights[group] += weights[other]
    offsets[group] += offsets[other]
  }

  private static func take(_ stride: Int) -> UnsafeMutablePointer<Float> {
    let sum = UnsafeMutableRawPointer.allocate(
      byteCount: stride * MemoryLayout<Float>.stride, alignment: 64
    ).bindMemory(to: Float.self, capacity: stride)
    sum.initialize(repeating: 0, count: stride)
    return sum
  }
}
