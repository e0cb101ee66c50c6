internal import Vectors

/// The sum of the vectors of every group; a single face lends its row.
final class GroupVectors {
  private let faces: Matrix<Float>
  private var sums: [UnsafePointer<Float>]
  private var owned: [UnsafeMutablePointer<Float>?]

  /// - Parameter groups: faces of each group.
  init(_ faces: Matrix<Float>, groups: [[Int]], votes: [Double]) {
    self.faces = faces
    owned = [UnsafeMutablePointer<Float>?](repeating: nil, count: groups.count)
    sums = groups.map { faces.row($0[0]) }
    var total = [Double](repeating: 0, count: faces.columns)
    for (group, members) in groups.enumerated() where members.count > 1 {
      for column in total.indices { total[column] = 0 }
      for face in members {
        let (row, vote) = (faces.row(face), votes[face])
        for column in total.indices { total[column] += vote * Double(row[column]) }
      }
      let sum = take()
      for column in total.indices { sum[column] = Float(total[column]) }
      owned[group] = sum
      sums[group] = UnsafePointer(sum)
    }
  }

  deinit { for sum in owned { sum?.deallocate() } }

  /// Inner product of two groups' sums.
  func product(_ first: Int, _ second: Int) -> Double {
    Float.dotProduct(sums[first], sums[second], stride: faces.stride)
  }

  /// Adds the sum of `other`, which ends, to that of `group`.
  func merge(_ other: Int, into group: Int) {
    let sum = owned[group] ?? owned[other] ?? take()
    let (a, b) = (sums[group], sums[other])
    for column in 0..<faces.stride { sum[column] = a[column] + b[column] }
    if owned[group] == nil, owned[other] != nil {
      owned[other] = nil
    } else if let gone = owned[other] {
      gone.deallocate()
      owned[other] = nil
    }
    owned[group] = sum
    sums[group] = UnsafePointer(sum)
  }

  private func take() -> UnsafeMutablePointer<Float> {
    let bytes = faces.stride * MemoryLayout<Float>.stride
    let sum = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
      .bindMemory(to: Float.self, capacity: faces.stride)
    sum.initialize(repeating: 0, count: faces.stride)
    return sum
  }
}
