internal import CKernels
internal import Vectors

/// What is subtracted from rows before they are rounded.
///
/// Rounding errors of products grow with norms, so rows are moved near the origin. The centre only
/// decides how tight screening is, never what is exact. It is the interquartile mean of a sample in
/// each column: a far outlier, which would drag a mean along, leaves it where the rows are.
struct CentredFrame: Sendable {
  let centre: [Double]

  /// Most rows that the centre is computed from.
  private static let sampleSize = 255

  /// - Complexity: O(d).
  init<Scalar: ExactScalar>(_ rows: DistinctRows<Scalar>, threads: Int) {
    let columns = rows.columns
    let count = rows.count
    var centre = [Double](repeating: 0, count: columns)
    let samples = min(count, Self.sampleSize)
    // The weight goes first: a sum of large values could overflow.
    let middle = (samples / 4)..<(samples - samples / 4)
    let weight = 1 / Double(middle.count)
    let lanes = Int(KERNEL_SORTED_LANES)
    centre.withUnsafeMutableBufferPointer { centre in
      let target = centre
      parallelForChunks(columns, chunk: lanes, threads: threads) { chunk in
        let values = Matrix<Double>(rows: samples, columns: lanes) { values, stride in
          for sample in 0..<samples {
            let row = rows.row(sample * count / samples)
            for column in chunk {
              values[sample * stride + column - chunk.lowerBound] = Double(row[column])
            }
          }
          kernel_sort_columns(values, samples)
        }
        for column in chunk {
          target[column] = middle.reduce(0) {
            $0 + values.row($1)[column - chunk.lowerBound] * weight
          }
        }
      }
    }
    self.centre = centre
  }

  /// The power of two that brings the values of centred rows near 1.
  ///
  /// - Complexity: O(n · d).
  func scale<Scalar: ExactScalar>(of rows: DistinctRows<Scalar>, threads: Int) -> Double {
    var largest = [Double](repeating: 0, count: (rows.count + 1023) / 1024)
    largest.withUnsafeMutableBufferPointer { largest in
      let target = largest
      parallelForChunks(rows.count, chunk: 1024, threads: threads) { chunk in
        target[chunk.lowerBound / 1024] = chunk.reduce(0) { max($0, largestValue(rows.row($1))) }
      }
    }
    return powerOfTwo(above: largest.max() ?? 0)
  }

  /// As ``scale(of:threads:)``, of some of the rows.
  func sampledScale<Scalar: ExactScalar>(of rows: DistinctRows<Scalar>) -> Double {
    let samples = min(rows.count, 512)
    return powerOfTwo(
      above: (0..<samples).reduce(0) {
        max($0, largestValue(rows.row($1 * rows.count / samples)))
      })
  }

  /// The largest value of a centred row.
  func largestValue<Scalar: ExactScalar>(_ row: UnsafePointer<Scalar>) -> Double {
    centre.withUnsafeBufferPointer { centre in
      var most = 0.0
      for column in centre.indices {
        most = max(most, (Double(row[column]) - centre[column]).magnitude)
      }
      return most
    }
  }

  /// What values of a size are multiplied by; limited so that its square stays far inside the range of
  /// a double.
  func powerOfTwo(above most: Double) -> Double {
    let exponent = most > 0 ? min(max(-Int(most.exponent), -500), 500) : 0
    return Double(sign: .plus, exponent: exponent, significand: 1)
  }
}
