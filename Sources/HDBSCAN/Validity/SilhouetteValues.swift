internal import Glibc
internal import Vectors

/// Silhouettes of single points, from blocks of products.
struct SilhouetteValues {
  /// Rows and columns of a block: fixed, so that sums do not depend on threads.
  private static let blockRows = 64
  private static let blockColumns = 1024

  private let ranges: [Range<Int>]
  /// Rows less their mean, which lowers the rounding of products.
  private let centred: Matrix<Double>
  private let squares: [Double]

  init(_ data: LabelledRows) {
    ranges = data.ranges
    let mean = data.means().ofAll
    let rows = data.rows
    let centred = Matrix<Double>(rows: rows.rows, columns: rows.columns) { storage, stride in
      for row in 0..<rows.rows {
        let values = rows.row(row)
        for column in mean.indices {
          storage[row * stride + column] = values[column] - mean[column]
        }
      }
    }
    self.centred = centred
    squares = (0..<centred.rows).map { centred.dotProduct($0, $0) }
  }

  /// The silhouettes at some places, in that order.
  ///
  /// - Complexity: O(places · n · d).
  func values(at places: [Int], threads: Int) -> [Double] {
    [Double](unsafeUninitializedCapacity: places.count) { buffer, count in
      buffer.initialize(repeating: 0)
      // Every index is written by exactly one chunk.
      nonisolated(unsafe) let results = buffer
      parallelForChunks(places.count, chunk: Self.blockRows, threads: threads) { chunk in
        let block = Array(places[chunk])
        let sums = distanceSums(of: block)
        for (index, place) in block.enumerated() {
          results[chunk.lowerBound + index] = silhouette(
            of: place, sums: sums[index * ranges.count..<(index + 1) * ranges.count])
        }
      }
      count = places.count
    }
  }

  /// Sum of the distances of each place to the rows of each cluster, places by clusters.
  private func distanceSums(of places: [Int]) -> [Double] {
    let block = centred.selecting(rows: places)
    var sums = [Double](repeating: 0, count: places.count * ranges.count)
    withUnsafeTemporaryAllocation(
      of: Double.self, capacity: places.count * Self.blockColumns
    ) { products in
      guard let base = products.baseAddress else { return }
      for (cluster, range) in ranges.enumerated() {
        for first in stride(from: range.lowerBound, to: range.upperBound, by: Self.blockColumns) {
          let columns = first..<min(first + Self.blockColumns, range.upperBound)
          BlockProducts.multiply(
            block, rows: 0..<places.count, by: centred, columns: columns, into: base,
            stride: Self.blockColumns)
          for (index, place) in places.enumerated() {
            let row = base + index * Self.blockColumns - first
            var sum = 0.0
            for column in columns where column != place {
              // Rounding makes the square of a tiny distance negative.
              sum += max(squares[place] + squares[column] - 2 * row[column], 0).squareRoot()
            }
            sums[index * ranges.count + cluster] += sum
          }
        }
      }
    }
    return sums
  }

  private func silhouette(of place: Int, sums: ArraySlice<Double>) -> Double {
    let own = ranges.partitioningIndex { $0.upperBound > place }
    if ranges[own].count == 1 { return 0 }
    var nearest = Double.infinity
    for (cluster, sum) in sums.enumerated() where cluster != own {
      nearest = min(nearest, sum / Double(ranges[cluster].count))
    }
    let inner = sums[sums.startIndex + own] / Double(ranges[own].count - 1)
    let larger = max(inner, nearest)
    return larger > 0 ? (nearest - inner) / larger : 0
  }
}
