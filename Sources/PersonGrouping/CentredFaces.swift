internal import Vectors

/// Faces seen from the middle of the people that a collection holds.
///
/// All faces of one model and one kind of camera share a direction, which says nothing about who they
/// are. It is the mean over people, not over faces: each group counts with the square root of its
/// faces, so that nobody with many photos becomes the middle. Few people say little about a mean,
/// which is shrunk towards zero for them (James and Stein 1961).
enum CentredFaces {
  /// People (effective number) of whom half of the mean is believed.
  private static let priorPeople = 30.0

  /// Unit vectors less the mean over groups.
  ///
  /// - Parameters:
  ///   - faces: n × d unit vectors.
  ///   - groups: faces of each group, every face in one of them.
  /// - Complexity: O(n · d), memory for as many vectors.
  static func matrix(_ faces: Matrix<Float>, groups: [[Int]]) -> Matrix<Float> {
    let centre = centre(faces, groups: groups)
    return Matrix<Float>(rows: faces.rows, columns: faces.columns) { base, stride in
      var difference = [Double](repeating: 0, count: faces.columns)
      for face in 0..<faces.rows {
        let row = faces.row(face)
        var square = 0.0
        for column in difference.indices {
          difference[column] = Double(row[column]) - centre[column]
          square += difference[column] * difference[column]
        }
        // A face in the very middle has no direction but its own.
        let isMiddle = square < 1e-12
        let scale = isMiddle ? 1 : 1 / square.squareRoot()
        for column in difference.indices {
          base[face * stride + column] =
            isMiddle ? row[column] : Float(difference[column] * scale)
        }
      }
    }
  }

  /// The mean of groups, weighted by √faces and shrunk by K / (K + 30), K = (Σ√n)² / Σn.
  private static func centre(_ faces: Matrix<Float>, groups: [[Int]]) -> [Double] {
    var centre = [Double](repeating: 0, count: faces.columns)
    var total = 0.0
    for group in groups where !group.isEmpty {
      let share = 1 / Double(group.count).squareRoot()
      total += 1 / share
      for face in group {
        let row = faces.row(face)
        for column in centre.indices { centre[column] += share * Double(row[column]) }
      }
    }
    if total == 0 { return centre }
    let people = total * total / Double(faces.rows)
    let scale = people / (people + priorPeople) / total
    return centre.map { $0 * scale }
  }
}
