internal import Vectors

/// Finds for every group of two faces or more the groups that are most like it.
///
/// Products of blocks find them, whose last bits depend on the processor; they only propose pairs, which the
/// exact products of ``GroupVectors`` decide.
struct NearestGroups {
  /// Nearest groups of each.
  private static let count = 8
  private static let tile = 256

  private struct Found {
    var group: Int32
    var similarity: Float
  }

  /// Pairs of rows of `means`, each among the nearest of one of its ends.
  ///
  /// - Parameters:
  ///   - means: mean vector of each group.
  ///   - least: mean similarity below which a pair is not worth comparing.
  ///   - threads: most threads to use; the result does not depend on it.
  /// - Complexity: O(c² · d) in matrix products for c groups; memory O(c · d).
  static func pairs(_ means: Matrix<Float>, least: Float, threads: Int) -> [(Int, Int)] {
    let tiles = (means.rows + tile - 1) / tile
    var nearest = [[Found]](repeating: [], count: means.rows)
    for row in 0..<tiles {
      // One strip of the upper triangle at a time bounds what is kept.
      var found = [[(first: Int, second: Int, similarity: Float)]](
        repeating: [], count: tiles - row)
      found.withUnsafeMutableBufferPointer { buffer in
        // Each index is written by one thread.
        nonisolated(unsafe) let target = buffer
        parallelFor(tiles - row, threads: threads) { index in
          target[index] = similar(means, row, row + index, least: least)
        }
      }
      for (first, second, similarity) in found.joined() {
        insert(Found(group: Int32(second), similarity: similarity), into: &nearest[first])
        insert(Found(group: Int32(first), similarity: similarity), into: &nearest[second])
      }
    }
    return nearest.enumerated().flatMap { group, others in
      others.filter { other in
        // A pair that both ends name is one pair.
        other.group > group || !nearest[Int(other.group)].contains { Int($0.group) == group }
      }.map { (group, Int($0.group)) }
    }
  }

  private static func similar(
    _ means: Matrix<Float>, _ row: Int, _ column: Int, least: Float
  ) -> [(first: Int, second: Int, similarity: Float)] {
    let rows = row * tile..<min((row + 1) * tile, means.rows)
    let columns = column * tile..<min((column + 1) * tile, means.rows)
    var result: [(first: Int, second: Int, similarity: Float)] = []
    withUnsafeTemporaryAllocation(of: Float.self, capacity: rows.count * columns.count) { buffer in
      guard let products = buffer.baseAddress else { return }
      BlockProducts.multiply(
        means, rows: rows, by: means, columns: columns, into: products, stride: columns.count)
      for first in rows {
        let line = products + (first - rows.lowerBound) * columns.count - columns.lowerBound
        for second in max(columns.lowerBound, first + 1)..<max(columns.upperBound, first + 1)
        where line[second] >= least {
          result.append((first, second, line[second]))
        }
      }
    }
    return result
  }

  private static func insert(_ found: Found, into nearest: inout [Found]) {
    if nearest.count == count, let last = nearest.last, last.similarity >= found.similarity {
      return
    }
    let place = nearest.firstIndex { $0.similarity < found.similarity } ?? nearest.count
    nearest.insert(found, at: place)
    if nearest.count > count { nearest.removeLast() }
  }
}
