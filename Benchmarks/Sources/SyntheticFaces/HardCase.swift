public import Vectors

/// Data on which screening by coarse products, or a tree of distances, has a hard time.
public struct HardCase: Sendable {
  /// What is hard about it.
  public let name: String
  /// Makes the rows.
  public let rows: @Sendable () -> Matrix<Float>

  /// All of them.
  public static var all: [HardCase] {
    [
      HardCase(name: "a blob of cosine 0.99, 10000 × 512") {
        normalRows(10_000, 512) { centre, noise, _ in centre + 0.1005 * noise }
      },
      HardCase(name: "5000 copies among 10000 × 128") {
        let faces = SyntheticFaces(count: 5_000, dimensions: 128).embeddings
        return faces.selecting(rows: Array(0..<5_000) + [Int](repeating: 7, count: 5_000))
      },
      HardCase(name: "2000 × 10 copies, 20000 × 128") {
        let faces = SyntheticFaces(count: 2_000, dimensions: 128).embeddings
        return faces.selecting(rows: (0..<20_000).map { $0 % 2_000 })
      },
      HardCase(name: "one person, 20000 × 128") {
        normalRows(20_000, 128) { centre, noise, _ in centre + 0.7 * noise }
      },
      HardCase(name: "pure noise, 10000 × 512") {
        normalRows(10_000, 512) { _, noise, _ in noise }
      },
      HardCase(name: "4 intrinsic dimensions, 10000 × 512") { flatRows(10_000, 512, intrinsic: 4) },
      HardCase(name: "norms 20…26 and an offset of 100, 10000 × 128") {
        let faces = SyntheticFaces(count: 10_000, dimensions: 128).embeddings
        return Matrix(rows: faces.rows, columns: faces.columns) { storage, stride in
          for row in 0..<faces.rows {
            for column in 0..<faces.columns {
              storage[row * stride + column] = faces.row(row)[column] * Float(20 + row % 7) + 100
            }
          }
        }
      },
    ]
      + [2, 8, 32, 128, 512, 2_048].map { dimensions in
        HardCase(name: "faces of d = \(dimensions), 5000 rows") {
          SyntheticFaces(count: 5_000, dimensions: dimensions).embeddings
        }
      }
  }
}

/// Rows made value by value from a unit centre and unit noise, both isotropic, then normalised.
private func normalRows(
  _ count: Int, _ dimensions: Int, _ value: (Double, Double, Int) -> Double
) -> Matrix<Float> {
  var random = RandomNumbers(seed: 3)
  let centre = unit((0..<dimensions).map { _ in random.normal() })
  return Matrix(rows: count, columns: dimensions) { storage, stride in
    for row in 0..<count {
      let noise = unit((0..<dimensions).map { _ in random.normal() })
      let values = unit((0..<dimensions).map { value(centre[$0], noise[$0], row) })
      for column in 0..<dimensions { storage[row * stride + column] = Float(values[column]) }
    }
  }
}

/// Unit rows on a subspace of few dimensions.
private func flatRows(_ count: Int, _ dimensions: Int, intrinsic: Int) -> Matrix<Float> {
  var random = RandomNumbers(seed: 4)
  let basis = (0..<intrinsic).map { _ in unit((0..<dimensions).map { _ in random.normal() }) }
  return Matrix(rows: count, columns: dimensions) { storage, stride in
    for row in 0..<count {
      let weights = basis.map { _ in random.normal() }
      let values = unit(
        (0..<dimensions).map { column in
          zip(weights, basis).reduce(0) { $0 + $1.0 * $1.1[column] }
        })
      for column in 0..<dimensions { storage[row * stride + column] = Float(values[column]) }
    }
  }
}

private func unit(_ vector: [Double]) -> [Double] {
  let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
  return vector.map { $0 / norm }
}
