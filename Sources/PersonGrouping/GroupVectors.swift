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

  /// - Parameter groups: faces of each group.
  init(_ faces: CentredFaces, groups: [[Int]], votes: [Double]) {
    self.faces = faces
    let vectors = faces.vectors
    owned = [UnsafeMutablePointer<Float>?](repeating: nil, count: groups.count)
    sums = groups.map { vectors.row($0[0]) }
    factors = [Double](repeating: 1, count: groups.count)
    weights = [Double](repeating: 0, count: groups.count)
    offsets = weights
    var total = [Double](repeating: 0, count: vectors.stride)
    for (group, members) in groups.enumerated() {
      let each = members.map { votes[$0] * faces.scales[$0] }
      for (face, weight) in zip(members, each) {
        weights[group] += weight
        offsets[group] += weight * faces.offsets[face]
      }
      if members.count == 1 {
        factors[group] = weights[group]
        continue
      }
      for column in total.indices { total[column] = 0 }
      vectors.add(rows: members, weights: each, to: &total)
      let sum = take()
      for column in total.indices { sum[column] = Float(total[column]) }
      owned[group] = sum
      sums[group] = UnsafePointer(sum)
    }
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
    let sum = owned[group] ?? owned[other] ?? take()
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

  private func take() -> UnsafeMutablePointer<Float> {
    let stride = faces.vectors.stride
    let sum = UnsafeMutableRawPointer.allocate(
      byteCount: stride * MemoryLayout<Float>.stride, alignment: 64
    ).bindMemory(to: Float.self, capacity: stride)
    sum.initialize(repeating: 0, count: stride)
    return sum
  }
}
