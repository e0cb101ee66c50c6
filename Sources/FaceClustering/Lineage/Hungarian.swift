/// One-to-one matching of greatest total score between the rows and columns of a small matrix.
///
/// The Hungarian method with potentials (Kuhn 1955, doi:10.1002/nav.3800020109; the O(n³) form of
/// Jonker and Volgenant 1987, doi:10.1007/BF02278710).
enum Hungarian {
  /// Column matched with each row, or nil.
  ///
  /// - Parameter scores: rows × columns, finite and not negative; a pair of score 0 is never matched.
  /// - Complexity: O(min(r, c)² · max(r, c)).
  static func match(_ scores: [[Double]]) -> [Int?] {
    let rows = scores.count
    let columns = scores.first?.count ?? 0
    if rows == 0 || columns == 0 { return Array(repeating: nil, count: rows) }
    if rows > columns {
      let transposed = (0..<columns).map { column in scores.map { $0[column] } }
      var result = [Int?](repeating: nil, count: rows)
      for (column, row) in match(transposed).enumerated() {
        if let row { result[row] = column }
      }
      return result
    }
    // Columns are counted from 1; column 0 is where a row enters.
    var rowPotential = [Double](repeating: 0, count: rows + 1)
    var columnPotential = [Double](repeating: 0, count: columns + 1)
    var rowOfColumn = [Int](repeating: 0, count: columns + 1)
    for row in 1...rows {
      var previous = [Int](repeating: 0, count: columns + 1)
      var slack = [Double](repeating: .infinity, count: columns + 1)
      var visited = [Bool](repeating: false, count: columns + 1)
      rowOfColumn[0] = row
      var column = 0
      repeat {
        visited[column] = true
        let current = rowOfColumn[column]
        var delta = Double.infinity
        var next = 0
        for candidate in 1...columns where !visited[candidate] {
          let cost =
            -scores[current - 1][candidate - 1] - rowPotential[current]
            - columnPotential[candidate]
          if cost < slack[candidate] {
            slack[candidate] = cost
            previous[candidate] = column
          }
          if slack[candidate] < delta {
            delta = slack[candidate]
            next = candidate
          }
        }
        for index in 0...columns {
          if visited[index] {
            rowPotential[rowOfColumn[index]] += delta
            columnPotential[index] -= delta
          } else {
            slack[index] -= delta
          }
        }
        column = next
      } while rowOfColumn[column] != 0
      while column != 0 {
        let before = previous[column]
        rowOfColumn[column] = rowOfColumn[before]
        column = before
      }
    }
    var result = [Int?](repeating: nil, count: rows)
    for column in 1...columns {
      let row = rowOfColumn[column]
      if row > 0, scores[row - 1][column - 1] > 0 { result[row - 1] = column - 1 }
    }
    return result
  }
}
