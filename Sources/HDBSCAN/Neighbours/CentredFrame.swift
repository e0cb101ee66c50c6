internal import Vectors

/// What is subtracted from rows, and the power of two they are multiplied by, before rounding.
///
/// Rounding errors of products grow with norms, so rows are moved near the origin. The centre only
/// decides how tight screening is, never what is exact. It is the interquartile mean of a sample in
/// each column: a far outlier, which would drag a mean along, leaves it where the rows are.
struct CentredFrame: Sendable {
  let centre: [Double]
  let scale: Double

  /// Most rows that the centre is computed from.
  private static let sampleSize = 255

  /// - Complexity: O(n · d).
  init<Scalar: ExactScalar>(_ rows: DistinctRows<Scalar>, threads: Int) {
    let columns = rows.columns
    let count = rows.count
    var centre = [Double](repeating: 0, count: columns)
    let samples = min(count, Self.sampleSize)
    centre.withUnsafeMutableBufferPointer { centre in
      let target = centre
      parallelForChunks(columns, chunk: 64, threads: threads) { chunk in
        var values = [Double](repeating: 0, count: samples)
        for column in chunk {
          for sample in 0..<samples {
            values[sample] = Double(rows.row(sample * count / samples)[column])
          }
          values.sort()
          let middle = values[(samples / 4)..<(samples - samples / 4)]
          // The weight goes first: a sum of large values could overflow.
          let weight = 1 / Double(middle.count)
          target[column] = middle.reduce(0) { $0 + $1 * weight }
        }
      }
    }
    var largest = [Double](repeating: 0, count: (count + 1023) / 1024)
    largest.withUnsafeMutableBufferPointer { largest in
      let target = largest
      centre.withUnsafeBufferPointer { centre in
        parallelForChunks(count, chunk: 1024, threads: threads) { chunk in
          var most = 0.0
          for row in chunk {
            let values = rows.row(row)
            for column in 0..<columns {
              most = max(most, (Double(values[column]) - centre[column]).magnitude)
            }
          }
          target[chunk.lowerBound / 1024] = most
        }
      }
    }
    let most = largest.max() ?? 0
    self.centre = centre
    // Limited so that the square of the scale stays far inside the range of a double.
    let exponent = most > 0 ? min(max(-Int(most.exponent), -500), 500) : 0
    scale = Double(sign: .plus, exponent: exponent, significand: 1)
  }
}
