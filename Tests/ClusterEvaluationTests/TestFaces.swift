import Vectors

/// Unit vectors of `people` people, some faces near their person's centre and some far.
func makeFaces(
  count: Int, people: Int, dimensions: Int, spread: Double, seed: UInt64
) throws -> (vectors: Matrix<Float>, identities: [Int]) {
  var random = SplitMix64(state: seed)
  func vector() -> [Double] {
    (0..<dimensions).map { _ in Double.random(in: -1...1, using: &random) }
  }
  let centers = (0..<people).map { _ in vector() }
  let identities = (0..<count).map { _ in Int.random(in: 0..<people, using: &random) }
  let rows = identities.map { person in
    zip(centers[person], vector()).map { Float($0 + spread * $1) }
  }
  return (try Matrix(rows).normalised(), identities)
}

/// 1 − cosine of all pairs, in float64.
func cosineDistances(_ vectors: Matrix<Float>) -> [[Double]] {
  (0..<vectors.rows).map { row in
    (0..<vectors.rows).map { 1 - vectors.dotProduct(row, $0) }
  }
}

/// Whether two labellings group alike; −1 stands for a group of one.
func sameGroups(_ first: [Int], _ second: [Int]) -> Bool {
  func numbered(_ labels: [Int]) -> [Int] {
    var seen: [Int: Int] = [:]
    return labels.enumerated().map { index, label in
      if label < 0 { return -1 - index }
      if seen[label] == nil { seen[label] = index }
      return seen[label] ?? index
    }
  }
  func withoutSingles(_ labels: [Int]) -> [Int] {
    let names = numbered(labels)
    return names.map { name in names.filter { $0 == name }.count == 1 ? -1 : name }
  }
  return first.count == second.count && withoutSingles(first) == withoutSingles(second)
}
