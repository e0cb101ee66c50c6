internal import HDBSCAN
internal import Vectors

/// Pairs of faces whose groups are worth comparing.
struct CandidatePairs: Sequence {
  private(set) var firsts: [Int32] = []
  private(set) var seconds: [Int32] = []

  mutating func append(_ first: Int, _ second: Int) {
    firsts.append(Int32(first))
    seconds.append(Int32(second))
  }

  func makeIterator() -> AnyIterator<(Int, Int)> {
    var index = 0
    return AnyIterator {
      if index == firsts.count { return nil }
      defer { index += 1 }
      return (Int(firsts[index]), Int(seconds[index]))
    }
  }

  /// The near neighbours of every face, and the edges of the spanning tree.
  init(_ input: GroupingInput) {
    if let graph = input.neighbours, graph.perPoint > 0 {
      for (index, neighbour) in graph.indices.enumerated() where neighbour >= 0 {
        append(index / graph.perPoint, Int(neighbour))
      }
    }
    for edge in input.spanningTree { append(edge.a, edge.b) }
  }

  /// The nearest groups of every group of two faces or more, by the direction of their sums.
  ///
  /// - Parameters:
  ///   - groups: faces of each group, ascending.
  ///   - count: nearest groups of each.
  init(
    nearestGroups groups: [[Int]], of faces: Matrix<Float>, votes: [Double], count: Int,
    threads: Int
  ) throws {
    let large = groups.filter { $0.count >= 2 }
    if large.count < 2 { return }
    let centres = Matrix<Float>(rows: large.count, columns: faces.columns) { base, stride in
      var sum = [Double](repeating: 0, count: faces.columns)
      for (index, group) in large.enumerated() {
        for column in sum.indices { sum[column] = 0 }
        for face in group {
          let (row, vote) = (faces.row(face), votes[face])
          for column in sum.indices { sum[column] += vote * Double(row[column]) }
        }
        let norm = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
        for column in sum.indices where norm > 0 {
          base[index * stride + column] = Float(sum[column] / norm)
        }
      }
    }
    let graph = try nearestNeighbours(of: centres, count: count, threads: threads)
    for (index, neighbour) in graph.indices.enumerated() where neighbour >= 0 {
      append(large[index / graph.perPoint][0], large[Int(neighbour)][0])
    }
  }
}
